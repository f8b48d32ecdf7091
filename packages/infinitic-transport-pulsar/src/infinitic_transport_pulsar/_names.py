"""How topics and subscriptions are called on Pulsar, and back."""

import re
from urllib.parse import quote

import attrs

from infinitic_common.events import EVENT_KINDS
from infinitic_common.transport import Subscription, Topic, TopicKind

_DEAD_LETTERS = "-dlq"
_LISTENER = "listener"
PARTITION = "-partition-"
"""What the name of a partition has behind that of its topic."""

_ESCAPE = "="
_UNSAFE = re.compile(r"[^A-Za-z0-9_.:-]")
_ESCAPED = re.compile(f"(?:{_ESCAPE}[0-9A-F]{{2}})+")
_KINDS = {str(kind): kind for kind in TopicKind}


def escape(entity: str) -> str:
    """Return the entity as a part of a topic name, reversibly.

    What Pulsar or a URL gives a meaning to becomes ``=XX`` per UTF-8 byte; ``-partition-`` as well,
    because Pulsar reads it as the number of a partition.
    """
    escaped = _UNSAFE.sub(lambda found: _hex(found.group()), entity)
    return escaped.replace(PARTITION, _hex("-") + PARTITION[1:])


def unescape(text: str) -> str:
    """Return the entity that ``escape`` made the text from."""
    return _ESCAPED.sub(lambda found: _unhex(found.group()), text)


def _hex(text: str) -> str:
    return "".join(f"{_ESCAPE}{byte:02X}" for byte in text.encode())


def _unhex(text: str) -> str:
    return bytes.fromhex(text.replace(_ESCAPE, "")).decode(errors="replace")


@attrs.frozen
class TopicNames:
    """The names within one namespace.

    Attributes:
        tenant: Its tenant.
        namespace: Its name within the tenant.
    """

    tenant: str
    namespace: str

    def of(self, topic: Topic) -> str:
        """The full name, as ``persistent://tenant/namespace/service-executor:Payments``."""
        return self._full(f"{topic.kind}:{escape(topic.entity)}")

    def dead_letters_of(self, topic: Topic) -> str:
        """The full name of the topic that its dead letters go to."""
        return self._full(f"{topic.kind}{_DEAD_LETTERS}:{escape(topic.entity)}")

    def _full(self, local: str) -> str:
        return f"persistent://{self.tenant}/{self.namespace}/{local}"


def partition_name(full: str, index: int) -> str:
    """The name of one partition of a topic."""
    return f"{full}{PARTITION}{index}"


def rest_path(full: str) -> str:
    """The path of a topic in the administration's API, each part quoted."""
    scheme, _, rest = full.partition("://")
    tenant, namespace, local = rest.split("/", 2)
    return "/".join((scheme, *(quote(part, safe="") for part in (tenant, namespace, local))))


def parse(full: str) -> Topic | None:
    """The topic that a full name (or that of a partition) belongs to; None if it is no main topic."""
    local = full.rpartition("/")[2].partition(PARTITION)[0]
    kind, colon, entity = local.partition(":")
    if not colon or kind not in _KINDS:
        return None
    return Topic(_KINDS[kind], unescape(entity))


def parse_dead_letters(full: str) -> Topic | None:
    """The topic that dead letters of a full name came from; None if it has no dead letters."""
    head, slash, local = full.rpartition("/")
    kind, colon, entity = local.partition(":")
    if not colon or not kind.endswith(_DEAD_LETTERS):
        return None
    return parse(f"{head}{slash}{kind.removesuffix(_DEAD_LETTERS)}{colon}{entity}")


def main_subscription(kind: TopicKind) -> str:
    """The subscription of those who do the work of a kind, as ``service-executor-subscription``."""
    return f"{kind}-subscription"


def dead_letters_subscription(kind: TopicKind) -> str:
    """The subscription that keeps dead letters until somebody looks at them."""
    return f"{main_subscription(kind)}{_DEAD_LETTERS}"


def subscription_name(subscription: Subscription, topic: Topic) -> str:
    """What a subscription is called on one of its topics.

    Those who do a kind's work share its main subscription, which exists from the first message on,
    whatever they call themselves; listeners are known by reading events or by their name.
    """
    if topic.kind in EVENT_KINDS or _LISTENER in subscription.name:
        return subscription.name
    return main_subscription(topic.kind)
