"""Failures of the client library and of the administration, in the framework's words."""

from infinitic_common.exceptions import (
    InfrastructureError,
    PayloadTooLarge,
    TransportError,
    TransportUnavailable,
)

_TOPIC_IS_GONE = "TopicNotFound"
_TOO_LARGE = "MessageTooBig"

_LASTING = frozenset(
    {
        "AuthenticationError",
        "AuthorizationError",
        "CryptoError",
        "ErrorGettingAuthenticationData",
        "IncompatibleSchema",
        "InvalidConfiguration",
        "InvalidMessage",
        "InvalidTopicName",
        "InvalidUrl",
        "NotAllowedError",
        "OperationNotSupported",
        "TopicTerminated",
        "UnsupportedVersionError",
    }
)
"""Results that the same request would have again; all others may pass."""


class TopicGone(TransportUnavailable):
    """A topic that was made does not exist any more; it can be made again."""


def translated(result: str, doing: str) -> InfrastructureError:
    """The error for a result of the client library, by the name of the result.

    Args:
        result: As ``Timeout``; exceptions of the client library have the same names.
        doing: What was asked, and of which topic.
    """
    if result == _TOO_LARGE:
        return PayloadTooLarge(f"{doing}: the broker refuses a message of that size")
    if result == _TOPIC_IS_GONE:
        return TopicGone(f"{doing}: there is no such topic any more")
    if result in _LASTING:
        return TransportError(f"{doing}: Pulsar answers {result}")
    return TransportUnavailable(f"{doing}: Pulsar answers {result}; it may be reached later")
