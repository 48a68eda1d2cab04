"""Fixtures of all Python suites: a server of its own for every test."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "harness"))
# Whatever is set up on the machine must not reach the clients.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

from stator import Stator  # noqa: E402 (the path and the environment come first)


@pytest.fixture
def start(tmp_path):
    """Starts servers with the options a test wants; all are gone when it ends."""
    started = []

    def start(*options, directory=tmp_path / "data"):
        server = Stator(directory, *options)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def server(start):
    """A server on an empty directory."""
    return start()


@pytest.fixture
def client(server):
    """A boto3 client of that server."""
    return server.client()
