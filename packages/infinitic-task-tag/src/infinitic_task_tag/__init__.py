"""The tag engine for the tasks of Infinitic for Python."""
