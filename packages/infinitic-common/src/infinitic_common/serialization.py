"""Encoding of user values: by their declared types, or describing themselves."""

from infinitic_common._serialization.codec import (
    CborDataConverter,
    Codec,
    DataConverter,
    ValueCodec,
    decode_untyped,
    encode_untyped,
    register_type,
    value_codec,
)
from infinitic_common._serialization.errors import (
    DeserializationError,
    InvalidTypeHint,
    SerdeError,
    SerializationError,
)
from infinitic_common._serialization.json_view import to_json
from infinitic_common._serialization.node import KLASS
from infinitic_common._serialization.views import View
from infinitic_common._serialization.wire import content_hash

__all__ = [
    "KLASS",
    "CborDataConverter",
    "Codec",
    "DataConverter",
    "DeserializationError",
    "InvalidTypeHint",
    "SerdeError",
    "SerializationError",
    "ValueCodec",
    "View",
    "content_hash",
    "decode_untyped",
    "encode_untyped",
    "register_type",
    "to_json",
    "value_codec",
]
