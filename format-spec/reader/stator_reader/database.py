"""A whole directory: what is live in it, as a reader of the newest state would see it."""

import re
from dataclasses import dataclass
from pathlib import Path

from . import keys, manifest, wal
from .corrupt import Corrupt, crc
from .sstable import SSTable, Version


@dataclass(frozen=True)
class Database:
    """A directory that has been read."""

    directory: Path
    state: manifest.State
    tables: dict  # (level, file id) -> SSTable
    commits: list  # those of the log that are in no SSTable yet

    @classmethod
    def open(cls, directory):
        """Reads manifest, SSTables and log. Raises `Corrupt`."""
        directory = Path(directory)
        state = manifest.load(directory)
        tables = {}
        for (level, id), file in state.files.items():
            path = directory / f"{id:012}.sst"
            if not path.exists():
                raise Corrupt(path.name, 0, "an SSTable that the manifest names", "no file")
            table = tables[level, id] = SSTable(path, id)
            if len(table.data) != file.size:
                raise Corrupt(path.name, 0, f"{file.size} bytes", len(table.data))
            if crc(table.data) != file.crc:
                raise Corrupt(path.name, 0, f"a file with CRC-32 {file.crc:08x}", "another")
            if table.properties != file.properties:
                raise Corrupt(path.name, 0, file.properties, table.properties)
        return cls(directory, state, tables, wal.replay(directory, state))

    def check(self):
        """Checks what reading alone does not; gives the number of versions in SSTables."""
        versions = sum(table.check() for table in self.tables.values())
        for (_, id), table in self.tables.items():
            if table.properties.highest > self.state.flushed:
                raise Corrupt(table.name, 0, "nothing above the flushed number", id)
        seen = {}
        for level in range(7):
            for file in self.state.level(level):
                newest_here = {}
                for version in self.tables[level, file.id].versions():
                    if version.sequence >= seen.get(version.key, 2**64):
                        raise Corrupt(f"{file.id:012}.sst", 0, "versions older than above", version)
                    newest_here[version.key] = min(
                        version.sequence, newest_here.get(version.key, 2**64)
                    )
                seen.update(newest_here)
        return versions

    def versions(self):
        """All versions that are stored anywhere, in no order."""
        for table in self.tables.values():
            yield from table.versions()
        for commit in self.commits:
            for operation in commit.operations:
                if operation.kind != wal.DROP:
                    put = operation.kind == wal.PUT
                    yield Version(operation.key, commit.sequence, operation.value if put else None)

    def dropped(self):
        """Keyspaces that were dropped, with the sequence number of the drop."""
        found = dict(self.state.dropped)
        for commit in self.commits:
            for operation in commit.operations:
                if operation.kind == wal.DROP:
                    id = int.from_bytes(operation.key, "big")
                    found[id] = min(commit.sequence, found.get(id, commit.sequence))
        return found

    def is_gone(self, keyspace):
        """Whether nothing of a keyspace is ever seen again."""
        return any(first <= keyspace <= last for first, last in self.state.gone)

    def live(self):
        """The newest values: {user key: value}, without what is deleted or dropped."""
        stored = {}  # keyspace -> user key without it -> versions
        for version in self.versions():
            keyspace = keys.split(version.key, str(self.directory), 0).keyspace
            stored.setdefault(keyspace, {}).setdefault(version.key[4:], []).append(version)
        hidden = self.dropped()
        live = {}
        for keyspace in {*stored, *self.state.forks}:
            if keyspace not in hidden and not self.is_gone(keyspace):
                for suffix, version in self._shown(stored, keyspace, 2**64).items():
                    if version.value is not None:
                        live[keyspace.to_bytes(4, "big") + suffix] = version.value
        return dict(sorted(live.items()))

    def _shown(self, stored, keyspace, at):
        """The newest version of every key of a keyspace as of a commit, be it a fork or not."""
        shown, fork = {}, self.state.forks.get(keyspace)
        if fork and at >= fork.created:
            below = self._shown(stored, fork.source, fork.at)
            shown = {suffix: v for suffix, v in below.items() if suffix > fork.copied}
        for suffix, versions in stored.get(keyspace, {}).items():
            seen = [version for version in versions if version.sequence <= at]
            if seen:
                shown[suffix] = max(seen, key=lambda version: version.sequence)
        return shown


def stray(directory, state):
    """Files of the database's form that the manifest does not name."""
    named = {f"{id:012}.sst" for _, id in state.files}
    found = (path.name for path in Path(directory).iterdir())
    return sorted(n for n in found if re.fullmatch(r"\d{12,}\.sst", n) and n not in named)
