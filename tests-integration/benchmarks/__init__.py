"""Benchmarks of the whole framework; run by ``run.py``."""
