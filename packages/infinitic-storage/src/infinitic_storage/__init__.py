"""Storage of Infinitic for Python: memory, Redis, Postgres, MySQL."""
