"""The command ``infinitic``: questions and commands about one workflow, by name and id."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import click
from rich.console import Console
from rich.pretty import Pretty

from infinitic_client._blocking_client import InfiniticClient
from infinitic_common import name as named
from infinitic_common.exceptions import InfiniticError

T = TypeVar("T")

CONFIGURATION = "infinitic.yml"
_UNKNOWN = 3  # 2 is what click gives for wrong arguments


@click.group()
@click.option(
    "--config",
    "files",
    multiple=True,
    default=(CONFIGURATION,),
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="YAML file; of several, the first that has a key wins.",
)
@click.pass_context
def main(context: click.Context, files: tuple[Path, ...]) -> None:
    """Ask about running workflows of Infinitic, and cancel them."""
    context.obj = files


@main.command()
@click.argument("name")
@click.argument("id", metavar="ID")
@click.pass_obj
def status(files: tuple[Path, ...], name: str, id: str) -> None:  # noqa: A002 - as it is called
    """Tell in one word what the workflow NAME with this ID does."""
    with _client(files) as client:
        found = client.get_status(client.get_workflow_by_id(_contract(name), id))
    click.echo(_known(found, name, id))


@main.command()
@click.argument("name")
@click.argument("id", metavar="ID")
@click.pass_obj
def state(files: tuple[Path, ...], name: str, id: str) -> None:  # noqa: A002 - as it is called
    """Show all that is known about the workflow NAME with this ID."""
    with _client(files) as client:
        found = client.get_state(client.get_workflow_by_id(_contract(name), id))
    Console().print(Pretty(_known(found, name, id), expand_all=True))


@main.command()
@click.argument("name")
@click.argument("id", metavar="ID")
@click.pass_obj
def cancel(files: tuple[Path, ...], name: str, id: str) -> None:  # noqa: A002 - as it is called
    """Cancel every method run of the workflow NAME with this ID."""
    with _client(files) as client:
        client.cancel(client.get_workflow_by_id(_contract(name), id))
    click.echo(f"asked to cancel workflow {name} {id}")


def _contract(name: str) -> Callable[..., object]:
    """A contract without methods: by its name alone a workflow is asked about and cancelled."""

    class Anything(Protocol):
        """Whatever the workflow can do."""

    return named(name)(Anything)


@contextmanager
def _client(files: tuple[Path, ...]) -> Generator[InfiniticClient]:
    """A client for one command; errors of ours become one line and status 1."""
    for file in files:
        if not file.exists():
            msg = f"there is no file {file}: name the configuration with --config"
            raise click.ClickException(msg)
    try:
        with InfiniticClient.from_yaml_file(*files) as client:
            yield client
    except InfiniticError as error:
        raise click.ClickException(str(error)) from error


def _known(found: T | None, name: str, workflow_id: str) -> T:
    if found is None:
        click.echo(f"infinitic: no workflow {name} is known by the id {workflow_id}", err=True)
        sys.exit(_UNKNOWN)
    return found
