"""Pulsar standalone, from the distribution that Maven knows."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import ClassVar

from service_control import _install
from service_control._errors import ServiceError
from service_control._paths import DOCKER, cache_dir
from service_control._server import Launch

VERSION = "4.0.8"
SHA256 = "35c7d064c9e0928edbf2e708989faba0379662f98aa84ce0d4190c59efb6765e"
_ARTIFACT = f"org.apache.pulsar:pulsar-server-distribution:{VERSION}:tar.gz:bin"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_JAVA = ("usr/lib/jvm/*17*/bin", "usr/lib/jvm/*21*/bin")
_OLDEST_JAVA = 17
_ENV = {
    "PULSAR_MEM": "-Xms512m -Xmx1g -XX:MaxDirectMemorySize=1g",
    "PULSAR_GC": "-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:+PerfDisableSharedMem",
    "PULSAR_GC_LOG": " ",
    "PULSAR_LOG_LEVEL": "warn",
}
# Of this server only: the port numbers are ours, and its data may be lost.
_OWN = {
    "bindAddress": "127.0.0.1",
    "advertisedAddress": "127.0.0.1",
    "journalSyncData": "false",
    "listeningInterface": "lo",
}


class Pulsar:
    """A standalone broker with its bookie."""

    name: ClassVar[str] = "pulsar"
    ports: ClassVar[tuple[int, ...]] = (16650, 18080)
    packages: ClassVar[str] = (
        "Java 17 and Maven (Debian packages openjdk-17-jre-headless and maven)"
    )
    user: ClassVar[str | None] = None
    limit: ClassVar[float] = 90.0

    def available(self) -> bool:
        """Return whether Java is here, and the distribution or Maven to fetch it."""
        return _java() is not None and (_home().exists() or _install.find("mvn") is not None)

    def install(self) -> None:
        """Install what is missing of Java and Maven."""
        if _java() is None:
            _install.apt("openjdk-17-jre-headless")
        if not _home().exists() and _install.find("mvn") is None:
            _install.apt("maven")

    def prepare(self, folder: Path, ports: tuple[int, ...]) -> Launch:
        """Fetch the distribution when it is not here, write the settings, return the command."""
        home = _distribution()
        settings = folder / "standalone.conf"
        own = {"brokerServicePort": str(ports[0]), "webServicePort": str(ports[1]), **_OWN}
        settings.write_text(_configured(home, broker_settings() | own | _wanted()))
        options = ["--no-functions-worker", "--no-stream-storage", "-a", "127.0.0.1"]
        data: list[str | Path] = [
            "--metadata-dir",
            folder / "metadata",
            "--bookkeeper-dir",
            folder / "bookkeeper",
        ]
        # The bookie takes any port by itself.
        command: list[str | Path] = [home / "bin" / "pulsar", "standalone", *options, *data]
        java = _java() or Path("java")
        env = {
            **_ENV,
            "JAVA_HOME": str(java.resolve().parent.parent),
            "PULSAR_STANDALONE_CONF": str(settings),
            "PULSAR_LOG_DIR": str(folder / "logs"),
        }
        return Launch(command, env)

    def urls(self, ports: tuple[int, ...]) -> dict[str, str]:
        """Return the addresses for messages and for administration."""
        return {
            "INFINITIC_PULSAR_BROKER_URL": f"pulsar://127.0.0.1:{ports[0]}",
            "INFINITIC_PULSAR_WEB_URL": f"http://127.0.0.1:{ports[1]}",
        }

    def ready(self, ports: tuple[int, ...]) -> bool:
        """Return whether the default namespace is there and a message goes round."""
        admin = f"http://127.0.0.1:{ports[1]}/admin/v2"
        if "public/default" not in json.loads(_asked(f"{admin}/namespaces/public")):
            return False
        return _asked(f"{admin}/brokers/health") == b"ok"


def broker_settings() -> dict[str, str]:
    """Return the settings of docker/pulsar.env by their name in Pulsar."""
    lines = (DOCKER / "pulsar.env").read_text().splitlines()
    return dict(re.findall(r"^PULSAR_PREFIX_(\w+)=(.*)$", "\n".join(lines), re.MULTILINE))


def _wanted() -> dict[str, str]:
    """Return the settings that a test wants beside ours, in a file that it names."""
    file = os.environ.get("INFINITIC_SERVICES_PULSAR_SETTINGS")
    lines = Path(file).read_text().splitlines() if file else []
    return dict(line.split("=", 1) for line in lines)


def _asked(url: str) -> bytes:
    # A broker that lets in only those it knows has a token for itself, which does for us.
    token = _wanted().get("brokerClientAuthenticationParameters", "").removeprefix("token:")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


def _configured(home: Path, settings: dict[str, str]) -> str:
    text = (home / "conf" / "standalone.conf").read_text() + "\n"
    for name, value in settings.items():
        text = re.sub(rf"^{name}=.*\n", "", text, flags=re.MULTILINE)
        text += f"{name}={value}\n"
    return text


def _java() -> Path | None:
    home = os.environ.get("JAVA_HOME")
    candidates = [Path(home, "bin", "java") if home else None]
    candidates += [_install.find("java"), *(_only_in(folder) for folder in _JAVA)]
    return next((java for java in candidates if java and _version(java) >= _OLDEST_JAVA), None)


def _only_in(folder: str) -> Path | None:
    return next((java / "java" for java in sorted(Path("/").glob(folder), reverse=True)), None)


def _version(java: Path) -> int:
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found[1]) if found else 0


def _home() -> Path:
    return cache_dir() / f"apache-pulsar-{VERSION}"


def _distribution() -> Path:
    """Return the unpacked distribution, fetched once per user."""
    home = _home()
    with _install.only_one("pulsar"):
        if not home.exists():
            _fetch(home)
    return home


def _fetch(home: Path) -> None:
    print(f"fetching Pulsar {VERSION} (245 MB, once)", file=sys.stderr)
    scratch = home.with_name("unpacking")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    command = ["mvn", "-q", "-B", _COPY, f"-Dartifact={_ARTIFACT}", f"-DoutputDirectory={scratch}"]
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    archives = list(scratch.glob("*.tar.gz"))
    if done.returncode or not archives:
        message = f"Maven could not fetch {_ARTIFACT}:\n{(done.stdout + done.stderr)[-2000:]}"
        raise ServiceError(message)
    _check(archives[0])
    subprocess.run(["tar", "-xzf", archives[0], "-C", scratch], check=True)
    archives[0].unlink()
    (scratch / home.name).rename(home)
    scratch.rmdir()


def _check(archive: Path) -> None:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        message = f"{archive.name} has the SHA-256 {digest}, expected {SHA256}: not using it"
        raise ServiceError(message)
