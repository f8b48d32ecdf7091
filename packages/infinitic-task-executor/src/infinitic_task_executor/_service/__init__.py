"""How the tasks of services run."""
