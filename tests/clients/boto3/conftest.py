"""The table that most of these tests work on."""

import pytest
from tables import MUSIC, create


@pytest.fixture
def music(client):
    """An empty table of songs, with a global and a local secondary index."""
    return create(client, MUSIC)
