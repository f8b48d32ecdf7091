"""The properties of one instance: set from snapshots where they differ, read at the end of a task."""

from collections.abc import Mapping

from infinitic_common.serialization import content_hash
from infinitic_task_executor._workflow.definition import WorkflowDefinition
from infinitic_task_executor._workflow.seen import Seen

_NO_HASHES: Mapping[str, bytes] = {}


class Properties:
    """What the engine knows of the properties of a run's instance.

    An object is replaced only when its content differs from the snapshot, in live runs and in
    replay, so that aliases of an unchanged object stay aliases in both.
    """

    __slots__ = ("_current", "_definition", "_instance", "_known")

    def __init__(self, definition: WorkflowDefinition, instance: object) -> None:
        """Nothing is known yet of this instance."""
        self._definition = definition
        self._instance = instance
        self._known = _NO_HASHES
        self._current: Mapping[str, bytes] | None = None

    def resume(self, seen: Seen) -> None:
        """Bring the instance to the snapshot in force."""
        snapshot = seen.snapshot
        if snapshot is None:
            return
        known, self._known = self._known, snapshot
        current = self._current if self._current is not None else self._hashes()
        self._current = None
        for name, digest in snapshot.items():
            if current.get(name) != digest:
                self._definition.set_property(self._instance, name, seen.values[digest])
        for name in known:
            if name not in snapshot:
                self._definition.remove_property(self._instance, name)

    def changes(self) -> tuple[dict[str, bytes], tuple[str, ...]]:
        """Encoded values that differ from what the engine knows, and names that are gone."""
        values = self._definition.properties_of(self._instance)
        known = self._known
        if not values and not known:
            return {}, ()
        self._current = current = {name: content_hash(data) for name, data in values.items()}
        changed = {
            name: values[name] for name, digest in current.items() if known.get(name) != digest
        }
        return changed, tuple(name for name in known if name not in current)

    def _hashes(self) -> Mapping[str, bytes]:
        values = self._definition.properties_of(self._instance)
        return {name: content_hash(data) for name, data in values.items()}
