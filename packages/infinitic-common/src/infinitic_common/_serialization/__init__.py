"""How user values become bytes; the public face is ``infinitic_common.serialization``."""
