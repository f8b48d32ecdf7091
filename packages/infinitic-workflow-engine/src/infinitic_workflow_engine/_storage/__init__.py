"""How states are stored."""
