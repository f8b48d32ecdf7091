"""``${VARIABLE}``, ``${VARIABLE:-default}`` and ``{{path.in.config}}`` inside scalars.

They are filled in when a value is read, so what nobody reads needs no variable. A variable's own
text is never searched for further references; a default is: ``${HOST:-${DEFAULT_HOST}}``. The result
of an unquoted scalar is read again as an unquoted scalar: ``${PORT}`` can be a number,
``${PASSWORD:-}`` can be empty. ``$${`` stands for ``${``.
"""

import re
from collections.abc import Mapping

from attrs import evolve, frozen

from infinitic_common._configuration.nodes import Block, Node, Scalar, child, parts_of

_NESTED = r"\$\{(?:\$\{[^{}]*\}|[^{}])*\}|\{\{[^{}]*\}\}"
"""A reference in a default; the default of that one may hold variables, too."""

_REFERENCE = re.compile(
    r"(?P<escaped>\$\$\{)"
    r"|\$\{(?P<variable>[^{}]*?)(?::-(?P<default>(?:" + _NESTED + r"|[^}])*))?\}"
    r"|\{\{(?P<path>[^{}]*)\}\}",
)


class SubstitutionError(Exception):
    """A reference cannot be filled in."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


@frozen
class Substitution:
    """Fills in references.

    Attributes:
        root: The configuration that ``{{…}}`` refers to.
        environ: The variables that ``${…}`` refers to.
    """

    root: Block
    environ: Mapping[str, str]

    def fill(self, scalar: Scalar) -> Scalar:
        """Return the scalar with every reference replaced.

        Args:
            scalar: What was written.

        Raises:
            SubstitutionError: A variable is not set, or a path leads nowhere or to itself.
        """
        return self._fill(scalar, ())

    def _fill(self, scalar: Scalar, trail: tuple[str, ...]) -> Scalar:
        if "{" not in scalar.text:
            return scalar
        return evolve(scalar, text=self._replaced(scalar.text, trail))

    def _replaced(self, text: str, trail: tuple[str, ...]) -> str:
        return _REFERENCE.sub(lambda match: self._value(match, trail), text)

    def _value(self, match: re.Match[str], trail: tuple[str, ...]) -> str:
        if match["escaped"]:
            return "${"
        if match["path"] is not None:
            return self._referred(match["path"].strip(), trail)
        return self._variable(match["variable"].strip(), match["default"], trail)

    def _variable(self, name: str, default: str | None, trail: tuple[str, ...]) -> str:
        value = self.environ.get(name)
        if value is not None and (value or default is None):
            return value
        if default is not None:
            return self._replaced(default, trail)
        what = f"the environment variable '{name}' is not set"
        raise SubstitutionError(what, f"set it, or give a default: ${{{name}:-default}}")

    def _referred(self, path: str, trail: tuple[str, ...]) -> str:
        if path in trail:
            what = f"the reference {{{{{path}}}}} leads back to itself"
            raise SubstitutionError(what, "write the value out in one place")
        node = _find(self.root, path)
        if not isinstance(node, Scalar):
            what = f"the reference {{{{{path}}}}} leads to no single value"
            raise SubstitutionError(what, "give the full path of a key with one value")
        return self._fill(node, (*trail, path)).text


def _find(root: Block, path: str) -> Node | None:
    node: Node | None = root
    for part in parts_of(path):
        found = child(node, part)
        node = found[0] if found else None
    return None if node is root else node
