"""The client of Infinitic for Python: start, follow, signal and cancel workflows."""
