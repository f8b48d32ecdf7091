"""What a worker cannot host is refused when it is composed."""

import pytest
from worker_doubles import RecordingComponent, RecordingTransport

from infinitic_common.exceptions import InvalidSetting
from infinitic_worker import EventListener, InfiniticWorker


class Heard:
    def on_event(self, event: object) -> None:
        """Nothing to do."""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"transport": RecordingTransport}, r"transport=<class .*>: give a transport"),
        ({"storage": "postgres"}, "storage='postgres': give a storage"),
        ({"components": RecordingComponent("A")}, "components=.*: give a list"),
        ({"components": [RecordingComponent]}, "components=<class .*>: give a component"),
        ({"metrics": {"prometheus": {}}}, r"metrics=\{.*\}: give MetricsConfiguration"),
        ({"health": True}, r"health=True: give HealthConfiguration"),
        ({"close_storage": "no"}, "close_storage='no': give True or False"),
        ({"shutdown_grace_seconds": "30"}, "shutdown_grace_seconds='30': give seconds"),
        ({"shutdown_grace_seconds": -1}, "shutdown_grace_seconds=-1: give seconds"),
    ],
)
def test_what_cannot_be_hosted_is_refused(wrong: dict[str, object], message: str) -> None:
    given = {"transport": RecordingTransport(), "components": [], **wrong}
    with pytest.raises(InvalidSetting, match=message):
        InfiniticWorker(**given)  # type: ignore[arg-type]  # what is refused


def test_a_storage_that_opens_itself_when_it_is_read_stays_closed() -> None:
    class Opening:
        @property
        def key_values(self) -> object:
            pytest.fail("it was read")

    opening = Opening()
    InfiniticWorker(transport=RecordingTransport(), components=[], storage=opening)  # type: ignore[arg-type]  # has what is looked at


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"allow_services": "Payments"}, r"'Payments' is one name .*: give a list, as \['Pay"),
        ({"disallow_workflows": "Order"}, "'Order' is one name"),
        ({"batch": 100}, "batch=100: give BatchConfiguration"),
        ({"concurrency": "2"}, "concurrency='2': give a whole number"),
        ({"subscription_name": 7}, "subscription_name=7"),
    ],
)
def test_a_listener_is_not_made_of_what_is_none(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        EventListener(Heard(), **wrong)  # type: ignore[arg-type]  # what is refused
