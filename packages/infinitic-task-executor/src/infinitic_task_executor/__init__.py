"""The executors of Infinitic for Python, which run services and workflows."""
