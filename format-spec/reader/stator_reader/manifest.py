"""Chapter "Manifest": CURRENT, the edits, and the state that they make."""

import re
from dataclasses import dataclass, field

from .corrupt import Corrupt, Cursor, crc
from .sstable import Properties

HEADER, RECORD = 24, 28


@dataclass(frozen=True)
class File:
    """An SSTable as the manifest knows it."""

    id: int
    size: int
    crc: int
    properties: Properties


@dataclass(frozen=True)
class Fork:
    """What a keyspace shows beside its own."""

    source: int
    at: int
    created: int
    copied: bytes


@dataclass
class State:
    """What the edits so far come to. `levels` maps (level, file id) to the file."""

    files: dict = field(default_factory=dict)
    flushed: int = 0
    next_file: int = 0
    keyspace_limit: int = 0
    dropped: dict = field(default_factory=dict)
    gone: list = field(default_factory=list)  # (first id, last id)
    epoch: int = 0
    samples: list = field(default_factory=list)
    windows: dict = field(default_factory=dict)  # keyspace -> (milliseconds, floor)
    pins: dict = field(default_factory=dict)  # (id, keyspace) -> sequence number
    forks: dict = field(default_factory=dict)  # keyspace -> Fork

    def newest_named(self):
        """The highest sequence number that windows, pins and forks name."""
        floors = [floor for _, floor in self.windows.values()]
        created = [fork.created for fork in self.forks.values()]
        return max([0, *floors, *self.pins.values(), *created])

    def level(self, number):
        """The files of a level; those of level 0 newest first, those of others by their keys."""
        files = [file for (level, _), file in self.files.items() if level == number]
        if number == 0:
            return sorted(files, key=lambda f: (f.properties.highest, f.id), reverse=True)
        return sorted(files, key=lambda f: f.properties.smallest)


def current(directory):
    """The name of the manifest that counts; None in an empty database."""
    path = directory / "CURRENT"
    if not path.exists():
        names = [entry.name for entry in directory.iterdir() if entry.is_file()]
        for name in names:
            generation = manifest_generation(name)
            if re.fullmatch(r"\d{12,}\.sst", name) or (generation or 0) > 1:
                raise Corrupt("CURRENT", 0, "the name of a manifest", f"no file, beside {name}")
        return None
    data = path.read_bytes()
    match = re.fullmatch(rb"(MANIFEST-\d{6,}) ([0-9a-f]{8})\n", data)
    if not match or manifest_generation(match[1].decode()) is None:
        raise Corrupt("CURRENT", 0, "one line with name and checksum", data)
    if int(match[2], 16) != crc(match[1]):
        raise Corrupt("CURRENT", len(match[1]) + 1, f"checksum {crc(match[1]):08x}", match[2])
    return match[1].decode()


def manifest_generation(name):
    """The generation of a manifest's name; None if it is none."""
    match = re.fullmatch(r"MANIFEST-(\d{6,})", name)
    if match and f"MANIFEST-{int(match[1]):06}" == name:
        return int(match[1])
    return None


def records(path):
    """The payloads of all records, each with its offset."""
    name, data = path.name, path.read_bytes()
    generation = manifest_generation(name)
    cursor = Cursor(data, name)
    cursor.expect(b"STATMANI", "magic")
    if cursor.int(4, "format version") != 1:
        cursor.fail("format version 1", "another", 8)
    if cursor.int(8, "generation") != generation:
        cursor.fail(f"generation {generation}", "another", 12)
    if cursor.int(4, "checksum") != crc(data[:20]):
        cursor.fail("the checksum of the header", "another", 20)
    at, number = HEADER, 0
    while at < len(data) or number == 0:
        size = _good(data, at, generation)
        if size is None:
            later = next((i for i in range(at + 1, len(data)) if _good(data, i, generation)), None)
            if number == 0 or later is not None:
                raise Corrupt(name, at, f"record {number}", f"none; the next good one is at {later}")
            return
        found = int.from_bytes(data[at + 16 : at + 24], "little")
        if found != number:
            raise Corrupt(name, at + 16, f"record {number}", found)
        yield at, data[at + RECORD : at + size]
        at, number = at + size, number + 1


def _good(data, at, generation):
    """The size of the record at `at`; None if there is no good one."""
    head = data[at : at + RECORD]
    if len(head) < RECORD or head[:4] != b"EDIT":
        return None
    end = at + RECORD + int.from_bytes(head[4:8], "little")
    if end > len(data) or int.from_bytes(head[8:16], "little") != generation:
        return None
    if crc(head[4:24], data[at + RECORD : end]) != int.from_bytes(head[24:28], "little"):
        return None
    return end - at


