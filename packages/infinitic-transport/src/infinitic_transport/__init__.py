"""In-memory transport of Infinitic for Python."""
