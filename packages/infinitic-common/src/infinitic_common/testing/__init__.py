"""Conformance suites for the ports, and fakes; needs pytest where a suite is imported."""