def edit(payload, name, offset):
    """The fields of an edit, as (name of the field, contents...)."""
    cursor = Cursor(payload, name, offset)
    sample = None
    while cursor.left():
        tag = cursor.int(1, "tag")
        if tag == 1:
            level, id, size = (cursor.varint(what) for what in ("level", "file id", "size"))
            yield "file added", level, File(
                id, size, cursor.int(4, "checksum of the file"), Properties.read(cursor)
            )
        elif tag == 2:
            yield "file removed", cursor.varint("level"), cursor.varint("file id")
        elif tag == 3:
            yield "flushed", cursor.varint("flushed sequence number")
        elif tag == 4:
            yield "next file id", cursor.varint("next file id")
        elif tag == 5:
            yield "keyspace limit", cursor.varint("keyspace limit", 32)
        elif tag == 6:
            yield "keyspace dropped", cursor.varint("keyspace", 32), cursor.varint("sequence number")
        elif tag == 7:
            id = cursor.varint("keyspace", 32)
            yield "keyspaces gone", id, id
        elif tag == 8:
            yield "epoch over", cursor.varint("epoch")
        elif tag == 9:
            sample = cursor.varint("sequence number"), cursor.varint("milliseconds")
            yield "time sample", *sample
        elif tag == 10:
            id = cursor.varint("keyspace", 32)
            yield "window", id, cursor.varint("milliseconds"), cursor.varint("floor")
        elif tag == 11:
            pin, id = cursor.varint("pin"), cursor.varint("keyspace", 32)
            yield "pin", pin, id, cursor.varint("sequence number")
        elif tag == 12:
            yield "pin ended", cursor.varint("pin")
        elif tag == 13:
            if sample is None:
                cursor.fail("a time sample before another one", "none", cursor.at - 1)
            more = cursor.varint("more commits"), cursor.varint("more milliseconds")
            sample = sample[0] + more[0], sample[1] + more[1]
            if max(sample) >= 2**64:
                cursor.fail("a time sample within u64", sample, cursor.at)
            yield "time sample", *sample
        elif tag == 14:
            first, more = cursor.varint("keyspace", 32), cursor.varint("more keyspaces", 32)
            if first + more >= 2**32:
                cursor.fail("keyspaces within u32", first + more, cursor.at)
            yield "keyspaces gone", first, first + more
        elif tag == 15:
            id, source = cursor.varint("keyspace", 32), cursor.varint("source", 32)
            at, created = cursor.varint("sequence number"), cursor.varint("sequence number")
            yield "fork", id, Fork(source, at, created, cursor.sized("copied key"))
        elif tag == 16:
            yield "fork ended", cursor.varint("keyspace", 32)
        else:
            cursor.fail("a tag from 1 to 16", tag, cursor.at - 1)


def apply(state, fields, name, offset):
    """Brings the state up to date with one edit."""

    def fail(expected, found):
        raise Corrupt(name, offset, expected, found)

    fields = list(fields)
    for _, level, id in (f for f in fields if f[0] == "file removed"):
        if state.files.pop((level, id), None) is None:
            fail("a file that is there to remove", f"file {id} at level {level}")
    for kind, *rest in fields:
        if kind == "file added":
            level, file = rest
            if level > 6 or any(id == file.id for _, id in state.files):
                fail("a new file at a level from 0 to 6", f"file {file.id} at level {level}")
            state.files[level, file.id] = file
        elif kind == "keyspace dropped":
            id, sequence = rest
            state.dropped[id] = min(sequence, state.dropped.get(id, sequence))
        elif kind == "time sample":
            sequence, ms = rest
            if not state.samples:
                state.samples.append((sequence, ms))
            elif sequence > state.samples[-1][0]:
                last = state.samples[-1][1]
                if max(ms, last) // 1000 == last // 1000:
                    state.samples.pop()
                state.samples.append((sequence, max(ms, last)))
    for first, last in (f[1:] for f in fields if f[0] == "keyspaces gone"):
        state.gone.append((first, last))
        for of in (state.dropped, state.windows):
            for id in [id for id in of if first <= id <= last]:
                del of[id]
    for kind, *rest in fields:
        if kind == "window":
            id, length, floor = rest
            floor = max(floor, state.windows.get(id, (0, 0))[1])
            state.windows.pop(id, None)
            if length:
                state.windows[id] = length, floor
        elif kind == "pin":
            pin, id, sequence = rest
            state.pins[pin, id] = sequence
        elif kind == "pin ended":
            state.pins = {of: at for of, at in state.pins.items() if of[0] != rest[0]}
        elif kind == "fork":
            id, fork = rest
            before = state.forks.get(id, fork)
            same = (before.source, before.at, before.created) == (fork.source, fork.at, fork.created)
            if fork.source >= id or fork.at > fork.created or not same or fork.copied < before.copied:
                fail("a fork that can be", f"keyspace {id}: {fork}")
            state.forks[id] = fork
        elif kind == "fork ended":
            state.forks.pop(rest[0], None)
    numbers = {
        "flushed": "flushed",
        "next file id": "next_file",
        "keyspace limit": "keyspace_limit",
        "epoch over": "epoch",
    }
    for kind, attribute in numbers.items():
        values = [f[1] for f in fields if f[0] == kind]
        if values:
            if values[-1] < getattr(state, attribute):
                fail(f"{kind} not below {getattr(state, attribute)}", values[-1])
            setattr(state, attribute, values[-1])
    for level in range(1, 7):
        files = state.level(level)
        for left, right in zip(files, files[1:]):
            if left.properties.largest >= right.properties.smallest:
                fail(f"files apart at level {level}", f"files {left.id} and {right.id}")


def load(directory):
    """The state that the directory's manifest gives."""
    state, name = State(), current(directory)
    if name is None:
        return state
    path = directory / name
    if not path.exists():
        raise Corrupt(name, 0, "the manifest that CURRENT names", "no file")
    for offset, payload in records(path):
        apply(state, edit(payload, name, offset + RECORD), name, offset)
    return state
