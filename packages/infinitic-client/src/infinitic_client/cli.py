"""The command ``infinitic``: workflows and tasks, from a shell.

Exit codes: 0 done, 1 the workflow failed, was cancelled or has ended, 2 wrong use or configuration,
3 the broker cannot be reached, 4 there is no such workflow or task, 5 it took too long.
"""

from pathlib import Path

import click

from infinitic_client._cli.tasks import task
from infinitic_client._cli.workflows import workflow


@click.group()
@click.option(
    "--config",
    "files",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="YAML file; of several, the first that has a key wins. Without it the files of the "
    "variable INFINITIC_CONFIG, else infinitic.yml.",
)
@click.pass_context
def main(context: click.Context, files: tuple[Path, ...]) -> None:
    """Start, follow and steer workflows of Infinitic.

    Exit codes: 0 done; 1 the workflow failed, was cancelled or has ended; 2 wrong use or
    configuration; 3 the broker cannot be reached; 4 no such workflow or task; 5 it took too long.
    """
    context.obj = files


main.add_command(workflow)
main.add_command(task)
