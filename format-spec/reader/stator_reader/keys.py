"""Chapter "Keys": user keys and internal keys."""

from dataclasses import dataclass

import xxhash

from .corrupt import Corrupt

DELETE, PUT = 0, 1
TRAILER = 9
_ALL = 2**64 - 1


@dataclass(frozen=True)
class Parts:
    """A user key, taken apart. `prefix` are its bytes up to the end of the partition."""

    keyspace: int
    hash: int
    partition: bytes
    prefix: bytes
    sort: bytes


def split(key, file, offset):
    """Takes a user key apart; `file` and `offset` are where it stands."""
    if len(key) < 12:
        raise Corrupt(file, offset, "a user key", key.hex(" "))
    partition, at = bytearray(), 12
    while True:
        zero = key.find(0, at)
        follower = key[zero + 1 : zero + 2]
        if zero < 0 or follower not in (b"\x01", b"\xff"):
            raise Corrupt(file, offset, "a user key with an end of its partition", key.hex(" "))
        partition += key[at:zero]
        at = zero + 2
        if follower == b"\x01":
            break
        partition.append(0)
    return Parts(
        keyspace=int.from_bytes(key[:4], "big"),
        hash=int.from_bytes(key[4:12], "big"),
        partition=bytes(partition),
        prefix=key[:at],
        sort=key[at:],
    )


def hash_is_right(parts):
    """Whether the hash is that of the partition. Reading does not need it; a tool may ask."""
    return xxhash.xxh3_64_intdigest(parts.partition) == parts.hash


def trailer(data):
    """Sequence number and kind of nine bytes."""
    return _ALL - int.from_bytes(data[:8], "big"), data[8]


def order(user_key, trailer_bytes):
    """Sorts internal keys: by user key, and of one user key the newest first."""
    return (user_key, trailer_bytes)
