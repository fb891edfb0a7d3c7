"""Estimates the cost of parsing large OTLP protobuf bodies beforehand: two bytes can cost the parser a hundred."""

from .batch import DecodeError, TooLarge

_Kind = dict[int, "_Kind"]
_VARINT, _LENGTH = 0, 2
_FIXED = {1: 8, 3: 0, 4: 0, 5: 4}
"""Bytes behind a tag. A group, which the parser skips, has two tags; what is between them counts as if it were not."""
_STRING_TAG, _KEY_TAG, _VALUE_TAG = 0x0A, 0x0A, 0x12
_SMALLEST_MESSAGE = 2
_TINY = 12  # bytes in which not much can hide: a number with its tags, or a short name
_TAGS = bytes(tag | overlong for tag in b"\x0a\x12\x1a\x2a\x32\x4a\x5a\x7a" for overlong in (0, 0x80))
"""Every message begins with one of these bytes, so their number is never below that of the messages."""
_LIGHT_PROTOBUF, _LIGHT_JSON = 300_000, 500_000

_ANY_VALUE: _Kind = {}
_KEY_VALUE: _Kind = {2: _ANY_VALUE}
_LIST: _Kind = {1: _ANY_VALUE}
_MAP: _Kind = {1: _KEY_VALUE}
_ANY_VALUE |= {5: _LIST, 6: _MAP}
_SPAN: _Kind = {9: _KEY_VALUE, 11: {3: _KEY_VALUE}, 15: {}}
_RECORD: _Kind = {5: _ANY_VALUE, 6: _KEY_VALUE}
TRACES: _Kind = {1: {1: _MAP, 2: {1: {}, 2: _SPAN}}}
LOGS: _Kind = {1: {1: _MAP, 2: {1: {}, 2: _RECORD}}}


def is_light(body: bytes, *, is_protobuf: bool) -> bool:
    """Whether a body holds so few values for its size that its bytes, mostly text, say how long it takes to decode.

    Counts what values begin with, in text as well: at most about 0.05 s of work, whichever decoder does it.
    """
    if is_protobuf:
        return len(body) - len(body.translate(None, _TAGS)) <= _LIGHT_PROTOBUF
    values = sum(map(body.count, (b"{", b"[", b","))) + 2 * body.count(b"\\u")
    return values <= _LIGHT_JSON and (body.isascii() or _is_text(body))


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False  # to mend it takes long
    return True


def check_weight(body: bytes, request: _Kind, limit: int) -> None:
    """Raise TooLarge where a body holds more than ``limit`` messages, DecodeError where it is cut short."""
    if len(body) // _SMALLEST_MESSAGE <= limit or len(body) - len(body.translate(None, _TAGS)) <= limit:
        return
    try:
        messages = _count(body, request, limit)
    except IndexError:
        raise DecodeError("the body is not a valid OTLP protobuf message: it is cut short") from None
    if messages > limit:
        raise TooLarge(f"the body holds more than {limit} values; send fewer spans in one request")


def _count(body: bytes, kind: _Kind, limit: int) -> int:
    """Count without recursion, up to the limit; whatever else is wrong with the body is left to the parser."""
    waiting = [(0, len(body), kind)]
    messages = 0
    while waiting and messages <= limit:
        position, end, kind = waiting.pop()
        while position < end and messages <= limit:
            tag = body[position]
            position += 1
            if tag >= 0x80:
                tag, position = _varint(body, position - 1)
            if tag & 7 != _LENGTH:
                position = _after_number(body, position, tag & 7)
                continue
            size = body[position]
            position += 1
            if size >= 0x80:
                size, position = _varint(body, position - 1)
            child = kind.get(tag >> 3)
            if child is not None:
                leaves = _leaves(body, position, size) if child is _KEY_VALUE else 0
                messages += leaves + 1
                if not leaves and child and size:
                    waiting.append((position, min(position + size, end), child))
            position += size
    return messages


def _leaves(body: bytes, position: int, size: int) -> int:
    """Return how many messages an attribute can hold, where that is easily said, or 0: look inside."""
    if size <= _TINY:
        return 1 + size // _SMALLEST_MESSAGE
    end = position + size
    if end > len(body) or body[position] != _KEY_TAG or (key := body[position + 1]) >= 0x80:
        return 0
    position += key + 2
    if position + 2 >= end or body[position] != _VALUE_TAG:
        return 0
    value = body[position + 1]
    position += 2
    if value >= 0x80:
        value, position = _varint(body, position - 1)
    if position + value != end:
        return 0
    if value <= _TINY:
        return 1 + value // _SMALLEST_MESSAGE
    text, start = _varint(body, position + 1)
    return 1 if body[position] == _STRING_TAG and start + text == end else 0


def _after_number(body: bytes, position: int, wire_type: int) -> int:
    if wire_type == _VARINT:
        return _varint(body, position)[1]
    return position + _FIXED.get(wire_type, len(body))


def _varint(body: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while (byte := body[position]) >= 0x80:
        value |= (byte & 0x7F) << shift
        shift += 7
        position += 1
    return value | byte << shift, position + 1
