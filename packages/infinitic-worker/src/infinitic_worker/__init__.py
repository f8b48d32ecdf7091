"""The worker of Infinitic for Python: hosts services, workflows and engines."""
