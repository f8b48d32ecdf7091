"""A broker that lets in only those who authenticate, in each of the ways it knows."""

import base64
import hashlib
import hmac
import json
import secrets
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import attrs
from reliability.private_servers import private_servers
from service_control._process import free_port

TENANT = "guarded"
ADMIN, WORKER = "admin", "worker"
_PROVIDERS = "org.apache.pulsar.broker.authentication.AuthenticationProvider"


@attrs.frozen
class GuardedBroker:
    """Where it is, and what opens it.

    Attributes:
        folder: Holds certificates and keys.
        urls: Its addresses, for messages and for administration, without and with TLS.
        issuer: Gives tokens by OAuth 2.
        password: Of the user ``admin``.
        key: Signs tokens.
    """

    folder: Path
    urls: tuple[str, str]
    tls_urls: tuple[str, str]
    issuer: str
    password: str
    key: bytes

    def token(self, role: str) -> str:
        """A token of a role."""
        return signed_token(role, self.key)

    def transport(
        self, authentication: str, namespace: str = "guarded", *, tls: bool = False
    ) -> str:
        """The YAML of a transport that authenticates so."""
        broker, web = self.tls_urls if tls else self.urls
        trust = f"    client: {{tlsTrustCertsFilePath: {self.folder / 'ca.pem'}}}\n" if tls else ""
        return (
            f"transport:\n  pulsar:\n    brokerServiceUrl: {broker}\n    webServiceUrl: {web}\n"
            f"    tenant: {TENANT}\n    namespace: {namespace}\n    partitions: 2\n{trust}"
            f"    authentication: {authentication}\n"
        )


def signed_token(role: str, key: bytes) -> str:
    """A JSON Web Token (RFC 7519) by HMAC with SHA-256."""
    parts = [_base64({"alg": "HS256", "typ": "JWT"}), _base64({"sub": role})]
    signature = hmac.new(key, ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=").decode()])


@contextmanager
def guarded_broker(folder: Path) -> Generator[GuardedBroker]:
    """Run one during the block, with its certificates in a folder."""
    key, password = secrets.token_bytes(32), secrets.token_urlsafe(12)
    _make_certificates(folder)
    (folder / "passwords").write_text(f"{ADMIN}:{_openssl('passwd', '-apr1', password)}\n")
    tls_ports = free_port(6651), free_port(8443)
    with _issuer(key) as issuer:
        settings = _settings(folder, key, tls_ports)
        with private_servers("pulsar", pulsar=settings) as servers:
            yield GuardedBroker(
                folder=folder,
                urls=(
                    servers.urls["INFINITIC_PULSAR_BROKER_URL"],
                    servers.urls["INFINITIC_PULSAR_WEB_URL"],
                ),
                tls_urls=(
                    f"pulsar+ssl://127.0.0.1:{tls_ports[0]}",
                    f"https://127.0.0.1:{tls_ports[1]}",
                ),
                issuer=issuer,
                password=password,
                key=key,
            )


def _settings(folder: Path, key: bytes, tls_ports: tuple[int, int]) -> dict[str, str]:
    return {
        "authenticationEnabled": "true",
        "authenticationProviders": ",".join(_PROVIDERS + way for way in ("Token", "Basic", "Tls")),
        "authorizationEnabled": "true",
        "superUserRoles": ADMIN,
        "tokenSecretKey": f"data:;base64,{base64.b64encode(key).decode()}",
        "basicAuthConf": (folder / "passwords").as_uri(),
        "brokerClientAuthenticationPlugin": "org.apache.pulsar.client.impl.auth.AuthenticationToken",
        "brokerClientAuthenticationParameters": f"token:{signed_token(ADMIN, key)}",
        "brokerServicePortTls": str(tls_ports[0]),
        "webServicePortTls": str(tls_ports[1]),
        "tlsCertificateFilePath": str(folder / "broker.pem"),
        "tlsKeyFilePath": str(folder / "broker.key"),
        "tlsTrustCertsFilePath": str(folder / "ca.pem"),
        # Whoever shows no certificate may authenticate in another way.
        "tlsRequireTrustedClientCertOnConnect": "false",
    }


def _make_certificates(folder: Path) -> None:
    authority = ("-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.pem"))
    new = ("req", "-newkey", "rsa:2048", "-nodes")
    _openssl(*new, "-x509", "-days", "2", "-subj", "/CN=authority", *authority)
    extension = folder / "extension"
    extension.write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("broker", ADMIN):
        request = str(folder / f"{name}.csr")
        key = folder / f"{name}.key"
        _openssl(*new, "-subj", f"/CN={name}", "-keyout", str(key), "-out", request)
        signer = ("-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key"))
        out = ("-days", "2", "-extfile", str(extension), "-out", str(folder / f"{name}.pem"))
        _openssl("x509", "-req", "-in", request, *signer, "-CAcreateserial", *out)


def _openssl(*words: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own command
        ["openssl", *words],  # noqa: S607 - of this machine
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@contextmanager
def _issuer(key: bytes) -> Generator[str]:
    class Requests(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"token_endpoint": f"{url}/token"})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer({"access_token": signed_token(ADMIN, key), "expires_in": 3600})

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, document: object) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Requests) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield url
        server.shutdown()
        thread.join()


def _base64(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
