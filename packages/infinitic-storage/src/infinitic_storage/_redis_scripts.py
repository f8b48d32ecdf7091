"""The scripts of the Redis storages: one for each method of the ports, whatever the batch's size.

A record is one string: its version in 8 bytes, most significant first, then its value. So a reader
finds both or neither, and a writer compares the version without reading the value. A set is a
sorted set whose scores are all 0, which Redis keeps in the order of the bytes of its members; in
UTF-8 that is the order of code points.

A script takes the arguments of its keys one after the other, and answers a list with one item for
each key, in their order. It gives all it writes an absolute expiry or none, so that replicas do the
same.
"""

from collections.abc import Sequence
from hashlib import sha1
from itertools import chain

import attrs

KeyArguments = tuple[bytes, Sequence[bytes]]
"""A key, and the arguments that a script takes for it."""


def _digest(script: "Script") -> str:
    # The protocol prescribes this hash; it protects nothing here.
    return sha1(script.text.encode(), usedforsecurity=False).hexdigest()


@attrs.frozen
class Script:
    """A script that a server knows by the hash of its text, once it has run it.

    Attributes:
        text: In Lua.
        digest: The hash, in hexadecimal.
    """

    text: str
    digest: str = attrs.field(init=False, default=attrs.Factory(_digest, takes_self=True))


GET_RECORDS = Script("""
local found = {}
for i, key in ipairs(KEYS) do
    found[i] = redis.call('GET', key)
end
return found
""")
"""No arguments. Answers the records; false where there is none."""

PUT_RECORDS = Script("""
local written = {}
for i, key in ipairs(KEYS) do
    local expected, record, expiry = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
    if redis.call('GETRANGE', key, 0, 7) ~= expected then
        written[i] = 0
    else
        written[i] = 1
        if record == '' then
            if expected ~= '' then
                redis.call('UNLINK', key)
            end
        elseif expiry == '' then
            redis.call('SET', key, record)
        else
            redis.call('SET', key, record, 'PXAT', expiry)
        end
    end
end
return written
""")
"""Arguments of a key: the expected version as in the record, or nothing where it must be absent;
the new record, or nothing to delete it; when it expires, or nothing. Answers 1 if written."""

DELETE_RECORDS = Script("""
local deleted = {}
for i, key in ipairs(KEYS) do
    deleted[i] = redis.call('UNLINK', key)
end
return deleted
""")
"""No arguments."""

GET_SETS = Script("""
local found = {}
for i, key in ipairs(KEYS) do
    found[i] = redis.call('ZRANGE', key, 0, -1)
end
return found
""")
"""No arguments. Answers the values of each set."""

GET_PAGES = Script("""
local found = {}
for i, key in ipairs(KEYS) do
    found[i] = redis.call('ZRANGEBYLEX', key, ARGV[2 * i - 1], '+', 'LIMIT', 0, ARGV[2 * i])
end
return found
""")
"""Arguments of a key: where to start, as ``ZRANGEBYLEX`` wants it, and how many values."""

UPDATE_SETS = Script("""
local updated = {}
local place = 1
for i, key in ipairs(KEYS) do
    local removed, added = tonumber(ARGV[place]), tonumber(ARGV[place + 1])
    place = place + 2
    for j = place, place + removed - 1 do
        redis.call('ZREM', key, ARGV[j])
    end
    place = place + removed
    for j = place, place + added - 1 do
        redis.call('ZADD', key, 0, ARGV[j])
    end
    place = place + added
    updated[i] = removed + added
end
return updated
""")
"""Arguments of a key: how many values are removed, how many added; those, then these."""

CLAIM_FORMAT = Script("""
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return {redis.call('GET', KEYS[1])}
""")
"""Argument: a format. Answers the one that was there before, or this one."""


def script_arguments(items: Sequence[KeyArguments]) -> list[bytes | int]:
    """What a command that runs a script is given after the script."""
    arguments = chain.from_iterable(of_key for _, of_key in items)
    return [len(items), *(key for key, _ in items), *arguments]
