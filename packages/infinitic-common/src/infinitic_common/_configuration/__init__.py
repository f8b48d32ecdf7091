"""How a configuration is read, checked and kept; its face is ``infinitic_common.configuration``."""
