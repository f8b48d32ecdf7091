"""A registered implementation, as a run needs it."""

from collections.abc import Mapping
from contextlib import suppress

from infinitic_common.decorators import check_mode_of, retry_of
from infinitic_common.implementation import MethodImplementation, WorkflowImplementation
from infinitic_task_executor._workflow.definition import WorkflowMethod
from infinitic_task_executor._workflow.location import location_of

_NO_PROPERTIES: Mapping[str, bytes] = {}


class ImplementedMethod:
    """A method of a registered class."""

    def __init__(self, cls: type, method: MethodImplementation) -> None:
        """Prepare the calls of a method of a class."""
        self.check_mode = check_mode_of(cls, method.python_name)
        self.retry = retry_of(cls, method.python_name)
        self.location = location_of(getattr(cls, method.python_name))
        self.encode_result = method.result.encode
        self._method = method

    def call(self, instance: object, arguments: tuple[bytes, ...]) -> object:
        """See ``WorkflowMethod``."""
        args, kwargs = self._method.decode_arguments(arguments)
        return self._method.bound_to(instance)(*args, **kwargs)


class ImplementedWorkflow:
    """A registered class; see ``WorkflowDefinition``."""

    def __init__(self, implementation: WorkflowImplementation) -> None:
        """Prepare the runs of a class."""
        self.version = implementation.version
        self.discarding_channels = implementation.discarding_channels
        self.create = implementation.new_instance
        self._implementation = implementation
        self._properties = implementation.properties
        self._methods: dict[str, ImplementedMethod] = {}
        # Only what an instance has in its own dictionary or in slots can be a property.
        self._has_slots = any(vars(cls).get("__slots__") for cls in implementation.cls.__mro__)

    def method(self, name: str) -> WorkflowMethod:
        """See ``WorkflowDefinition``."""
        known = self._methods.get(name)
        if known is None:
            method = self._implementation.method(name)
            known = ImplementedMethod(self._implementation.cls, method)
            self._methods[name] = known
        return known

    def properties_of(self, instance: object) -> Mapping[str, bytes]:
        """See ``WorkflowDefinition``."""
        if not self._has_slots and not vars(instance):
            return _NO_PROPERTIES
        properties = self._properties
        return {
            name: properties.codec(name).encode(value) for name, value in properties.of(instance)
        }

    def set_property(self, instance: object, name: str, data: bytes) -> None:
        """See ``WorkflowDefinition``."""
        setattr(instance, name, self._properties.codec(name).decode(data))

    def remove_property(self, instance: object, name: str) -> None:
        """See ``WorkflowDefinition``."""
        with suppress(AttributeError):
            delattr(instance, name)
