"""Chapter "SSTable"."""

from dataclasses import dataclass

import xxhash
import zstandard

from . import keys
from .corrupt import Corrupt, Cursor, crc

FOOTER = 72
MAGIC = b"STATRSST"
MAX_CONTENTS = 256 << 20
GROUP = 16
SALT = (
    0x47B6137B,
    0x44974D91,
    0x8824AD5B,
    0xA2B7289D,
    0x705495C7,
    0x2DF1424B,
    0x9EFC4947,
    0x5C6BFB31,
)


@dataclass(frozen=True)
class Version:
    """One version of a key. `value` is None for a tombstone."""

    key: bytes
    sequence: int
    value: bytes | None


@dataclass(frozen=True)
class Properties:
    """What a file says of itself, and the manifest of it."""

    smallest: bytes
    largest: bytes
    lowest: int
    highest: int
    versions: int
    tombstones: int
    key_bytes: int
    value_bytes: int
    blocks: int
    keyspaces: tuple  # of (id, versions, bytes)

    @classmethod
    def read(cls, cursor):
        """Reads properties, behind which other things may follow."""
        at = cursor.at
        smallest = cursor.sized("first user key")
        largest = cursor.sized("last user key")
        if smallest > largest:
            cursor.fail("a first user key that is not behind the last one", "the opposite", at)
        numbers = [cursor.varint("a property") for _ in range(7)]
        keyspaces, last = [], 0
        for place in range(cursor.varint("number of keyspaces")):
            at = cursor.at
            step = cursor.varint("keyspace", 32)
            last += step
            if last >= 2**32 or (place and not step):
                cursor.fail("a higher keyspace of 32 bits", last, at)
            keyspaces.append((last, cursor.varint("its versions"), cursor.varint("its bytes")))
        return cls(smallest, largest, *numbers, tuple(keyspaces))


