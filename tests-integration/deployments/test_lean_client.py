"""A client with three wheels, and a worker without the client's."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from deployments.configurations import WHOLE, Servers
from deployments.environments import ALL_WHEELS, environment_with
from deployments.processes import PATIENCE_SECONDS, running

CLIENT_WHEELS = ("infinitic-common", "infinitic-client", "infinitic-transport-pulsar")

PROGRAM = """\
import sys
from deployments.counting_shop import Totals
from infinitic_client import InfiniticClient

with InfiniticClient.from_yaml_file(sys.argv[1]) as client:
    deferred = client.dispatch(client.new_workflow(Totals).sum_to, 5)
    client.get_workflow_by_id(Totals, deferred.id).numbers.send(32)
    print(deferred.result())
"""


def test_a_client_with_three_wheels_uses_a_worker_without_the_wheel_of_the_client(
    places: Servers, configure: Callable[[str, str], Path], tmp_path: Path
) -> None:
    worker_side = environment_with(ALL_WHEELS - {"infinitic-client"}, tmp_path / "worker-wheels")
    client_side = environment_with(CLIENT_WHEELS, tmp_path / "client-wheels")
    client_file = configure("client", places.transport)
    whole = configure("whole", places.transport + places.storage + WHOLE)
    with running(worker_side, whole):
        done = subprocess.run(  # noqa: S603 - our own command
            [*client_side.python, "-c", PROGRAM, str(client_file)],
            env=client_side.variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr


@pytest.mark.parametrize("missing", sorted(ALL_WHEELS - {*CLIENT_WHEELS}))
def test_the_environment_of_the_client_holds_no_other_wheel(missing: str, tmp_path: Path) -> None:
    environment = environment_with(CLIENT_WHEELS, tmp_path / "wheels")
    program = f"import {missing.replace('-', '_')}"
    done = subprocess.run(  # noqa: S603 - our own command
        [*environment.python, "-c", program],
        env=environment.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ModuleNotFoundError" in done.stderr
