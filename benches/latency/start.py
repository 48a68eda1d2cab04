#!/usr/bin/env python3
"""How long Stator takes from its start on an empty directory to its first answer, and the memory it
has then, idle.

    cargo build --release && python3 benches/latency/start.py [BINARY]
"""

import http.client
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = 21
ENDPOINT = "endpoint    http://"


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target/release/stator")
    times, resident = [], "?"
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as directory:
            begin = time.perf_counter()
            server = subprocess.Popen(
                [binary, "--port", "0", "--dir", directory], stdout=subprocess.PIPE, text=True
            )
            address = next(line for line in server.stdout if ENDPOINT in line)
            connection = http.client.HTTPConnection(address.split("//")[1].strip())
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            times.append((time.perf_counter() - begin) * 1000)
            if answer.status != 200:
                sys.exit(f"the first answer was {answer.status}")
            status = pathlib.Path(f"/proc/{server.pid}/status")
            if status.exists():
                resident = next(
                    line.split(":")[1].strip()
                    for line in status.read_text().splitlines()
                    if line.startswith("VmRSS")
                )
            connection.close()
            server.kill()
            server.wait()
    times.sort()
    print(
        f"start to first answer, ms, {ROUNDS} rounds: best {times[0]:.1f}, "
        f"median {statistics.median(times):.1f}, worst {times[-1]:.1f}; resident {resident}"
    )


if __name__ == "__main__":
    main()
