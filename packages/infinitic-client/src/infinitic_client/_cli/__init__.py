"""The command ``infinitic``: a module for each kind of thing it talks about."""
