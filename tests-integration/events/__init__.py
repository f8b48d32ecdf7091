"""Events, end to end."""
