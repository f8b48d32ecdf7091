"""Segments of long logs that were stored with a head which lost its race."""

from collections.abc import Collection, Mapping

import pytest

from infinitic_common.storage import VersionedValue, Write
from infinitic_workflow_engine._core.mailbox import ParkedSignal
from infinitic_workflow_engine._core.state import WorkflowState
from infinitic_workflow_engine._storage.states import KeyValueWorkflowStateStorage, Retention

ID = "w1"
MANY = 200


class Records:
    """A store; a segment that is there already may have been written a moment earlier or later."""

    def __init__(self) -> None:
        self.records: dict[str, VersionedValue] = {}

    @property
    def segments(self) -> list[str]:
        return [key for key in self.records if ".segment." in key]

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        return {key: self.records[key] for key in keys if key in self.records}

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        done: dict[str, bool] = {}
        for key, write in writes.items():
            stored = self.records.get(key, VersionedValue(None, 0))
            done[key] = stored.version == write.expected_version or stored.value == write.value
            if done[key]:
                self.records[key] = VersionedValue(write.value, write.expected_version + 1)
        return done

    async def close(self) -> None:
        """Nothing is open."""

    async def delete(self, keys: Collection[str]) -> None:
        for key in keys:
            self.records.pop(key, None)


def states_in(records: Records) -> KeyValueWorkflowStateStorage:
    return KeyValueWorkflowStateStorage(records, Retention())


def park(state: WorkflowState, count: int) -> None:
    for number in range(count):
        state.mailbox.log.append(ParkedSignal("approvals", f"s{number}", bytes(100), ()))


async def loaded(states: KeyValueWorkflowStateStorage) -> WorkflowState:
    state = (await states.get_states([ID]))[ID]
    assert state is not None
    return state


@pytest.fixture
async def records() -> Records:
    """A store that has the workflow."""
    records = Records()
    state = WorkflowState(ID, "Flow")
    state.started = True
    await states_in(records).update_states([state])
    return records


async def test_the_segment_of_a_refused_head_is_deleted_when_the_state_is_read_again(
    records: Records,
) -> None:
    winning, losing = states_in(records), states_in(records)
    winner, loser = await loaded(winning), await loaded(losing)
    park(winner, 1)
    park(loser, MANY)
    assert await winning.update_states([winner]) == {ID: True}
    assert await losing.update_states([loser]) == {ID: False}
    assert len(records.segments) == 1
    assert len((await loaded(losing)).mailbox.log.entries) == 1
    assert records.segments == []


async def test_a_segment_that_the_winner_lists_too_stays(records: Records) -> None:
    winning, losing = states_in(records), states_in(records)
    winner, loser = await loaded(winning), await loaded(losing)
    park(winner, MANY)
    park(loser, MANY)
    loser.tags = frozenset({"other"})
    assert await winning.update_states([winner]) == {ID: True}
    assert await losing.update_states([loser]) == {ID: False}
    assert len((await loaded(losing)).mailbox.log.entries) == MANY
    assert len((await loaded(winning)).mailbox.log.entries) == MANY


def test_writers_of_two_versions_never_share_a_segment() -> None:
    earlier, later = WorkflowState(ID, "Flow"), WorkflowState(ID, "Flow")
    for version, state in enumerate((earlier, later)):
        park(state, MANY)
        state.mailbox.log.seal(ID, version)
    assert not earlier.mailbox.log.unwritten.keys() & later.mailbox.log.unwritten.keys()
