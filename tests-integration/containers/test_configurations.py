"""The workers that compose and Kubernetes start understand their configurations."""

import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from containers.documents import DOCKER, SHOP, Document, at, documents_of, of_kind
from containers.files import Files, compose_files, kubernetes_files, stack


def _listed(deployment: Document) -> str:
    variables = at(deployment, "spec", "template", "spec", "containers", 0, "env")
    return {each["name"]: each["value"] for each in cast("list[dict[str, str]]", variables)}[
        "INFINITIC_CONFIG"
    ]


def _workers() -> dict[str, tuple[Files, str]]:
    """For each worker the files it has and the list of those it reads."""
    listed = str(at(stack(), "services", "worker", "environment", "INFINITIC_CONFIG"))
    workers = {
        f"compose-{storage}": (compose_files(), listed.replace("${STORAGE:-postgres}", storage))
        for storage in ("postgres", "redis", "mariadb")
    }
    for each in of_kind("Deployment"):
        workers[str(at(each, "metadata", "name"))] = (kubernetes_files(), _listed(each))
    return workers


WORKERS = _workers()
HOSTED = {
    "infinitic-services": {"TaskExecutor"},
    "infinitic-executors": {"WorkflowExecutor"},
    "infinitic-engines": {"TaskTagEngine", "WorkflowTagEngine", "WorkflowStateEngine"},
}


def _check(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``infinitic-worker check`` on the files of a worker, as they are in its container."""
    files, listed = WORKERS[name]
    paths: list[str] = []
    for place in listed.split(os.pathsep):
        path = folder / Path(place).name
        path.write_text(files[place], encoding="utf-8")
        paths.append(str(path))
    secrets = {"PG_USERNAME": "me", "PG_PASSWORD": "s3cret", "INFINITIC_PASSWORD": "s3cret"}
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "infinitic_worker", "check", *paths],
        cwd=SHOP,
        env={**os.environ, **secrets},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_accepts_its_files_and_shows_no_secret(name: str, tmp_path: Path) -> None:
    done = _check(name, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "s3cret" not in done.stdout


@pytest.mark.parametrize("name", HOSTED)
def test_a_separated_worker_hosts_its_part_only(name: str, tmp_path: Path) -> None:
    lines = _check(name, tmp_path).stdout.splitlines()
    kinds = {line.split()[1].rstrip(":") for line in lines if line.startswith("hosts ")}
    assert kinds == HOSTED[name], lines


def test_the_separated_workers_name_the_same_broker(tmp_path: Path) -> None:
    transports = {_check(name, tmp_path).stdout.splitlines()[0] for name in HOSTED}
    assert len(transports) == 1


def test_every_file_that_compose_mounts_is_there() -> None:
    for service, block in cast("dict[str, Document]", at(stack(), "services")).items():
        for volume in cast("list[str]", block.get("volumes", [])):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (DOCKER / source).exists(), f"{service} mounts {source}"


def test_the_broker_of_the_stack_has_the_settings_that_infinitic_wants() -> None:
    (tests,) = documents_of(DOCKER / "compose.yaml")
    for file in (stack(), tests):
        assert at(file, "services", "pulsar", "env_file") == "pulsar.env"


def test_the_worker_of_the_stack_may_take_longer_to_stop_than_what_is_in_flight() -> None:
    assert at(stack(), "services", "worker", "stop_grace_period") == "45s"
    assert "shutdownGracePeriodSeconds: 30" in compose_files()["/config/worker.yml"]
