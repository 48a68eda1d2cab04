"""Starts the real binary, each time on a port of its own, and takes it down again.

The binary is the one that STATOR_BINARY names; `tests/run` builds it and sets that. Nothing here
waits for a fixed time: the banner says when the server is ready, and `wait` when it is gone.
"""

import os
import re
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import boto3
from botocore.config import Config

REGION = "eu-central-1"
ROOT = Path(__file__).resolve().parents[2]
# One session, since it reads the API model only once; it may not be used by two threads at once.
SESSION = boto3.Session(
    aws_access_key_id="stator", aws_secret_access_key="stator", region_name=REGION
)
SESSION_LOCK = threading.Lock()


def binary() -> str:
    """The path of the binary under test."""
    named = os.environ.get("STATOR_BINARY")
    path = Path(named) if named else ROOT / "target" / "release" / "stator"
    assert path.is_file(), f"{path} is missing: build it, or set STATOR_BINARY"
    return str(path)


class Stator:
    """One process of `stator serve`, and the directory that it may share with later ones."""

    def __init__(self, directory, *options):
        self.directory = Path(directory)
        self.options = options
        self.listen = 0
        self.process = None
        self.endpoint = None
        self.log = None

    def arguments(self):
        """The command line. `--in-memory` among the options replaces the directory."""
        storage = [] if "--in-memory" in self.options else ["--dir", str(self.directory)]
        port = str(self.listen)
        return [binary(), "serve", "--port", port, "--region", REGION, *storage, *self.options]

    def spawn(self):
        """Starts the process without waiting until it serves."""
        assert self.process is None, "it runs already"
        # stderr goes to a file, since a pipe that nobody reads would fill and block the server.
        self.log = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            self.arguments(), stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        return self

    def start(self):
        """Starts the process and returns when it serves."""
        self.spawn()
        banner = []
        for line in self.process.stdout:
            banner.append(line)
            if found := re.match(r"\s*endpoint\s+(http://\S+)", line):
                self.endpoint = found.group(1)
            if re.match(r"\s*try\s", line):
                return self
        self.process.wait()
        raise AssertionError(f"it did not start: {''.join(banner)}{self.errors()}")

    def errors(self) -> str:
        """What the process has written to stderr so far."""
        self.log.seek(0)
        return self.log.read()

    def keep_port(self):
        """Makes the next processes listen where this one does, for clients that were told it."""
        self.listen = self.port

    def kill(self):
        """The power cut: SIGKILL, then wait until the process is gone."""
        if self.process is not None:
            self.process.kill()
            self._gone()

    def stop(self) -> int:
        """The clean end: SIGTERM. Returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._gone()

    def _gone(self) -> int:
        code = self.process.wait()
        self.process.stdout.close()
        self.process = None
        errors = self.errors()
        assert "panicked at" not in errors, errors
        return code

    def restart(self):
        """Stops cleanly and starts again on the same directory."""
        assert self.stop() == 0
        return self.start()

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self.endpoint.rsplit(":", 1)[1])

    def client(self, **settings):
        """A boto3 client of its own connection pool, which fails rather than tries again."""
        with SESSION_LOCK:
            return SESSION.client("dynamodb", endpoint_url=self.endpoint, config=config(**settings))

    def resource(self, **settings):
        """The boto3 resource for the same."""
        with SESSION_LOCK:
            return SESSION.resource(
                "dynamodb", endpoint_url=self.endpoint, config=config(**settings)
            )


def config(**settings):
    """No second tries: a test must see the first answer."""
    return Config(**{"retries": {"total_max_attempts": 1}, "max_pool_connections": 64, **settings})
