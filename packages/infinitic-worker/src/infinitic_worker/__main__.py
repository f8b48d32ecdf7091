"""``python -m infinitic_worker``."""

from infinitic_worker.cli import main

main()
