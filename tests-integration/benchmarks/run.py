"""``tools/hatch run bench -- [PLACE] [WORKLOAD] [--json]``.

Everything, the client too, runs in one process; broker and database beside it. CPU figures are of
that process and of each server. Without arguments, all workloads at all places.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT.parent / "tools")]

import attrs  # noqa: E402 - the path comes first

from benchmarks.deployments import PLACES, place  # noqa: E402 - the same
from benchmarks.workloads import WORKLOADS, Figures, measure  # noqa: E402 - the same
from infinitic_worker import prepare_process  # noqa: E402 - the same


def main() -> None:
    """Measure, and print a line for each workload."""
    parser = argparse.ArgumentParser(description="Measure the framework.")
    parser.add_argument("what", nargs="*", metavar="PLACE|WORKLOAD")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--no-events", action="store_true", help="tell no listeners")
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    known = {*PLACES, *WORKLOADS}
    for word in arguments.what:
        if word not in known:
            parser.error(f"{word!r} is neither a place nor a workload: {', '.join(sorted(known))}")
    logging.basicConfig(level=logging.WARNING)
    out = _own_output()
    prepare_process()  # as the command infinitic-worker does
    for where in [name for name in PLACES if name in arguments.what] or PLACES:
        for name in [name for name in WORKLOADS if name in arguments.what] or WORKLOADS:
            figures = asyncio.run(
                measure(
                    name,
                    place(where),
                    arguments.repetitions,
                    events=not arguments.no_events,
                )
            )
            print(_line(figures, as_json=arguments.json), file=out, flush=True)


def _own_output() -> TextIO:
    """Standard output for the figures alone: Pulsar's native client logs to file descriptor 1."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return out


def _line(figures: Figures, *, as_json: bool) -> str:
    values = attrs.asdict(figures)
    if as_json:
        return json.dumps(values)
    shown = [f"{name} {value}" for name, value in values.items() if value is not None]
    return ", ".join(shown)


if __name__ == "__main__":
    main()
