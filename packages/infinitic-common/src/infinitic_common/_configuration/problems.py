"""What is wrong with a configuration, where, and what to do."""

from collections.abc import Iterable
from typing import Self

from attrs import evolve, frozen

from infinitic_common.exceptions import InfiniticError


@frozen
class Mark:
    """A place in a source: a file with a line, or an environment variable.

    Attributes:
        source: File path, resource name or the like.
        line: Line number from 1; None where lines have no meaning.
    """

    source: str
    line: int | None = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


@frozen
class Problem:
    """One thing that is wrong.

    Attributes:
        path: The key concerned, as ``services[0].concurrency``; empty for a whole source.
        what: What is wrong, naming value and bound.
        remedy: What to do; may be empty.
        mark: Where it stands, when it was read from a source.
    """

    path: str
    what: str
    remedy: str = ""
    mark: Mark | None = None

    def __str__(self) -> str:
        place = "" if self.mark is None else f"({self.mark})"
        where = " ".join(part for part in (self.path, place) if part)
        text = f"{where}: {self.what}" if where else self.what
        return f"{text}; {self.remedy}" if self.remedy else text

    def below(self, path: str) -> Self:
        """Return this problem with its path seen from an outer block."""
        return evolve(self, path=join_path(path, self.path))


class ConfigurationError(InfiniticError):
    """A configuration is refused; lists every problem found, not only the first.

    Attributes:
        problems: All of them, in the order of reading.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        lines = [f"the configuration has {len(self.problems)} problems:"]
        return "\n".join([*lines, *(f"  - {problem}" for problem in self.problems)])


# A failure shows the name of its class: the one to import it by.
ConfigurationError.__module__ = "infinitic_common.configuration"


def join_path(parent: str, child: str) -> str:
    """Join two key paths; a list index ``[0]`` and an empty part take no dot.

    Args:
        parent: The outer path.
        child: The path seen from there.
    """
    if not parent or not child or child.startswith("["):
        return parent + child
    return f"{parent}.{child}"
