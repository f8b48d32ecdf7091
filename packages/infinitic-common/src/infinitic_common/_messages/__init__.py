"""The messages, a module for each reader, and their routes."""
