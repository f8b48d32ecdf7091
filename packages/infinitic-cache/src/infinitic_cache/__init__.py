"""Cache of Infinitic for Python, in front of its storage."""
