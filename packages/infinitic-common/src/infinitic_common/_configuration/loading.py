"""From files, resources and texts to a checked configuration."""

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from infinitic_common._configuration.merging import merge_all, override
from infinitic_common._configuration.nodes import Block
from infinitic_common._configuration.parsing import parse
from infinitic_common._configuration.problems import ConfigurationError, Problem
from infinitic_common._configuration.reading import At, Gathering
from infinitic_common._configuration.settings import Settings
from infinitic_common._configuration.substitution import Substitution
from infinitic_common._configuration.worker import ClientConfiguration, WorkerConfiguration

DEFAULT_FILES_VARIABLE = "INFINITIC_CONFIG"
T = TypeVar("T", bound=Settings)


@frozen
class Source:
    """A YAML document with a name for messages.

    Attributes:
        name: File path or the like.
        text: The document.
    """

    name: str
    text: str


def file_source(path: str | os.PathLike[str]) -> Source:
    """Read a file.

    Args:
        path: The file, in UTF-8.

    Raises:
        ConfigurationError: It cannot be read.
    """
    try:
        return Source(os.fspath(path), Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(os.fspath(path), error, "check the path") from error


def resource_source(name: str) -> Source:
    """Read a file that is shipped inside an importable package.

    Args:
        name: ``package.subpackage:folder/file.yml``, or ``package/folder/file.yml``.

    Raises:
        ConfigurationError: It cannot be read.
    """
    separator = ":" if ":" in name else "/"
    package, _, path = name.strip("/").partition(separator)
    remedy = "write it as `package:file.yml`"
    if not path:
        raise ConfigurationError([Problem("", f"the resource '{name}' names no package", remedy)])
    try:
        return Source(name, files(package).joinpath(path).read_text(encoding="utf-8"))
    except (OSError, ImportError, UnicodeDecodeError, TypeError) as error:
        raise _unreadable(name, error, remedy) from error


def string_source(text: str, *, name: str = "text") -> Source:
    """Take a text.

    Args:
        text: The document.
        name: Its name in messages.
    """
    return Source(name, text)


def load_configuration(
    cls: type[T],
    *sources: Source | str | os.PathLike[str],
    environ: Mapping[str, str] | None = None,
) -> T:
    """Load a configuration.

    Several sources are merged key by key, the first one given wins; lists are not merged. For the
    roots, ``WorkerConfiguration`` and ``ClientConfiguration``, variables that begin with
    ``INFINITIC_CONFIG_OVERRIDE_`` or ``config.override.`` come before all sources.

    Args:
        cls: What to load.
        sources: File paths, or what ``file_source``, ``resource_source`` and ``string_source``
            return. Without any, the files that the variable ``INFINITIC_CONFIG`` lists.
        environ: The environment variables; the process's own by default.

    Raises:
        ConfigurationError: Lists every problem with its path, file, line and remedy.
    """
    environ = os.environ if environ is None else environ
    block = _merged(sources or _default_files(environ))
    if issubclass(cls, WorkerConfiguration | ClientConfiguration):
        block = override(block, environ)
    return cls.from_node(block, At(Substitution(block, environ), "", block.mark))


def _default_files(environ: Mapping[str, str]) -> tuple[str, ...]:
    paths = tuple(filter(None, environ.get(DEFAULT_FILES_VARIABLE, "").split(os.pathsep)))
    if not paths:
        remedy = f"give one, or set {DEFAULT_FILES_VARIABLE} to the path of a file"
        raise ConfigurationError([Problem("", "no configuration source is given", remedy)])
    return paths


def _merged(sources: tuple[Source | str | os.PathLike[str], ...]) -> Block:
    gathering, blocks = Gathering(), list[Block]()
    for given in sources:
        with gathering:
            source = given if isinstance(given, Source) else file_source(given)
            blocks.append(parse(source.text, source.name))
    gathering.finish()
    return merge_all(blocks)


def _unreadable(name: str, error: Exception, remedy: str) -> ConfigurationError:
    if isinstance(error, UnicodeDecodeError):
        remedy = "save it as UTF-8"
    return ConfigurationError([Problem("", f"'{name}' cannot be read: {error}", remedy)])
