"""The tag engine for the workflows of Infinitic for Python."""
