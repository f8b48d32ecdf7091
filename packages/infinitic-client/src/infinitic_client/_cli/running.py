"""How a command runs: its options, its client, and the exit code that its end gives."""

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import attrs
import click

from infinitic_client._core import ClientCore
from infinitic_client._opening import open_configured
from infinitic_common.configuration import ClientConfiguration, file_source, load_configuration
from infinitic_common.exceptions import (
    DeferredException,
    DeferredTimedOut,
    DeferredTimeout,
    DeferredUnknown,
    InfiniticError,
    InfrastructureError,
)
from infinitic_common.transport import Transport

T = TypeVar("T")

DEFAULT_FILE = "infinitic.yml"
ANSWER_SECONDS = 30.0
"""How long a command takes at most when it does not wait for a workflow."""
_CLOSING_SECONDS = 5.0


@attrs.frozen
class Options:
    """What every command takes.

    Attributes:
        files: The configuration; none for those of INFINITIC_CONFIG.
        as_json: Whether the output is JSON.
        seconds: The longest wait; None when it was not said.
    """

    files: tuple[Path, ...]
    as_json: bool
    seconds: float | None


class Failed(click.ClickException):
    """The workflow failed, was cancelled or has ended."""

    exit_code = 1


class Refused(click.ClickException):
    """Wrong use, or a configuration with mistakes."""

    exit_code = 2


class Unreachable(click.ClickException):
    """The broker cannot be reached."""

    exit_code = 3


class Unknown(click.ClickException):
    """There is no such workflow or task."""

    exit_code = 4


class TookTooLong(click.ClickException):
    """It took longer than it may."""

    exit_code = 5


def common(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every command takes; it gets them first, as ``Options``."""

    @click.option(
        "--timeout",
        "seconds",
        type=click.FloatRange(min=0, min_open=True),
        help="Seconds after which to give up.",
    )
    @click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print JSON, for scripts; errors stay text, on stderr.",
    )
    @functools.wraps(command)
    def with_options(*, as_json: bool, seconds: float | None, **words: object) -> None:
        files: tuple[Path, ...] = click.get_current_context().find_root().obj or ()
        command(Options(files, as_json, seconds), **words)

    return with_options


def run(
    options: Options,
    action: Callable[[ClientCore], Awaitable[T]],
    *,
    waits: bool = False,
) -> T:
    """Do something with a client; errors end the command.

    Args:
        options: Which configuration, and the longest wait.
        action: What to do.
        waits: Whether it waits for a workflow, which has no limit unless one is given.
    """
    seconds = options.seconds
    if seconds is None and not waits:
        seconds = ANSWER_SECONDS
    try:
        return asyncio.run(_with_client(options.files, action, seconds))
    except InfiniticError as error:
        raise _end_of(error)(str(error)) from error
    except TimeoutError as error:
        msg = f"no {'result' if waits else 'answer'} within {seconds:g} s"
        hint = (
            "" if waits else ": is the broker up, and a worker with the engines of this workflow?"
        )
        raise TookTooLong(msg + hint) from error


async def _with_client(
    files: tuple[Path, ...], action: Callable[[ClientCore], Awaitable[T]], seconds: float | None
) -> T:
    core = ClientCore(_reaching_others(_chosen(files)), close_transport=True)
    try:
        async with asyncio.timeout(seconds):
            return await action(core)
    finally:
        await _close(core)


async def _close(core: ClientCore) -> None:
    """A broker that is away must not keep a command that has already told so."""
    try:
        async with asyncio.timeout(_CLOSING_SECONDS):
            await core.close()
    except TimeoutError:
        click.echo("infinitic: the connection could not be closed in time", err=True)


def _reaching_others(files: tuple[Path, ...]) -> Transport:
    configuration = load_configuration(ClientConfiguration, *map(file_source, files))
    if configuration.transport.kind == "inMemory":
        # What is sent would be gone with this process, whatever the command says of it.
        msg = (
            "transport 'inMemory' reaches no worker outside the process it is in: this command "
            "needs one with a broker, as `transport: {pulsar: …}`"
        )
        raise Refused(msg)
    return open_configured(configuration)


def _chosen(files: tuple[Path, ...]) -> tuple[Path, ...]:
    named = files or os.environ.get("INFINITIC_CONFIG")
    chosen = files if named else (Path(DEFAULT_FILE),)
    for file in chosen:
        if not file.exists():
            msg = (
                f"there is no file {file}: name the configuration with --config or INFINITIC_CONFIG"
            )
            raise Refused(msg)
    return chosen


def _end_of(error: InfiniticError) -> type[click.ClickException]:
    match error:
        case DeferredUnknown():
            return Unknown
        case DeferredTimeout() | DeferredTimedOut():
            return TookTooLong
        case DeferredException():
            return Failed
        case InfrastructureError():
            return Unreachable
        case _:
            return Refused
