"""How to authenticate, to the broker and to its administration."""

import base64
import json
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

import attrs
import certifi
import httpx

from infinitic_common.configuration import (
    AthenzAuthentication,
    BasicAuthentication,
    OAuth2Authentication,
    PulsarAuthentication,
    PulsarConfiguration,
    TlsAuthentication,
    TokenAuthentication,
)
from infinitic_common.exceptions import TransportError, TransportUnavailable
from infinitic_transport_pulsar._admin import Credentials, without_credentials
from infinitic_transport_pulsar._native import (
    NativeAuthentication,
    athenz_authentication,
    basic_authentication,
    oauth2_authentication,
    tls_authentication,
    token_authentication,
)

_EARLY_SECONDS = 30.0
"""A token is renewed that long before it expires."""


def native_authentication(authentication: PulsarAuthentication) -> NativeAuthentication:
    """How the client library authenticates to the broker.

    Raises:
        TransportError: It does not know that way.
    """
    if isinstance(authentication, TokenAuthentication):
        return token_authentication(authentication.token)
    if isinstance(authentication, BasicAuthentication):
        return basic_authentication(authentication.username, authentication.password, "basic")
    if isinstance(authentication, TlsAuthentication):
        return tls_authentication(
            authentication.tls_certificate_file_path, authentication.tls_key_file_path
        )
    if isinstance(authentication, OAuth2Authentication):
        return oauth2_authentication(json.dumps(_given(authentication)))
    if isinstance(authentication, AthenzAuthentication):
        return athenz_authentication(json.dumps(_camel_case(attrs.asdict(authentication))))
    msg = (
        f"{type(authentication).__name__} is not known to the Python client of Pulsar; "
        "authenticate by `type:` token, basic, tls, oauth2 or athenz"
    )
    raise TransportError(msg)


def admin_tls(configuration: PulsarConfiguration) -> ssl.SSLContext:
    """How connections to the administration are secured, and what they show of us.

    Raises:
        TransportError: A configured certificate or key cannot be read.
    """
    settings, authentication = configuration.client, configuration.authentication
    certificate, key = settings.tls_certificate_file_path, settings.tls_key_file_path
    if isinstance(authentication, TlsAuthentication):
        certificate, key = (
            authentication.tls_certificate_file_path,
            authentication.tls_key_file_path,
        )
    try:
        context = ssl.create_default_context(
            cafile=settings.tls_trust_certs_file_path or certifi.where()
        )
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        files = settings.tls_trust_certs_file_path, certificate, key
        named = ", ".join(file for file in files if file is not None)
        msg = f"TLS cannot be set up with {named}: {error}; these must be files in PEM"
        raise TransportError(msg) from error
    if settings.allow_tls_insecure_connection or settings.enable_tls_hostname_verification is False:
        context.check_hostname = False
    if settings.allow_tls_insecure_connection:
        context.verify_mode = ssl.CERT_NONE
    return context


def admin_credentials(
    authentication: PulsarAuthentication | None, http: httpx.AsyncClient
) -> Credentials:
    """How requests to the administration authenticate.

    A certificate is shown by the connection itself; with Athenz they do not authenticate.

    Args:
        authentication: As configured.
        http: Fetches tokens.
    """
    if isinstance(authentication, TokenAuthentication):
        return _bearer(authentication.token)
    if isinstance(authentication, BasicAuthentication):
        return _basic(authentication)
    if isinstance(authentication, OAuth2Authentication):
        return OAuth2Tokens(authentication, http)
    return without_credentials


class OAuth2Tokens:
    """Tokens by client credentials (RFC 6749, section 4.4), fetched when the last one expires.

    Args:
        authentication: Where tokens come from, for whom they are, and the client's secret.
        http: Fetches them.
    """

    def __init__(self, authentication: OAuth2Authentication, http: httpx.AsyncClient) -> None:
        self._authentication = authentication
        self._http = http
        self._token = ""
        self._expires = 0.0

    async def __call__(self) -> Mapping[str, str]:
        """The header that authenticates a request.

        Raises:
            TransportUnavailable: The issuer does not answer.
            TransportError: There are no readable credentials.
        """
        if time.monotonic() >= self._expires:
            await self._fetch()
        return {"Authorization": f"Bearer {self._token}"}

    async def _fetch(self) -> None:
        issuer, secret = self._authentication.issuer_url, _secret(self._authentication.private_key)
        form = {
            "grant_type": "client_credentials",
            "client_id": secret.get("client_id", ""),
            "client_secret": secret.get("client_secret", ""),
            "audience": self._authentication.audience,
            "scope": self._authentication.scope,
        }
        form = {name: value for name, value in form.items() if value is not None}
        try:
            discovery = await self._http.get(
                f"{issuer.rstrip('/')}/.well-known/openid-configuration"
            )
            endpoint = str(_document(discovery)["token_endpoint"])
            token = _document(await self._http.post(endpoint, data=form))
        except (httpx.HTTPError, KeyError) as error:
            msg = f"no token for the administration of Pulsar from {issuer}: {error!r}"
            raise TransportUnavailable(msg) from error
        lifetime = float(str(token.get("expires_in", 3600)))
        self._token = str(token.get("access_token", ""))
        self._expires = time.monotonic() + max(0.0, lifetime - _EARLY_SECONDS)


def _bearer(token: str) -> Callable[[], Awaitable[Mapping[str, str]]]:
    async def headers() -> Mapping[str, str]:
        return {"Authorization": f"Bearer {token}"}

    return headers


def _basic(authentication: BasicAuthentication) -> Callable[[], Awaitable[Mapping[str, str]]]:
    pair = f"{authentication.username}:{authentication.password}".encode()
    value = f"Basic {base64.b64encode(pair).decode()}"

    async def headers() -> Mapping[str, str]:
        return {"Authorization": value}

    return headers


def _given(settings: attrs.AttrsInstance) -> dict[str, object]:
    return {name: value for name, value in attrs.asdict(settings).items() if value is not None}


def _document(response: httpx.Response) -> Mapping[str, object]:
    response.raise_for_status()
    return cast("Mapping[str, object]", response.json())


def _secret(url: str) -> Mapping[str, str]:
    """The credentials at a path, a ``file:`` URL or in a ``data:`` URL with base64."""
    try:
        if url.startswith("data:"):
            text = base64.b64decode(url.partition(",")[2]).decode()
        else:
            text = Path(unquote(urlsplit(url).path)).read_text(encoding="utf-8")
        return cast("Mapping[str, str]", json.loads(text))
    except (OSError, ValueError) as error:
        msg = f"no readable OAuth2 credentials at the configured privateKey: {error}"
        raise TransportError(msg) from error


def _camel_case(fields: Mapping[str, object]) -> dict[str, object]:
    return {_camel(name): value for name, value in fields.items()}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
