"""How contracts and implementations are read."""
