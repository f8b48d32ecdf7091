"""The administration of Pulsar, over its REST API."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum, auto
from http import HTTPStatus
from typing import cast

import attrs
import httpx

from infinitic_common.exceptions import TransportError, TransportUnavailable

Json = object
"""What JSON can say."""

Credentials = Callable[[], Awaitable[Mapping[str, str]]]
"""Gives the headers that authenticate a request."""

_ATTEMPTS = 6
_FIRST_WAIT = 0.05
_LONGEST_REASON = 300
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Answer(Enum):
    """How the administration answered a request that made sense."""

    DONE = auto()
    EXISTS = auto()
    MISSING = auto()
    REFUSED = auto()


@attrs.frozen
class Reply:
    """An answer with what came along.

    Attributes:
        answer: Its kind.
        body: The decoded JSON of what was asked for; None otherwise.
        reason: The words of the administration, when it did not do what was asked.
    """

    answer: Answer
    body: Json = None
    reason: str = ""


class _Again(Exception):  # noqa: N818 -- not an error: it never leaves this module
    """Another process changed the same thing at the same time, or the broker is busy."""


async def without_credentials() -> Mapping[str, str]:
    """No headers."""
    return {}


class Admin:
    """Asks the administration, again when several processes race.

    Args:
        url: Where it is, as ``http://host:8080``.
        http: Asks over HTTP.
        credentials: Authenticates.
    """

    def __init__(
        self, url: str, http: httpx.AsyncClient, credentials: Credentials = without_credentials
    ) -> None:
        self._url = f"{url.rstrip('/')}/admin/v2"
        self._http = http
        self._credentials = credentials

    async def get(self, path: str) -> Reply:
        """Ask for something: done, missing or refused."""
        return await self._ask("GET", path)

    async def put(self, path: str, body: Json = None) -> Reply:
        """Make something: done, exists, missing (what it belongs to) or refused."""
        return await self._ask("PUT", path, body)

    async def post(self, path: str, body: Json = None) -> Reply:
        """Set something: done, missing or refused."""
        return await self._ask("POST", path, body)

    async def delete(self, path: str) -> Reply:
        """Remove something: done, missing or refused."""
        return await self._ask("DELETE", path)

    async def close(self) -> None:
        """Disconnect."""
        await self._http.aclose()

    async def _ask(self, method: str, path: str, body: Json = None) -> Reply:
        wait = _FIRST_WAIT
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._ask_once(method, path, body)
            except _Again:
                # Those who race wait differently long, or they would meet again.
                await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311
                wait *= 2
        try:
            return await self._ask_once(method, path, body)
        except _Again as error:
            msg = (
                f"{method} {path} on the administration of Pulsar answers again and again: {error}"
            )
            raise TransportUnavailable(msg) from None

    async def _ask_once(self, method: str, path: str, body: Json) -> Reply:
        headers = await self._credentials()
        content = None if body is None else json.dumps(body).encode()
        try:
            response = await self._http.request(
                method,
                f"{self._url}/{path}",
                content=content,
                headers={"Content-Type": "application/json", **headers},
            )
        except httpx.HTTPError as error:
            msg = (
                f"the administration of Pulsar does not answer at {self._url} "
                f"({type(error).__name__}: {error}); check webServiceUrl"
            )
            raise TransportUnavailable(msg) from error
        if headers and response.status_code == HTTPStatus.UNAUTHORIZED:
            msg = (
                f"the administration of Pulsar at {self._url} does not accept the configured "
                f"authentication ({_reason(response)}): check `authentication`"
            )
            raise TransportError(msg)
        return _reply(method, path, response)


def _reply(method: str, path: str, response: httpx.Response) -> Reply:
    status, reason = response.status_code, _reason(response)
    if response.is_success:
        return Reply(Answer.DONE, response.json() if response.content else None)
    if status == HTTPStatus.CONFLICT and "exist" in reason.lower():
        return Reply(Answer.EXISTS, reason=reason)
    # Of two processes that make the same thing one is told of a conflict or, depending on the
    # thing, of an internal error or of something that is busy.
    busy = status == HTTPStatus.PRECONDITION_FAILED and "busy" in reason.lower()
    if status == HTTPStatus.CONFLICT or busy or response.is_server_error:
        raise _Again(status, reason)
    if status == HTTPStatus.NOT_FOUND:
        return Reply(Answer.MISSING, reason=reason)
    if status in _REFUSALS:
        return Reply(Answer.REFUSED, reason=reason)
    msg = f"{method} {path} on the administration of Pulsar answers {status}: {reason}"
    raise TransportError(msg)


def _reason(response: httpx.Response) -> str:
    try:
        body = cast("object", response.json())
    except ValueError:
        body = None
    if isinstance(body, dict):
        return str(cast("dict[str, object]", body).get("reason", ""))
    # A stack trace says in its first lines what there is to say.
    return " ".join(response.text.split())[:_LONGEST_REASON]
