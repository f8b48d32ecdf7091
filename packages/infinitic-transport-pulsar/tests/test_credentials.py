import base64
import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from infinitic_common.configuration import OAuth2Authentication, TokenAuthentication
from infinitic_common.exceptions import TransportError, TransportUnavailable
from infinitic_transport_pulsar._credentials import admin_credentials

SECRET = json.dumps({"client_id": "me", "client_secret": "hush"})


class Issuer(ThreadingHTTPServer):
    """A small issuer of OAuth 2 tokens, each with a number."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Requests)
        self.asked: list[dict[str, list[str]]] = []
        self.lifetime = 3600

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Requests(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        self._answer({"token_endpoint": f"{self.server.url}/token"})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append(form)
        number = len(self.server.asked)
        self._answer({"access_token": f"token-{number}", "expires_in": self.server.lifetime})

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        thread = threading.Thread(target=issuer.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield issuer
        issuer.shutdown()
        thread.join()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as http:
        yield http


def oauth2(issuer: str, key: str) -> OAuth2Authentication:
    return OAuth2Authentication(issuer_url=issuer, private_key=key, audience="pulsar")


def in_url(secret: str) -> str:
    return "data:application/json;base64," + base64.b64encode(secret.encode()).decode()


async def test_a_configured_token_authenticates(http: httpx.AsyncClient) -> None:
    credentials = admin_credentials(TokenAuthentication(token="abc"), http)  # noqa: S106 - not a real one
    assert await credentials() == {"Authorization": "Bearer abc"}


async def test_nothing_configured_sends_nothing(http: httpx.AsyncClient) -> None:
    assert await admin_credentials(None, http)() == {}


async def test_a_token_is_fetched_once_while_it_is_valid(
    issuer: Issuer, http: httpx.AsyncClient
) -> None:
    credentials = admin_credentials(oauth2(issuer.url, in_url(SECRET)), http)
    assert await credentials() == await credentials() == {"Authorization": "Bearer token-1"}
    assert issuer.asked == [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["me"],
            "client_secret": ["hush"],
            "audience": ["pulsar"],
        }
    ]


async def test_a_token_about_to_expire_is_replaced(issuer: Issuer, http: httpx.AsyncClient) -> None:
    issuer.lifetime = 10
    credentials = admin_credentials(oauth2(issuer.url, in_url(SECRET)), http)
    await credentials()
    assert await credentials() == {"Authorization": "Bearer token-2"}


async def test_credentials_are_read_from_a_file(
    issuer: Issuer, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    file = tmp_path / "my key.json"
    file.write_text(SECRET)
    for key in (str(file), file.as_uri()):
        assert await admin_credentials(oauth2(issuer.url, key), http)()


async def test_missing_credentials_are_an_error_that_names_the_key(
    issuer: Issuer, http: httpx.AsyncClient
) -> None:
    with pytest.raises(TransportError, match="privateKey"):
        await admin_credentials(oauth2(issuer.url, "/nowhere/key.json"), http)()


async def test_an_issuer_that_does_not_answer_may_answer_later(http: httpx.AsyncClient) -> None:
    credentials = admin_credentials(oauth2("http://127.0.0.1:1", in_url(SECRET)), http)
    with pytest.raises(TransportUnavailable, match="no token"):
        await credentials()
