"""Names of clients: each its own, also when several share a transport."""

from weakref import WeakKeyDictionary

from infinitic_common.transport import Transport

_numbers: WeakKeyDictionary[Transport, int] = WeakKeyDictionary()


def new_name(transport: Transport) -> str:
    """The name of a further client on a transport: that of the transport for the first one.

    Answers come to a topic of that name, which goes when its client does.
    """
    number = _numbers[transport] = _numbers.get(transport, 0) + 1
    return transport.name if number == 1 else f"{transport.name}-{number}"
