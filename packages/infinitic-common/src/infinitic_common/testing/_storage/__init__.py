"""The parts of the suites of ``infinitic_common.testing.storage``."""
