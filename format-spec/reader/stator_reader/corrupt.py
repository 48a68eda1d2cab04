"""The one error about contents, and the cursor that raises it."""

import zlib


class Corrupt(Exception):
    """Bytes that the description does not allow: where, what was expected, what was found."""

    def __init__(self, file, offset, expected, found):
        super().__init__(f"{file}: at offset {offset} expected {expected}, found {found}")
        self.file = file
        self.offset = offset


class Cursor:
    """Walks over bytes that stand at `base` of a file, and knows where it is for its errors."""

    def __init__(self, data, file, base=0):
        self.data = memoryview(data)
        self.file = file
        self.base = base
        self.at = 0

    def fail(self, expected, found, at=None):
        """Raises `Corrupt` for the place `at`, by default the current one."""
        raise Corrupt(self.file, self.base + (self.at if at is None else at), expected, found)

    def left(self):
        """Bytes that are still to come."""
        return len(self.data) - self.at

    def take(self, size, what):
        """The next `size` bytes."""
        if size > self.left():
            self.fail(f"{what} ({size} bytes)", f"{self.left()} bytes")
        taken = self.data[self.at : self.at + size]
        self.at += size
        return bytes(taken)

    def int(self, size, what, order="little"):
        """The next unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size, what), order)

    def expect(self, expected, what):
        """The next bytes, which have to be `expected`."""
        at = self.at
        found = self.take(len(expected), what)
        if found != expected:
            self.fail(f"{what} {expected.hex(' ')}", found.hex(" "), at)

    def varint(self, what, bits=64, canonical=False):
        """The next LEB128 number, of at most `bits` bits; with `canonical` in its shortest form."""
        at, value, shift = self.at, 0, 0
        while True:
            byte = self.int(1, what)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift >= (bits + 6) // 7 * 7:
                self.fail(f"{what} of at most {bits} bits", "a longer number", at)
        if value >> bits:
            self.fail(f"{what} of at most {bits} bits", value, at)
        if canonical and byte == 0 and shift > 7:
            self.fail(f"{what} in its shortest form", "a longer one", at)
        return value

    def sized(self, what, bits=32, canonical=False):
        """Bytes with their length before them."""
        return self.take(self.varint(f"length of {what}", bits, canonical), what)

    def end(self, what):
        """Nothing may be left."""
        if self.left():
            self.fail(f"end of {what}", f"{self.left()} more bytes")


def crc(*parts):
    """CRC-32 of the joined `parts`."""
    value = 0
    for part in parts:
        value = zlib.crc32(part, value)
    return value
