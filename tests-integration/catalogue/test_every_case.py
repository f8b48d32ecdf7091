"""Every case of the catalogue has a test, so that a renamed one cannot be lost unnoticed."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tools" / "conformance_cases.toml"


def test_every_case_of_the_catalogue_is_in_the_name_of_a_test() -> None:
    areas = tomllib.loads(CASES.read_text("utf-8"))
    cases = {
        f"{area.lower()}_{number}"
        for area, kinds in areas.items()
        for numbers in kinds.values()
        for number in numbers.split()
    }
    assert cases - _named() == set()


def _named() -> set[str]:
    """What the names of tests contain, those of contracts that wheels share included."""
    files = [*ROOT.glob("packages/*/src/**/*.py"), *ROOT.glob("packages/*/tests/**/*.py")]
    files += ROOT.glob("tests-integration/*/test_*.py")
    names = [name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())]
    return {case for name in names for case in re.findall(r"(?<![a-z])[a-z]+_\d\d(?=_|$)", name)}
