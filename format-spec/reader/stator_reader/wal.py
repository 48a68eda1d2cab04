"""Chapter "Write-ahead log": groups, commits, and where the log ends."""

import re
from dataclasses import dataclass

from . import keys
from .corrupt import Corrupt, Cursor, crc

MAGIC = b"SWG1"
HEADER = 64
PAGE = 4096
DELETE, PUT, DROP, PUT_STAMPED = 0, 1, 2, 3


@dataclass(frozen=True)
class Operation:
    """One operation of a commit: its kind, the user key (or the keyspace's bytes), the value.

    A stamped key has its sequence number in it, and its kind is PUT."""

    kind: int
    key: bytes
    value: bytes


@dataclass(frozen=True)
class Commit:
    """One commit: its sequence number and what it does."""

    sequence: int
    operations: tuple


@dataclass(frozen=True)
class Group:
    """One valid group."""

    offset: int
    end: int
    first: int
    count: int
    durable: int
    written_ms: int


def segment_name(name):
    """Epoch and number of a segment's name; None if it is none."""
    match = re.fullmatch(r"([0-9a-f]{16})-([0-9a-f]{16})\.wal", name)
    return match and (int(match[1], 16), int(match[2], 16))


def segments(directory):
    """All segments: {epoch: {number: path}}."""
    found = {}
    for path in directory.iterdir():
        if place := segment_name(path.name):
            found.setdefault(place[0], {})[place[1]] = path
    return found


class Segment:
    """The bytes of one segment, and the groups in it."""

    def __init__(self, path):
        self.name = path.name
        self.epoch, self.number = segment_name(path.name)
        self.data = path.read_bytes()

    def group(self, offset):
        """The valid group at an offset, or None."""
        header = self.data[offset : offset + HEADER]
        if len(header) < HEADER or header[:4] != MAGIC:
            return None
        word = lambda at, size=8: int.from_bytes(header[at : at + size], "little")
        end = offset + HEADER + word(8, 4)
        if end > len(self.data):
            return None
        if (word(16), word(24), word(32)) != (self.epoch, self.number, offset):
            return None
        if crc(header[8:], self.data[offset + HEADER : end]) != word(4, 4):
            return None
        return Group(offset, end, word(40), word(12, 4), word(48), word(56))

    def commits(self, group):
        """The commits of a valid group."""
        payload = self.data[group.offset + HEADER : group.end]
        cursor = Cursor(payload, self.name, group.offset + HEADER)
        if group.first >= 2**63:
            cursor.fail("a sequence number below 2^63", group.first, 0)
        commits = []
        for _ in range(group.count):
            size = cursor.int(4, "length of a record")
            if size < 4:
                cursor.fail("a length of at least 4", size, cursor.at - 4)
            at = cursor.at
            record = Cursor(cursor.take(size, "a record"), self.name, cursor.base + at)
            count = record.int(4, "number of operations")
            operations = []
            while record.left():
                operations.append(self._operation(record, group.first + len(commits)))
            if len(operations) != count:
                record.fail(f"{count} operations", len(operations), 0)
            commits.append(Commit(group.first + len(commits), tuple(operations)))
        at, padding = cursor.at, cursor.take(cursor.left(), "padding")
        if len(padding) >= PAGE or any(padding):
            cursor.fail("less than a page of zeros", f"{len(padding)} bytes", at)
        return commits

    @staticmethod
    def _operation(record, sequence):
        at = record.at
        kind = record.int(1, "kind of an operation")
        key_size, value_size = record.int(4, "length of a key"), record.int(4, "length of a value")
        if kind not in (DELETE, PUT, DROP, PUT_STAMPED):
            record.fail("operation 0, 1, 2 or 3", kind, at)
        if (kind == DROP and key_size != 4) or (kind in (DELETE, DROP) and value_size):
            record.fail("lengths that fit the operation", (key_size, value_size), at)
        key_at = record.at
        key, value = record.take(key_size, "a key"), record.take(value_size, "a value")
        if kind == PUT_STAMPED:
            parts = keys.split(key, record.file, record.base + key_at)
            if len(parts.sort) < 8:
                record.fail("a stamped key with eight bytes of sort part", key.hex(" "), key_at)
            key = parts.prefix + sequence.to_bytes(8, "big") + parts.sort[8:]
            kind = PUT
        return Operation(kind, key, value)

    def acknowledged_behind(self, offset, missing):
        """A valid group behind `offset` which says that commit `missing` had been durable."""
        if not any(self.data[offset:]):
            return None
        at = self.data.find(MAGIC, offset)
        while at >= 0:
            if at % 8 == 0 and (group := self.group(at)) and group.durable >= missing:
                return group
            at = self.data.find(MAGIC, at + 1)
        return None


def up(offset, to):
    """The next multiple."""
    return -(-offset // to) * to


def replay(directory, state):
    """All commits behind the manifest's flushed sequence number, in their order.

    Raises `Corrupt` where the log has lost something that was acknowledged."""
    epochs = segments(directory)
    epoch = state.epoch + 1
    later = [number for number in epochs if number > epoch]
    if later:
        name = epochs[min(later)][min(epochs[min(later)])].name
        raise Corrupt(name, 0, f"no epoch above {epoch}", f"epoch {min(later)}")
    paths = epochs.get(epoch, {})
    if not paths:
        _reaches(directory.name, state.flushed, state)
        return []
    read = {}
    segment = lambda number: read.setdefault(number, Segment(paths[number]))
    kept, due, number, at = [], None, min(paths), 0
    while True:
        here = segment(number)
        found = None
        for place in dict.fromkeys((up(at, 8), up(at, PAGE))):
            group = here.group(place)
            if group and _continues(group, due, place == 0, state.flushed):
                found = group
                break
        if found:
            commits = here.commits(found)
            kept += [commit for commit in commits if commit.sequence > state.flushed]
            due, at = found.first + found.count, found.end
            continue
        further = sorted(n for n in paths if n > number)
        start = segment(further[0]).group(0) if further else None
        if start and _continues(start, due, True, state.flushed):
            number, at = further[0], 0
            continue
        missing = max(due or 0, state.flushed + 1)
        for candidate, offset in [(number, at)] + [(n, 0) for n in further]:
            group = segment(candidate).acknowledged_behind(offset, missing)
            if group:
                raise Corrupt(
                    here.name,
                    up(at, 8),
                    f"commit {missing}",
                    f"none, though {segment(candidate).name} says at offset {group.offset} "
                    f"that {group.durable} was durable",
                )
        _reaches(here.name, missing - 1, state)
        return kept


def _reaches(name, last, state):
    """What windows, pins and forks name was in the log before it was named."""
    if max(last, state.flushed) < state.newest_named():
        raise Corrupt(name, 0, f"commits up to {state.newest_named()}", f"commits up to {last}")


def _continues(group, due, starts_segment, flushed):
    """Whether a group continues a log whose next commit is `due` (None: it is the first group)."""
    if due is None:
        return group.first <= flushed + 1
    return group.first == due or (starts_segment and due < group.first <= flushed + 1)
