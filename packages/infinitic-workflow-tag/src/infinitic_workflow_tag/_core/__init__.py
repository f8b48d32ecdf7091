"""What messages about tags mean: pure functions, no I/O."""
