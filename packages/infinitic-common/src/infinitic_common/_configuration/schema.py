"""A JSON Schema of the configuration, so that editors complete and check YAML files.

It knows the canonical camelCase keys and their aliases. The loader accepts more: other spellings
of a key, and what cannot be told without substituting references.
Source of the format: JSON Schema 2020-12.
"""

import inspect
import re
from collections.abc import Iterable, Mapping

from infinitic_common._configuration.choice import Choice
from infinitic_common._configuration.entries import ServiceConfiguration, WorkflowConfiguration
from infinitic_common._configuration.executors import (
    ServiceExecutorConfiguration,
    WorkflowExecutorConfiguration,
)
from infinitic_common._configuration.pulsar import PulsarClientConfiguration
from infinitic_common._configuration.pulsar_authentication import WAYS, PulsarAuthentication
from infinitic_common._configuration.setting import Setting, settings_of
from infinitic_common._configuration.settings import Settings
from infinitic_common._configuration.shapes import Shape
from infinitic_common._configuration.storage import STORAGE_CHOICE, StorageConfiguration
from infinitic_common._configuration.transport import TRANSPORT_CHOICE, TransportConfiguration
from infinitic_common._configuration.worker import WorkerConfiguration

Schema = dict[str, object]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Schema = {"type": "string", "pattern": r"\$\{|\{\{"}
_TYPES: Mapping[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_CHOICES: Mapping[type[Settings], Choice] = {
    TransportConfiguration: TRANSPORT_CHOICE,
    StorageConfiguration: STORAGE_CHOICE,
}
_INNER: Mapping[type[Settings], type[Settings]] = {
    ServiceConfiguration: ServiceExecutorConfiguration,
    WorkflowConfiguration: WorkflowExecutorConfiguration,
}


def json_schema() -> Schema:
    """The schema of a worker's file, as plain data."""
    definitions: dict[str, Schema] = {}
    root = _Definitions(definitions).block(WorkerConfiguration)
    return {
        "$schema": _DIALECT,
        "title": "Configuration of an Infinitic worker",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


class _Definitions:
    """Collects the schema of each class once, by the name of the class."""

    def __init__(self, definitions: dict[str, Schema]) -> None:
        self._definitions = definitions

    def reference(self, cls: type[Settings]) -> Schema:
        """Where the schema of a class stands."""
        if cls.__name__ not in self._definitions:
            self._definitions[cls.__name__] = {}
            self._definitions[cls.__name__] = self._definition(cls)
        return {"$ref": f"#/$defs/{cls.__name__}"}

    def _definition(self, cls: type[Settings]) -> Schema:
        if cls in _CHOICES:
            return self._choice(cls, _CHOICES[cls])
        if cls is PulsarAuthentication:
            return {"anyOf": [self._way(name, way) for name, way in WAYS.items()]}
        if cls is PulsarClientConfiguration:  # where the original has it
            return self.block(cls, {"authentication": self.reference(PulsarAuthentication)})
        return self.block(cls)

    def block(self, cls: type[Settings], also: Mapping[str, Schema] | None = None) -> Schema:
        """The schema of a block of keys; an empty one means all defaults."""
        settings = settings_of(cls)
        properties = self._properties(cls) | dict(also or {})
        if inner := _INNER.get(cls):
            properties |= self._properties(inner)
        required = [setting.key for setting in settings if setting.required]
        schema: Schema = {
            "description": _summary(cls),
            "type": "object" if required else ["object", "null"],
            "properties": properties | dict.fromkeys(cls.IGNORED_KEYS, _ignored()),
            "additionalProperties": False,
        }
        return schema | ({"required": required} if required else {})

    def _properties(
        self, cls: type[Settings], but: frozenset[str] = frozenset()
    ) -> dict[str, Schema]:
        described = _descriptions(cls)
        more: dict[str, Schema] = {key: {"type": "string"} for key in cls.MORE_KEYS}
        return more | {
            key: self._value(setting, described.get(setting.name, ""))
            for setting in settings_of(cls)
            if setting.name not in but
            for key in setting.keys
        }

    def _value(self, setting: Setting, description: str) -> Schema:
        schema = self._shape(setting.shape)
        if setting.shape.nullable or setting.shape.unsettable or not setting.required:
            schema = _or_nothing(schema)
        told: Schema = {"description": description}
        return told | schema if description else schema

    def _shape(self, shape: Shape) -> Schema:
        if issubclass(shape.kind, Settings):
            return self.reference(shape.kind)
        if shape.choices:
            fixed: Schema = {"enum": list(shape.choices)}
            return {"anyOf": [fixed, _in_any_case(shape.choices), _REFERENCE]}
        if shape.is_scalar:
            return _scalar(shape)
        if shape.kind is tuple:
            return {"type": "array", "items": self._shape(shape.item or Shape())}
        if shape.kind is not object:
            return _ANY_BLOCK
        schema: Schema = {}
        for check in shape.checks:
            schema |= check.in_schema()
        return schema

    def _choice(self, cls: type[Settings], choice: Choice) -> Schema:
        others = self._properties(cls, but=frozenset({"kind", "options"}))
        word: Schema = {"type": "string"}
        blocks: list[Schema] = [
            {
                "type": "object",
                "properties": {name: self.reference(options), **others},
                "required": [name],
                "additionalProperties": False,
            }
            for name, options in choice.known.items()
        ]
        others_of_wheels: Schema = {
            "type": "object",
            "propertyNames": {"not": {"enum": list(choice.known)}},
            "minProperties": 1,
        }
        return {
            "description": _summary(cls),
            "anyOf": [word, *blocks, others_of_wheels],
        }

    def _way(self, name: str, way: type[Settings]) -> Schema:
        return self.block(way, {"type": {"const": name}})


_ANY_BLOCK: Schema = {"type": "object"}


def _in_any_case(choices: Iterable[str]) -> Schema:
    """Texts as the loader takes them: in any case, with dashes for underscores or neither."""
    words = ("".join(map(_either, choice)) for choice in choices)
    return {"type": "string", "pattern": f"^({'|'.join(words)})$"}


def _either(character: str) -> str:
    if character.isalpha():  # JSON Schema knows no flag for it
        return f"[{character.lower()}{character.upper()}]"
    return "[-_]?" if character in "-_" else re.escape(character)


def _scalar(shape: Shape) -> Schema:
    schema: Schema = {"type": _TYPES[shape.kind]}
    for check in shape.checks:
        schema |= check.in_schema()
    return schema if shape.kind is str else {"anyOf": [schema, _REFERENCE]}


def _or_nothing(schema: Schema) -> Schema:
    nothing: Schema = {"type": "null"}
    either: list[Schema] = [schema, nothing]
    return {"anyOf": either}


def _ignored() -> Schema:
    return {"description": "Accepted without effect."}


def _summary(cls: type) -> str:
    return (inspect.getdoc(cls) or "").partition("\n")[0]


def _descriptions(cls: type) -> dict[str, str]:
    """What the docstrings of a class and its parents say of each attribute."""
    found: dict[str, str] = {}
    for one in reversed(cls.__mro__):
        _, _, attributes = inspect.cleandoc(one.__doc__ or "").partition("Attributes:\n")
        name = ""
        for line in attributes.splitlines():
            begins = re.match(r" {4}(\w+): (.*)", line)
            if begins:
                name = begins[1]
                found[name] = begins[2]
            elif line.startswith(" " * 8) and name:
                found[name] += " " + line.strip()
            else:
                name = ""
    return found
