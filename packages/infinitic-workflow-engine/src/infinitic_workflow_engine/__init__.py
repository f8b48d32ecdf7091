"""The workflow state engine of Infinitic for Python."""
