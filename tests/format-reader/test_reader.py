"""The engine and the independent reader of `format-spec/reader`, held against each other.

Random databases are made by the engine (`engine/examples/random_database.rs`), some left as a kill
leaves them. The reader, which was written from the description of the format alone, has to find the
same in them. Then bytes are damaged: where one of the two reports that, the other may not have served
anything that had not been written.

`STATOR_SEED` runs one seed; `STATOR_DATABASES` says how many seeds there are (20).
"""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "format-spec" / "reader"))

from stator_reader import items  # noqa: E402
from stator_reader.corrupt import Corrupt  # noqa: E402
from stator_reader.database import Database  # noqa: E402

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
ENGINE = TARGET / "debug" / "examples" / "random_database"
DAMAGES = 4


def seeds():
    """The seeds of this run: new ones each time, unless one is asked for."""
    if seed := os.environ.get("STATOR_SEED"):
        return [int(seed)]
    first = random.SystemRandom().randrange(2**32)
    return range(first, first + int(os.environ.get("STATOR_DATABASES", "20")))


def engine(*arguments):
    """What the engine finds, as {key: value}; None if it reports damage."""
    done = subprocess.run([ENGINE, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    if done.returncode == 1 and "expected" in done.stderr:
        return None
    assert done.returncode == 0, done.stderr
    lines = (line.split(" ") for line in done.stdout.splitlines())
    return {bytes.fromhex(key): bytes.fromhex(value) for key, value in lines}


def reader(directory):
    """What the reader finds; None if it reports damage."""
    try:
        return Database.open(directory).live()
    except Corrupt:
        return None


@pytest.mark.parametrize("seed", seeds())
def test_both_find_the_same(seed, tmp_path):
    directory = tmp_path / "database"
    written = engine("make", seed, directory)
    database = Database.open(directory)
    assert database.live() == written
    database.check()
    rng = random.Random(seed)
    for number in range(DAMAGES):
        damaged = tmp_path / f"damaged-{number}"
        shutil.copytree(directory, damaged)
        what = damage(rng, damaged)
        read = reader(damaged)
        found = engine("scan", damaged)
        if found is None:
            assert read is None, f"{what}: only the engine reports it"
        else:
            # The reader looks at every byte, the engine only at what it needs.
            assert read is None or read == found, f"{what}: they find different things"
            assert changed(written, found) == 0 or read is not None, f"{what}: served damage"


def changed(written, found):
    """How many values are there that are others than those last written, or should not be there."""
    return sum(written.get(key) != value for key, value in found.items())


def damage(rng, directory):
    """Changes one byte somewhere, or cuts a file short. Says what was done."""
    files = sorted(p for p in directory.iterdir() if p.stat().st_size)
    path = rng.choice(files)
    data = bytearray(path.read_bytes())
    used = len(data.rstrip(b"\0")) or 1
    at = rng.randrange(used)
    if rng.randrange(6) == 0:
        path.write_bytes(data[:at])
        return f"{path.name} ends at {at}"
    data[at] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
    return f"{path.name} has another byte at {at}"


def test_it_would_notice(tmp_path):
    """A reader that finds something else, or does not report damage, fails the test above."""
    directory = tmp_path / "database"
    written = engine("make", 1, directory)
    assert written
    # Not any file that is there: one that a compaction has replaced may be left, and does not count.
    counts = sorted(id for _, id in Database.open(directory).tables)
    assert counts
    path = directory / f"{counts[0]:012}.sst"
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.write_bytes(data)
    assert reader(directory) is None
    with pytest.raises(Corrupt, match=r"\.sst: at offset \d+ expected .*, found"):
        Database.open(directory)


def examples(chapter, name):
    """The bytes of a worked example of a chapter."""
    text = (ROOT / "format-spec" / f"{chapter}.md").read_text()
    block = text.split(f"```hex {name}\n")[1].split("```")[0]
    return bytes.fromhex("".join(line[6:53] for line in block.splitlines()))


def test_the_chapter_on_items():
    """Items and numbers are the server's: its worked examples are what there is to compare."""
    data = examples("items", "item")
    assert items.item(data, "item") == {
        "b": {"B": "AP8="},
        "l": {"L": [{"BOOL": True}, {"NULL": True}]},
        "m": {"M": {"k": {"N": "-12.5"}}},
        "ns": {"NS": ["2", "10"]},
        "s": {"S": "é"},
    }
    numbers = examples("items", "numbers")
    found = []
    while numbers:
        value, numbers = items.key_value("N", numbers, last=True)
        found.append(value["N"])
    big = "-99999999999999999999999999999999999999" + "0" * 88
    small = ["-100", "-12.5", "-1", "-0.001", "0", "0.001", "1", "1.5", "12.5", "99", "100"]
    assert found == [big, *small]
    # The header, and the first name's length and value's type.
    for place in (*range(9), 9, 11):
        damaged = bytearray(data)
        damaged[place] ^= 0x80
        with pytest.raises(Corrupt):
            items.item(damaged, "item")
