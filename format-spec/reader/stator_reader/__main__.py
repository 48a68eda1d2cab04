"""Dumps a directory of Stator's, or checks it.

Each line of a dump is one JSON object; bytes are in hexadecimal.
"""

import argparse
import json
import sys
from pathlib import Path

from . import items, keys, manifest, wal
from .corrupt import Corrupt
from .database import Database, stray
from .sstable import SSTable

SYSTEM_KEYSPACES = 1024


def show(**fields):
    """Writes one line."""
    hexed = lambda v: v.hex() if isinstance(v, bytes) else list(v) if isinstance(v, tuple) else vars(v)
    print(json.dumps(fields, default=hexed))


def dump_manifest(directory):
    """Every edit of the manifest that counts, field by field."""
    name = manifest.current(directory)
    for offset, payload in manifest.records(directory / name) if name else ():
        fields = list(manifest.edit(payload, name, offset + manifest.RECORD))
        show(file=name, offset=offset, edit=[list(field) for field in fields])


def dump_wal(directory):
    """Every commit that an opening would replay."""
    for commit in wal.replay(directory, manifest.load(directory)):
        operations = [
            {"op": ("delete", "put", "drop")[op.kind], "key": op.key, "value": op.value}
            for op in commit.operations
        ]
        show(sequence=commit.sequence, operations=operations)


def dump_sstables(directory):
    """Every version in every SSTable that counts."""
    state = manifest.load(directory)
    for level, id in sorted(state.files):
        table = SSTable(directory / f"{id:012}.sst", id)
        show(file=table.name, level=level, properties=table.properties)
        for version in table.versions():
            show(file=table.name, **vars(version))


def dump_live(directory):
    """The newest value of every key."""
    for key, value in Database.open(directory).live().items():
        show(key=key, value=value)


def dump_items(directory):
    """The items of all tables and indexes, in DynamoDB's JSON."""
    for key, value in Database.open(directory).live().items():
        parts = keys.split(key, str(directory), 0)
        if parts.keyspace >= SYSTEM_KEYSPACES and value[:1] == b"\x01":
            try:
                show(keyspace=parts.keyspace, item=items.item(value, key.hex()))
            except Corrupt as error:
                show(keyspace=parts.keyspace, key=key, no_item=str(error))


def check(directory):
    """Every structure and every checksum."""
    database = Database.open(directory)
    versions = database.check()
    show(
        sstables=len(database.tables),
        versions=versions,
        replayed=len(database.commits),
        live=len(database.live()),
        stray=stray(directory, database.state),
    )


COMMANDS = {
    "manifest": dump_manifest,
    "wal": dump_wal,
    "sstables": dump_sstables,
    "live": dump_live,
    "items": dump_items,
    "check": check,
}


def main():
    """The command line."""
    parser = argparse.ArgumentParser(prog="python3 -m stator_reader", description=__doc__)
    parser.add_argument("what", choices=COMMANDS, help="; ".join(
        f"{name}: {command.__doc__.lower().rstrip('.')}" for name, command in COMMANDS.items()
    ))
    parser.add_argument("directory", type=Path, help="a database that no process has open")
    arguments = parser.parse_args()
    try:
        COMMANDS[arguments.what](arguments.directory)
    except Corrupt as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