class SSTable:
    """A whole file, checked as far as one that is opened is; `versions` and `check` read the rest."""

    def __init__(self, path, file_id):
        self.name = path.name
        self.id = file_id
        self.data = path.read_bytes()
        self._read_footer()
        filter_at, filter_size = self.filter_place
        self.filter = self._block(filter_at, filter_size)
        if not self.filter or len(self.filter) % 32:
            raise Corrupt(self.name, filter_at, "a filter of blocks of 32 bytes", len(self.filter))
        at, size = self.properties_place
        cursor = Cursor(self._block(at, size), self.name, at)
        self.properties = Properties.read(cursor)
        cursor.end("the properties")
        self.blocks = [place for part in self._partitions() for place in part]

    def _read_footer(self):
        start = len(self.data) - FOOTER
        if start < 0:
            raise Corrupt(self.name, 0, "a footer", f"a file of {len(self.data)} bytes")
        footer = self.data[start:]
        if footer[64:] != MAGIC:
            raise Corrupt(self.name, start + 64, "the magic", footer[64:].hex(" "))
        if crc(footer[:60]) != int.from_bytes(footer[60:64], "little"):
            raise Corrupt(self.name, start + 60, "the checksum of the footer", "another")
        cursor = Cursor(footer, self.name, start)
        at = cursor.at
        if cursor.int(8, "file id") != self.id:
            cursor.fail(f"file id {self.id}", "another", at)
        self.data_end = cursor.int(8, "end of the data")
        place = lambda what: (cursor.int(8, what), cursor.int(4, what))
        self.index_place = place("index")
        self.filter_place = place("filter")
        self.properties_place = place("properties")
        if cursor.int(4, "version") != 1:
            cursor.fail("format version 1", "another", cursor.at - 4)
        if cursor.int(4, "reserved bytes") != 0:
            cursor.fail("zero", "something else", cursor.at - 4)
        ends = [
            (self.data_end, 0, self.index_place[0], "the data blocks"),
            (*self.index_place, self.filter_place[0], "the index"),
            (*self.filter_place, self.properties_place[0], "the filter"),
            (*self.properties_place, start, "the properties"),
        ]
        for offset, size, limit, what in ends:
            fits = offset <= limit if what == "the data blocks" else offset + size == limit
            if not fits:
                raise Corrupt(self.name, start, f"{what} to end at {limit}", offset + size)

    def _block(self, offset, size):
        """The contents of the block whose frame is named."""
        frame = self.data[offset : offset + size]
        if size < 5 or len(frame) < size:
            raise Corrupt(self.name, offset, "a block", f"{len(frame)} of {size} bytes")
        payload, kind = frame[:-5], frame[-5]
        checksum = crc(frame[:-4], self.id.to_bytes(8, "little"), offset.to_bytes(8, "little"))
        if checksum != int.from_bytes(frame[-4:], "little"):
            raise Corrupt(self.name, offset, "the checksum of the block", "another")
        if kind == 0:
            return payload
        if kind != 1 or len(payload) < 4:
            raise Corrupt(self.name, offset, "a block that is stored as 0 or 1", kind)
        wanted = int.from_bytes(payload[:4], "little")
        if wanted > MAX_CONTENTS:
            raise Corrupt(self.name, offset, f"at most {MAX_CONTENTS} bytes", wanted)
        try:
            contents = zstandard.ZstdDecompressor().decompress(
                payload[4:], max_output_size=wanted, allow_extra_data=False
            )
        except zstandard.ZstdError as error:
            raise Corrupt(self.name, offset, "a zstd frame", error) from None
        if len(contents) != wanted:
            raise Corrupt(self.name, offset, f"{wanted} bytes", len(contents))
        return contents

    def _entries(self, offset, size):
        """User key, trailer and value of each entry of a block of entries."""
        contents = self._block(offset, size)
        cursor = Cursor(contents, self.name, offset)
        first = cursor.int(4, "number of entries")
        count, width = first >> 1, 4 if first & 1 else 2
        key_bytes = cursor.int(4, "size of the keys")
        places = [cursor.int(width, "offset of a key") for _ in range(min(count, len(contents)))]
        if len(places) != count:
            cursor.fail("as many entries as fit", count, 0)
        stored = cursor.take(key_bytes, "the keys")
        values = contents[cursor.at :]
        restart = b""
        for number, place in enumerate(places):
            if place > len(stored):
                cursor.fail("an offset within the keys", place)
            entry = Cursor(stored, self.name, offset)
            entry.at = place
            shared = entry.varint("shared bytes", 32)
            own = entry.varint("unshared bytes", 32)
            value_at = entry.varint("offset of the value", 32)
            value_size = entry.varint("length of the value", 32)
            if number % GROUP == 0:
                if shared:
                    entry.fail("a restart point that shares nothing", shared)
                restart = b""
            if shared > len(restart):
                entry.fail(f"at most {len(restart)} shared bytes", shared)
            key = restart[:shared] + entry.take(own, "the user key")
            if number % GROUP == 0:
                restart = key
            trailer = entry.take(keys.TRAILER, "the trailer")
            if value_at + value_size > len(values):
                entry.fail("a value within the block", value_at + value_size)
            yield key, trailer, values[value_at : value_at + value_size]

    def _places(self, offset, size, lower, upper):
        """The blocks that an index block names, which are to lie between `lower` and `upper`."""
        found = []
        for _key, _trailer, value in self._entries(offset, size):
            cursor = Cursor(value, self.name, offset)
            place = cursor.varint("offset of a block"), cursor.varint("size of a block", 32)
            if place[0] < lower or sum(place) > upper:
                cursor.fail(f"a block between {lower} and {upper}", place)
            found.append(place)
        if not found:
            raise Corrupt(self.name, offset, "an index with entries", "none")
        return found

    def _partitions(self):
        for offset, size in self._places(*self.index_place, self.data_end, self.index_place[0]):
            yield self._places(offset, size, 0, self.data_end)

    def versions(self):
        """All versions, in the order of their internal keys."""
        for offset, size in self.blocks:
            empty = True
            for key, trailer, value in self._entries(offset, size):
                empty = False
                sequence, kind = keys.trailer(trailer)
                if kind not in (keys.DELETE, keys.PUT):
                    raise Corrupt(self.name, offset, "a tombstone or a value", f"kind {kind}")
                yield Version(key, sequence, value if kind == keys.PUT else None)
            if empty:
                raise Corrupt(self.name, offset, "a data block with entries", "none")

    def may_contain(self, data):
        """What the filter says of a user key or of the prefix of a partition."""
        digest = xxhash.xxh3_64_intdigest(data)
        block = ((digest >> 32) * (len(self.filter) // 32)) >> 32
        low = digest & 0xFFFFFFFF
        for i, salt in enumerate(SALT):
            at = block * 32 + 4 * i
            word = int.from_bytes(self.filter[at : at + 4], "little")
            if not word >> ((low * salt & 0xFFFFFFFF) >> 27) & 1:
                return False
        return True

    def check(self):
        """Checks what a reader need not: order, filter, hashes, separators and properties.

        Gives the number of versions."""
        last, per_keyspace = None, {}
        counts = dict.fromkeys(("versions", "tombstones", "key_bytes", "value_bytes"), 0)
        sequences = []
        for version in self.versions():
            place = (version.key, -version.sequence)
            if last is not None and place <= last:
                raise Corrupt(self.name, 0, "rising internal keys", version.key.hex(" "))
            last = place
            parts = keys.split(version.key, self.name, 0)
            for data in (version.key, parts.prefix):
                if not self.may_contain(data):
                    raise Corrupt(self.name, self.filter_place[0], "a key in the filter", data.hex())
            if not keys.hash_is_right(parts):
                raise Corrupt(self.name, 0, "the hash of the partition", version.key.hex(" "))
            sequences.append(version.sequence)
            counts["versions"] += 1
            counts["tombstones"] += version.value is None
            counts["key_bytes"] += len(version.key)
            counts["value_bytes"] += len(version.value or b"")
            number, size = per_keyspace.get(parts.keyspace, (0, 0))
            size += len(version.key) + len(version.value or b"")
            per_keyspace[parts.keyspace] = (number + 1, size)
        self._check_separators()
        found = Properties(
            next(self.versions()).key,
            last[0],
            min(sequences),
            max(sequences),
            *counts.values(),
            len(self.blocks),
            tuple((id, *counted) for id, counted in sorted(per_keyspace.items())),
        )
        if found != self.properties:
            raise Corrupt(self.name, self.properties_place[0], found, self.properties)
        return counts["versions"]

    def _check_separators(self):
        """Each separator is not before the last key of its block and before the next one's first."""
        lower = None
        for offset, size in self._places(*self.index_place, self.data_end, self.index_place[0]):
            for key, trailer, value in self._entries(offset, size):
                cursor = Cursor(value, self.name, offset)
                block = cursor.varint("offset"), cursor.varint("size", 32)
                inside = [keys.order(k, t) for k, t, _ in self._entries(*block)]
                separator = keys.order(key, trailer)
                if separator < inside[-1] or (lower is not None and lower >= inside[0]):
                    raise Corrupt(self.name, offset, "separators between the blocks", key.hex(" "))
                lower = separator
