"""Run the conformance catalogue: python tools/conformance.py [AREA ...] [--json] [--full].

A test belongs to the cases that its function name contains, as test_andor_05_all_in_order does to
ANDOR-05. A case has passed when all its tests have, in every mode if it runs in modes; without a
test, or without one in a mode, it is missing. The status is 1 when a case failed or is missing.
"""

import argparse
import contextlib
import json
import os
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
import service_control

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tools" / "conformance_cases.toml"
UNIT = "unit"

_OPTIONS = ("-q", "--timeout=300", "--continue-on-collection-errors")
_ID = re.compile(r"(?<![a-z])([a-z]+)_(\d\d)(?=_|$)")

Outcomes: TypeAlias = defaultdict[tuple[str, str], list[bool]]
"""Whether each test passed, by case and column."""


@dataclass
class Area:
    """The cases of one area, and how they went."""

    name: str
    in_modes: list[str]
    alone: list[str]

    @property
    def cases(self) -> list[str]:
        """The ids of all."""
        return sorted([*self.in_modes, *self.alone])

    def expected(self, column: str) -> list[str]:
        """The ids of those that have to run in a column."""
        return self.in_modes if column != UNIT else self.alone


def main() -> int:
    """Run what the arguments ask for, print a table or lines, return the status."""
    options = _options()
    areas = [area for area in read_areas() if not options.areas or area.name in options.areas]
    if unknown := set(options.areas) - {area.name for area in areas}:
        sys.exit(f"tools/conformance.py: no area {', '.join(sorted(unknown))}")
    if options.full:
        os.environ["INFINITIC_CONFORMANCE_FULL"] = "1"
    recorder = Recorder({case for area in areas for case in area.cases})
    status = _run_tests(recorder, options.words)
    rows = [row_of(area, recorder) for area in areas]
    for line in map(json.dumps, rows) if options.json else table(areas, rows, recorder):
        print(line)
    good = all(not row["failed"] and not row["missing"] for row in rows)
    return 0 if good and not recorder.unreadable and status == pytest.ExitCode.OK else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run the conformance catalogue.")
    _ = parser.add_argument("areas", nargs="*", type=str.upper, help="all without any")
    _ = parser.add_argument("--json", action="store_true", help="an object a line, one per area")
    _ = parser.add_argument("--full", action="store_true", help="the whole matrix of modes")
    _ = parser.add_argument("--pytest", dest="words", action="append", default=[], metavar="WORD")
    return parser.parse_args()


def read_areas() -> Iterator[Area]:
    """The areas of the catalogue, in its order."""
    for name, kinds in tomllib.loads(CASES.read_text("utf-8")).items():
        ids = {kind: [f"{name}-{n}" for n in numbers.split()] for kind, numbers in kinds.items()}
        yield Area(name, ids.get("in_modes", []), ids.get("alone", []))


def cases_of(test_name: str) -> set[str]:
    """The ids that the name of a test contains."""
    return {f"{area.upper()}-{number}" for area, number in _ID.findall(test_name)}


class Recorder:
    """A plugin of pytest that runs the tests of some cases, and notes how they went."""

    def __init__(self, cases: Collection[str]) -> None:
        self._cases = cases
        self._tests: dict[str, tuple[set[str], str]] = {}
        self.outcomes: Outcomes = defaultdict(list)
        self.modes: list[str] = []
        self.unreadable = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out what belongs to no case."""
        chosen: list[pytest.Item] = []
        for item in items:
            cases = cases_of(item.name.partition("[")[0]) & set(self._cases)
            if cases:
                self._tests[item.nodeid] = cases, self._column(item)
                chosen.append(item)
        left = [item for item in items if item.nodeid not in self._tests]
        config.hook.pytest_deselected(items=left)
        items[:] = chosen

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note that there are tests which nobody can count."""
        self.unreadable |= report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that ended; one that was skipped has not passed."""
        if report.when != "call" and report.passed:
            return
        cases, column = self._tests[report.nodeid]
        for case in cases:
            self.outcomes[case, column].append(report.passed)

    def _column(self, item: pytest.Item) -> str:
        callspec = getattr(item, "callspec", None)
        mode = getattr(callspec and callspec.params.get("deployment"), "name", UNIT)
        if mode != UNIT and mode not in self.modes:
            self.modes.append(mode)
        return str(mode)

    def tried(self, case: str, column: str) -> bool:
        """Whether a case has a test in a column."""
        return bool(self.outcomes.get((case, column)))

    def passed(self, case: str, columns: Iterable[str]) -> bool:
        """Whether all tests of a case in some columns have passed."""
        return all(all(self.outcomes.get((case, column), ())) for column in columns)


def _run_tests(recorder: Recorder, words: list[str]) -> int:
    try:
        os.environ.update(service_control.ensure())
    except service_control.ServiceError as error:
        sys.exit(f"tools/conformance.py: {error}")
    config = ["-c", str(ROOT / "tools" / "pytest.toml"), "--rootdir", str(ROOT)]
    places = [str(ROOT / "packages"), str(ROOT / "tests-integration")]
    with contextlib.redirect_stdout(sys.stderr):
        return pytest.main([*config, *_OPTIONS, *words, *places], [recorder])


def status_of(case: str, area: Area, recorder: Recorder) -> str:
    """How a case went: passed, failed or missing."""
    columns = [*recorder.modes, UNIT]
    if not recorder.passed(case, columns):
        return "failed"
    if case in area.alone:
        return "passed" if any(recorder.tried(case, column) for column in columns) else "missing"
    complete = recorder.modes and all(recorder.tried(case, mode) for mode in recorder.modes)
    return "passed" if complete else "missing"


def row_of(area: Area, recorder: Recorder) -> dict[str, str | int]:
    """An area as an object: its name, its cases, and how many went how."""
    went = [status_of(case, area, recorder) for case in area.cases]
    counts = {status: went.count(status) for status in ("passed", "failed", "missing")}
    return {"area": area.name, "cases": len(went), **counts}


def table(areas: list[Area], rows: list[dict[str, str | int]], recorder: Recorder) -> Iterator[str]:
    """The areas as lines, then what is not as it must be."""
    columns = [*recorder.modes, UNIT]
    heads = ["area", "cases", "passed", "failed", "missing", *columns]
    widths = [max(10, len(head)) for head in heads]
    yield _line(heads, widths)
    for area, row in zip(areas, rows, strict=True):
        cells = [_cell(area, column, recorder) for column in columns]
        yield _line([*map(str, row.values()), *cells], widths)
    totals = [str(sum(int(row[head]) for row in rows)) for head in heads[1:5]]
    yield _line(["all", *totals], widths)
    for status in ("failed", "missing"):
        went = [c for area in areas for c in area.cases if status_of(c, area, recorder) == status]
        if went:
            yield f"{status}: {' '.join(went)}"


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)).rstrip()


def _cell(area: Area, column: str, recorder: Recorder) -> str:
    """Passed of those that ran or have to run there."""
    elsewhere = {c for c in area.alone for mode in recorder.modes if recorder.tried(c, mode)}
    tried = {c for c in area.cases if recorder.tried(c, column)}
    wanted = (set(area.expected(column)) - elsewhere) | tried
    good = [c for c in wanted if recorder.tried(c, column) and recorder.passed(c, [column])]
    return f"{len(good)}/{len(wanted)}" if wanted else "-"


if __name__ == "__main__":
    sys.exit(main())
