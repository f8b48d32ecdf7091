"""Answers that come in several parts, put together."""

import attrs

from infinitic_common.messages import TaskIdsByTag, WorkflowIdsByTag

Partial = WorkflowIdsByTag | TaskIdsByTag


class Parts:
    """The parts of the answers to one request that have arrived, in any order, perhaps twice."""

    def __init__(self) -> None:
        self._by_question: dict[str, dict[int, tuple[str, ...]]] = {}

    def add(self, answer: Partial) -> Partial | None:
        """Keep a part; the whole answer when none is missing.

        Parts of answers to different messages do not mix: the ids have changed in between.
        """
        if answer.parts == 1:
            return answer
        parts = self._by_question.setdefault(answer.question_id, {})
        parts[answer.part] = _ids(answer)
        if len(parts) < answer.parts:
            return None
        ids = tuple(one for part in sorted(parts) for one in parts[part])
        return _whole(answer, ids)


def _ids(answer: Partial) -> tuple[str, ...]:
    return answer.workflow_ids if isinstance(answer, WorkflowIdsByTag) else answer.task_ids


def _whole(answer: Partial, ids: tuple[str, ...]) -> Partial:
    if isinstance(answer, WorkflowIdsByTag):
        return attrs.evolve(answer, workflow_ids=ids, part=0, parts=1)
    return attrs.evolve(answer, task_ids=ids, part=0, parts=1)
