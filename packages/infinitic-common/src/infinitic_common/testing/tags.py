# ruff: noqa: D102, PLR2004, S101 -- a test's name says what it shows
"""What both tag engines promise of the sets they keep, as a suite that each of them runs.

    class TestTagsOfWorkflows(TagsContract):
        kind = "workflow"

        def add(self, value: str, tag: str = "foo") -> Message:
            return AddTagToWorkflow(f"add {value} {tag}", "Name", value, tag)
        ...

The fixture ``host`` is a ``TagEngineHost`` on which the engine of ``Name`` was started.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import pytest

from infinitic_common.exceptions import StorageUnavailable
from infinitic_common.messages import Message, TaskIdsByTag, WorkflowIdsByTag
from infinitic_common.tag_sets import set_key
from infinitic_common.testing.tag_engine import TagEngineHost


class TagsContract(ABC):
    """Changes and questions, whatever it is that has tags."""

    kind: ClassVar[str]
    """``workflow`` or ``task``, as in keys."""

    @abstractmethod
    def add(self, value: str, tag: str = "foo") -> Message:
        """The message that gives an id a tag."""

    @abstractmethod
    def remove(self, value: str, tag: str = "foo") -> Message:
        """The message that takes it away."""

    @abstractmethod
    def question(self, tag: str = "foo", client: str = "client") -> Message:
        """The message that asks which ids have a tag; another client's is another message."""

    @property
    def foo(self) -> str:
        """The key of the set that is used most."""
        return set_key(self.kind, "Name", "foo")

    async def test_the_last_change_of_an_id_holds(self, host: TagEngineHost) -> None:
        host.sets.sets[self.foo] = {"x"}
        await host.deliver(self.add("x"), self.remove("x"), self.remove("y"), self.add("y"))
        assert host.sets.sets[self.foo] == {"y"}

    async def test_a_question_is_about_the_set_after_its_whole_batch(
        self, host: TagEngineHost
    ) -> None:
        host.sets.sets[self.foo] = {"old", "gone"}
        await host.deliver(self.add("new"), self.question(), self.remove("gone"), self.add("newer"))
        assert host.lines == [f"read {self.foo}", "update", "publish client-response:client"]
        assert told(host) == ["new", "newer", "old"]

    async def test_an_unknown_tag_has_no_ids(self, host: TagEngineHost) -> None:
        await host.deliver(self.question("never used"))
        assert len(answers(host)) == 1
        assert told(host) == []

    async def test_a_batch_is_one_read_then_one_update_then_the_answers(
        self, host: TagEngineHost
    ) -> None:
        host.sets.sets[self.foo] = {"old", *(f"gone{n}" for n in range(100))}
        adds = [self.add(f"new{n}") for n in range(100)]
        removes = [self.remove(f"gone{n}") for n in range(100)]
        await host.deliver(*adds, self.question(), *removes)
        assert host.lines == [f"read {self.foo}", "update", "publish client-response:client"]
        assert set(told(host)) == {"old", *(f"new{n}" for n in range(100))}
        assert host.sets.sets[self.foo] == set(told(host))

    async def test_each_client_is_answered_on_its_own_topic(self, host: TagEngineHost) -> None:
        await host.deliver(self.question(client="a"), self.question(client="b"))
        assert host.lines[0] == f"read {self.foo}"
        assert host.topics == ["client-response:a", "client-response:b"]

    async def test_an_answer_given_again_has_the_same_id(self, host: TagEngineHost) -> None:
        await host.deliver(self.question())
        await host.deliver(self.question())
        first, second = answers(host)
        assert first == second

    async def test_an_answer_larger_than_a_message_comes_in_parts_that_fit(
        self, host: TagEngineHost
    ) -> None:
        ids = {f"{number:036}" for number in range(1000)}
        host.sets.sets[self.foo] = ids
        asked = self.question()
        await host.deliver(asked)
        parts = answers(host)
        bodies = [message.body for _, burst in host.transport.published for message in burst]
        assert max(map(len, bodies)) <= host.transport.max_message_bytes
        assert [part.part for part in parts] == list(range(len(parts)))
        assert {part.parts for part in parts} == {len(parts)}
        assert {part.question_id for part in parts} == {asked.message_id}
        assert len({part.message_id for part in parts}) == len(parts) > 1
        assert told(host) == sorted(ids)

    async def test_a_store_that_is_away_lets_the_whole_batch_wait(
        self, host: TagEngineHost
    ) -> None:
        host.journal.failures["update"] = StorageUnavailable("away")
        with pytest.raises(StorageUnavailable):
            await host.deliver(self.add("x"), self.question())
        assert answers(host) == []

    async def test_a_tag_longer_than_any_key_is_kept_by_its_digest(
        self, host: TagEngineHost
    ) -> None:
        await host.deliver(self.add("x", "long" * 100), self.question("long" * 100))
        [key] = host.sets.sets
        assert len(key) <= 255
        assert told(host) == ["x"]


def answers(host: TagEngineHost) -> list[WorkflowIdsByTag | TaskIdsByTag]:
    """What clients were told, in its parts."""
    return [one for one in host.messages if isinstance(one, WorkflowIdsByTag | TaskIdsByTag)]


def told(host: TagEngineHost) -> list[str]:
    """The ids in what clients were told."""
    return [
        one
        for answer in answers(host)
        for one in (
            answer.workflow_ids if isinstance(answer, WorkflowIdsByTag) else answer.task_ids
        )
    ]
