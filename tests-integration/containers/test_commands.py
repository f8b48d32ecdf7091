"""Commands that guides and containers show exist, with these options."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from containers.documents import DOCKER, ROOT

from infinitic_client.cli import main as infinitic
from infinitic_worker.cli import main as infinitic_worker

PROGRAMS: dict[str, click.Command] = {"infinitic": infinitic, "infinitic-worker": infinitic_worker}
_COMMAND = re.compile(r"`(?P<words>infinitic(-worker)? [a-z][^`\n]*)`")
_OPTION = re.compile(r"--[a-z-]+")


def _shown() -> Iterator[str]:
    guides = sorted((ROOT / "packages" / "infinitic-worker" / "guides").glob("*.md"))
    for page in guides:
        for match in _COMMAND.finditer(page.read_text(encoding="utf-8")):
            yield match["words"]
    comment = (DOCKER / "stack.yaml").read_text(encoding="utf-8")
    (words,) = re.findall(r"#\s+(infinitic workflow start .*)", comment)
    yield str(words)


@pytest.mark.parametrize("shown", sorted(set(_shown())))
def test_a_command_that_is_shown_exists_and_has_the_options(shown: str) -> None:
    program, *words = shlex.split(shown)
    command = PROGRAMS[program]
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if _OPTION.fullmatch(word)} <= known
    if len(words) > 1:
        command.make_context(program, list(words))
