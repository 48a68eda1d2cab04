"""`stator torture --against`: the binary kills itself, and compares with what its clients remember.

Faster than what boto3 can do, and with more kinds of work: see `server/src/torture/against`. Here is
only that it ends well, and what it says; `test_crash.py` does less through an SDK.
"""

import json
import os
import subprocess

from stator import binary

KILLS = int(os.environ.get("STATOR_TORTURE_KILLS", "150"))


def torture(*options):
    return subprocess.run([binary(), "torture", *options, "--json"], capture_output=True, text=True)


def test_nothing_acknowledged_is_missing_and_nothing_is_half_done(tmp_path):
    directory = tmp_path / "torture"
    done = torture("--against", str(directory), "--crash-points", str(KILLS))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    report = json.loads(done.stdout)
    assert report["kept"] and report["kills"] + report["kills_while_opening"] >= KILLS
    for kind in ["puts", "updates", "batches", "transactions", "statements", "transfers"]:
        assert report["answered"][kind] > 0, report
    assert report["stream_records"] > 0 and report["reopen_ms"]["slowest"] > 0
    print(f"{KILLS} kills: {done.stdout}")


def test_it_does_not_guess_what_was_in_a_directory(tmp_path):
    (tmp_path / "something").write_text("of somebody else's")
    done = torture("--against", str(tmp_path), "--crash-points", "1")
    assert done.returncode == 3, done.stdout
    assert "has something in it" in done.stderr


def test_an_opening_that_takes_too_long_is_a_finding(tmp_path):
    options = ["--crash-points", "1", "--max-reopen", "0"]
    done = torture("--against", str(tmp_path / "torture"), *options)
    assert done.returncode == 1, done.stderr
    assert "an opening took" in json.loads(done.stdout)["finding"]
