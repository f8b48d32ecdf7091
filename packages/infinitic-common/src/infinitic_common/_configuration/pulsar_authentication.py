"""The ways to authenticate to Pulsar."""

from typing import Annotated, Self

from attrs import field, frozen

from infinitic_common._configuration.checks import NotBlank
from infinitic_common._configuration.nodes import Block, Node, Scalar
from infinitic_common._configuration.reading import At, entry_place
from infinitic_common._configuration.setting import masked
from infinitic_common._configuration.settings import Settings, read_settings
from infinitic_common._nearest import suggestion

Text = Annotated[str, NotBlank()]


class PulsarAuthentication(Settings):
    """One way to authenticate, chosen by ``type``; without it by a key that no other way has."""

    __slots__ = ()

    @classmethod
    def from_node(cls, node: Node, at: At) -> Self:
        """See ``Readable``."""
        block = at.block(node)
        chosen = WAYS[_way(block, at)] if cls is PulsarAuthentication else cls
        rest = {key: entry for key, entry in block.entries.items() if key != "type"}
        # The base stands for all its ways here; each of them is asked for itself only.
        return read_settings(chosen, Block(rest, block.mark), at)  # type: ignore[return-value]


@frozen(kw_only=True)
class TokenAuthentication(PulsarAuthentication):
    """A token.

    Attributes:
        token: The token itself.
    """

    token: Text = field(repr=masked)


@frozen(kw_only=True)
class BasicAuthentication(PulsarAuthentication):
    """A user name and a password.

    Attributes:
        username: The user.
        password: The password.
    """

    username: Text
    password: Text = field(repr=masked)


@frozen(kw_only=True)
class TlsAuthentication(PulsarAuthentication):
    """A certificate, shown when a TLS connection is made; needs ``pulsar+ssl`` and ``https``.

    Attributes:
        tls_certificate_file_path: Where the certificate is, in PEM.
        tls_key_file_path: Where its private key is, in PEM.
    """

    tls_certificate_file_path: Text
    tls_key_file_path: Text


@frozen(kw_only=True)
class AthenzAuthentication(PulsarAuthentication):
    """Athenz.

    Attributes:
        tenant_domain: Domain of the tenant.
        tenant_service: Service of the tenant.
        provider_domain: Domain of the provider.
        private_key: Private key of the tenant, or where it is.
        key_id: Its id.
    """

    tenant_domain: Text
    tenant_service: Text
    provider_domain: Text
    private_key: Text = field(repr=masked)
    key_id: Text = "0"


@frozen(kw_only=True)
class SaslAuthentication(PulsarAuthentication):
    """SASL, with the fields that the original gives it.

    Attributes:
        tenant_domain: Domain of the tenant.
        tenant_service: Service of the tenant.
        provider_domain: Domain of the provider.
        private_key: Private key of the tenant, or where it is.
        key_id: Its id.
    """

    tenant_domain: Text
    tenant_service: Text
    provider_domain: Text
    private_key: Text = field(repr=masked)
    key_id: Text = "0"


@frozen(kw_only=True)
class OAuth2Authentication(PulsarAuthentication):
    """OAuth 2, client credentials.

    Attributes:
        issuer_url: Address of the issuer.
        private_key: Where the credentials file is, as a URL.
        audience: For whom the token is; None where the issuer knows.
        scope: What the token is for; None for all that the credentials allow.
    """

    issuer_url: Text
    private_key: Text = field(repr=masked)
    audience: Text | None = None
    scope: Text | None = None


WAYS: dict[str, type[PulsarAuthentication]] = {
    "token": TokenAuthentication,
    "basic": BasicAuthentication,
    "tls": TlsAuthentication,
    "oauth2": OAuth2Authentication,
    "athenz": AthenzAuthentication,
    "sasl": SaslAuthentication,
}

_TELLING_KEYS = {
    "token": "token",
    "username": "basic",
    "tlscertificatefilepath": "tls",
    "issuerurl": "oauth2",
}


def _way(block: Block, at: At) -> str:
    entry = block.entries.get("type")
    if entry is None:
        return _way_by_keys(block, at)
    place = entry_place(entry, at)
    if not isinstance(entry.node, Scalar):
        place.refuse("must be text")
    way = place.filled(entry.node).text
    if way.lower() not in WAYS:
        place.refuse(f"unknown way to authenticate '{way}'", suggestion(way, WAYS))
    return way.lower()


def _way_by_keys(block: Block, at: At) -> str:
    way = next((way for key, way in _TELLING_KEYS.items() if key in block.entries), None)
    if way is None:
        remedy = f"add `type:` with one of {', '.join(WAYS)}"
        at.refuse("does not say how to authenticate", remedy)
    return way
