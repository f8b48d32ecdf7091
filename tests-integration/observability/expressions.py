"""Every expression of the dashboard and of the alert rules."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import attrs
from observability.prometheus import ROOT, RULES
from ruamel.yaml import YAML

DASHBOARD = ROOT / "docker" / "grafana" / "dashboards" / "infinitic.json"

# How Grafana fills its variables in.
_VARIABLES = {"$__rate_interval": "30s", "$worker": ".*"}
_THRESHOLD = re.compile(r"\s*(>|==)\s*[0-9.]+\s*$")


@attrs.frozen
class Expression:
    """What Prometheus is asked, and where it says so."""

    place: str
    text: str


@attrs.frozen
class Alert:
    """A rule: its name, and what it compares with its threshold."""

    name: str
    condition: str

    @property
    def compared(self) -> str:
        """The condition without the threshold in its end: what there is while nothing is wrong."""
        return _THRESHOLD.sub("", self.condition)


def dashboard() -> Iterator[Expression]:
    """What the panels show."""
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            text = target["expr"]
            for name, value in _VARIABLES.items():
                text = text.replace(name, value)
            yield Expression(f"{panel['title']} {target['refId']}", text)


def alerts(path: Path = RULES) -> Iterator[Alert]:
    """What is judged."""
    for group in YAML(typ="safe").load(path)["groups"]:
        for rule in group["rules"]:
            yield Alert(rule["alert"], rule["expr"])
