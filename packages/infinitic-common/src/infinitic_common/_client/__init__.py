"""What the rest of the framework knows of a client."""
