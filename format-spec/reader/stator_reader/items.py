"""Chapter "Items": items, values and numbers, as DynamoDB's JSON."""

import base64
from decimal import Context, Decimal

from .corrupt import Corrupt, Cursor

MAX_SIZE = 409_600
MAX_DEPTH = 32
_EXACT = Context(prec=60)


def item(data, file, base=0):
    """An item's attributes, in DynamoDB's JSON. Checks everything that the chapter says."""
    cursor = Cursor(data, file, base)
    if cursor.int(1, "version") != 1:
        cursor.fail("version 1", data[0], 0)
    size, count = cursor.int(4, "size"), cursor.int(4, "number of attributes")
    attributes, found = _entries(cursor, len(data), 1)
    if len(attributes) != count:
        cursor.fail(f"{count} attributes", len(attributes), 5)
    if found != size:
        cursor.fail(f"an item of size {found}", size, 1)
    if size > MAX_SIZE:
        cursor.fail(f"at most {MAX_SIZE} bytes", size, 1)
    return attributes


def _entries(cursor, end, depth):
    entries, size, last = {}, 0, None
    while cursor.at < end:
        at = cursor.at
        name = cursor.sized("a name", canonical=True)
        if last is not None and name <= last:
            cursor.fail("names in order", name, at)
        last = name
        entries[_text(cursor, name, at)], inner = value(cursor, depth)
        size += len(name) + inner
    if cursor.at != end:
        cursor.fail(f"entries that end at {cursor.base + end}", cursor.base + cursor.at)
    return entries, size


def _text(cursor, data, at):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        cursor.fail("UTF-8", data, at)


def value(cursor, depth=1):
    """The next value in DynamoDB's JSON, and its size by DynamoDB's arithmetic."""
    at = cursor.at
    kind = cursor.int(1, "type of a value")
    if kind == 0x00:
        return {"NULL": True}, 1
    if kind in (0x01, 0x02):
        return {"BOOL": kind == 0x02}, 1
    if kind == 0x03:
        data = cursor.sized("a string", canonical=True)
        return {"S": _text(cursor, data, at)}, len(data)
    if kind == 0x04:
        data = cursor.sized("bytes", canonical=True)
        return {"B": base64.b64encode(data).decode()}, len(data)
    if 0x22 <= kind <= 0x35:
        data = cursor.take(kind - 0x20, "a number")
        number, size = decimal(data, cursor.file, cursor.base + at + 1)
        return {"N": plain(number)}, size
    if kind not in (0x05, 0x06, 0x07, 0x08, 0x09):
        cursor.fail("a type of value", f"{kind:02x}", at)
    end = cursor.int(4, "length") + cursor.at
    if end > len(cursor.data):
        cursor.fail("a length within the item", end, at)
    if kind in (0x05, 0x06):
        if depth > MAX_DEPTH:
            cursor.fail(f"at most {MAX_DEPTH} levels", depth, at)
        if kind == 0x06:
            entries, size = _entries(cursor, end, depth + 1)
            return {"M": entries}, 3 + size + len(entries)
        elements, size = [], 3
        while cursor.at < end:
            element, inner = value(cursor, depth + 1)
            elements.append(element)
            size += 1 + inner
        if cursor.at != end:
            cursor.fail(f"elements that end at {cursor.base + end}", cursor.base + cursor.at)
        return {"L": elements}, size
    return _set(cursor, end, at, {0x07: "S", 0x08: "N", 0x09: "B"}[kind])


def _set(cursor, end, at, wanted):
    elements, size, last = [], 0, None
    while cursor.at < end:
        start = cursor.at
        element, inner = value(cursor)
        (kind, content), *_ = element.items()
        stored = bytes(cursor.data[start : cursor.at])
        # What is compared is the content, behind type and length.
        order = base64.b64decode(content) if kind == "B" else content.encode()
        order = stored[1:] if kind == "N" else order
        if kind != wanted or (last is not None and order <= last):
            cursor.fail(f"elements of type {wanted} in order", element, start)
        last = order
        elements.append(content)
        size += inner
    if not elements or cursor.at != end:
        cursor.fail("a set that is not empty and ends where it says", len(elements), at)
    return {wanted + "S": elements}, size


def decimal(data, file="number", base=0):
    """A number's value and its size, from all its bytes."""
    fail = lambda what: _fail(file, base, what, data.hex(" "))
    if data == b"\x80\x00":
        return Decimal(0), 1
    negative = data[0] < 0x80
    plain_bytes = bytes(byte ^ 0xFF for byte in data) if negative else data
    exponent = plain_bytes[0] - 0x80 - 65
    pairs = plain_bytes[1:]
    if not 1 <= len(pairs) <= 20 or not -65 <= exponent <= 62:
        fail("1 to 20 pairs, and an exponent from -65 to 62")
    # Complementing a whole byte flips its lowest bit too, so the bit means the same both ways.
    if any(pair & 1 != (place < len(pairs) - 1) for place, pair in enumerate(pairs)):
        fail("one last pair, at the end")
    values = [pair >> 1 for pair in pairs]
    if max(values) > 99 or not values[0] or not values[-1]:
        fail("pairs up to 99, of which the first and last are not 0")
    digits = "".join(f"{pair:02}" for pair in values)
    if len(digits.strip("0")) > 38:
        fail("38 digits")
    number = Decimal(("-" if negative else "") + "0." + digits).scaleb(
        2 * (exponent + 1), context=_EXACT
    )
    return number, number_size(number)


def _fail(file, base, expected, found):
    raise Corrupt(file, base, expected, found)


def number_size(number):
    """Bytes of a number by DynamoDB's arithmetic, as the chapter has it."""
    if not number:
        return 1
    text = plain(abs(number))
    whole, _, fraction = text.partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if not fraction:
        whole = whole.rstrip("0")
    if not whole:
        fraction = fraction.lstrip("0")
    return 1 + (len(whole) + 1) // 2 + (len(fraction) + 1) // 2 + (number < 0)


def plain(number):
    """A number without an exponent, as DynamoDB writes it."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def key_value(kind, data, last, file="key", base=0):
    """A value of a key, of type S, N or B, and the bytes behind it."""
    if kind == "N":
        size = next((i + 1 for i in range(1, len(data)) if _ends(data, i)), None)
        if size is None or size > 21:
            _fail(file, base, "a number", data.hex(" "))
        return {"N": plain(decimal(data[:size], file, base)[0])}, data[size:]
    if last:
        content, rest = data, b""
    else:
        content, rest = _inner(data, file, base)
    if kind == "B":
        return {"B": base64.b64encode(content).decode()}, rest
    return {"S": _text(Cursor(data, file, base), content, 0)}, rest


def _ends(data, place):
    byte = data[place] if data[0] >= 0x80 else data[place] ^ 0xFF
    return not byte & 1


def _inner(data, file, base):
    content, at = bytearray(), 0
    while True:
        zero = data.find(0, at)
        follower = data[zero + 1 : zero + 2]
        if zero < 0 or follower not in (b"\x01", b"\xff"):
            _fail(file, base, "a value that ends itself", data.hex(" "))
        content += data[at:zero]
        at = zero + 2
        if follower == b"\x01":
            return bytes(content), data[at:]
        content.append(0)
