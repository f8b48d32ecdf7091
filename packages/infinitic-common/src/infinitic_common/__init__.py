"""The shared vocabulary of Infinitic for Python: contracts, messages, ports, serialization and configuration."""
