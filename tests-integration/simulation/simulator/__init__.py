"""Real components over a simulated broker, store and clock, from a seed."""
