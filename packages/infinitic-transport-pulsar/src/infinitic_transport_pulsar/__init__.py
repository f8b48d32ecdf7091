"""Apache Pulsar transport of Infinitic for Python."""
