"""What messages about tags and delegated tasks mean: pure functions, no I/O."""
