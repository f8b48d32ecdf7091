"""Commands whose values may be negative numbers, which look like options."""

import difflib
import re
from collections.abc import Iterator
from typing import cast

import click

_NUMBER = re.compile(r"-\d")


class WithValues(click.Command):
    """A command that takes ``-5`` for a value; any other unknown option is refused as always."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See ``click.Command``."""
        options = args[: args.index("--")] if "--" in args else list(args)
        ctx.ignore_unknown_options = True
        rest = super().parse_args(ctx, args)
        for text in self._values(ctx):
            if text.startswith("-") and not _NUMBER.match(text) and text in options:
                known = [name for option in self.params for name in option.opts]
                similar = difflib.get_close_matches(text, known)
                raise click.NoSuchOption(text, possibilities=similar, ctx=ctx)
        return rest

    def _values(self, ctx: click.Context) -> Iterator[str]:
        for argument in self.params:
            if isinstance(argument, click.Argument):
                value = cast("str | tuple[str, ...] | None", ctx.params.get(argument.name or ""))
                yield from (value,) if isinstance(value, str) else value or ()
