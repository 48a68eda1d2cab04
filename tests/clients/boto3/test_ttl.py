"""Time to live, and the clock that makes it a matter of milliseconds."""

import json
import time
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from tables import MUSIC, create

HOUR = 3_600_000
START = 1_800_000_000


@pytest.fixture
def driven(start):
    """A server whose clock stands at START."""
    return start("--clock", f"manual:{START * 1000}")


def clock(server, **move):
    """Moves the clock, or reads it."""
    data = json.dumps(move).encode() if move else None
    request = urllib.request.Request(f"{server.endpoint}/_stator/clock", data)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def refused(server, **move):
    """Status and message of a move that is refused."""
    with pytest.raises(urllib.error.HTTPError) as error:
        clock(server, **move)
    return error.value.code, json.load(error.value)["message"]


def switch(client, enabled, attribute="expires"):
    return client.update_time_to_live(
        TableName="Music",
        TimeToLiveSpecification={"Enabled": enabled, "AttributeName": attribute},
    )["TimeToLiveSpecification"]


def described(client):
    return client.describe_time_to_live(TableName="Music")["TimeToLiveDescription"]


def put(client, number, expires, **more):
    item = {
        "artist": {"S": "Can"},
        "title": {"S": f"song {number:06}"},
        "genre": {"S": "rock"},
        "year": {"N": str(number)},
        "plays": {"N": str(number)},
        "expires": expires,
    }
    client.put_item(TableName="Music", Item={**item, **more})


def titles(client, **index):
    """Numbers of the songs in the table, or in an index."""
    pages = client.get_paginator("scan").paginate(TableName="Music", **index)
    return {int(item["title"]["S"].split()[1]) for page in pages for item in page["Items"]}


def test_the_clock_stands_until_it_is_moved(driven):
    reading = {"clock": "manual", "now_ms": START * 1000}
    assert clock(driven) == reading
    assert clock(driven, advance_ms=5) == {**reading, "now_ms": START * 1000 + 5}
    assert clock(driven, set_ms=START * 1000 + 7)["now_ms"] == START * 1000 + 7
    status, message = refused(driven, set_ms=START * 1000 + 6)
    assert status == 400 and "does not go back" in message
    assert refused(driven, advance=1)[0] == 400
    client = driven.client()
    table = client.create_table(**MUSIC)["TableDescription"]
    assert table["CreationDateTime"].timestamp() == START + 0.007
    driven.restart()
    assert clock(driven)["now_ms"] == START * 1000 + 7


def test_the_systems_clock_is_not_moved(server):
    assert clock(server)["clock"] == "system"
    status, message = refused(server, advance_ms=1)
    assert status == 409 and "--clock manual" in message


def test_two_days_delete_exactly_what_is_due(driven):
    client = driven.client()
    create(client, MUSIC)
    assert described(client) == {"TimeToLiveStatus": "DISABLED"}
    # Half of the items are older than the index of what expires.
    for number in range(50):
        put(client, number, {"N": str(START + number * HOUR // 1000)})
    assert switch(client, True) == {"Enabled": True, "AttributeName": "expires"}
    for number in range(50, 100):
        put(client, number, {"N": str(START + number * HOUR // 1000)})
    put(client, 100, {"S": str(START)})
    put(client, 101, {"N": str(START * 1000)})
    put(client, 102, {"N": str(START - 6 * 365 * 86_400)})
    assert described(client) == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    assert titles(client) == set(range(103)), "what has expired is there until it is swept"

    clock(driven, advance_ms=48 * HOUR + 1)
    left = set(range(49, 103))
    for index in ({}, {"IndexName": "by-genre"}, {"IndexName": "by-plays"}):
        assert titles(client, **index) == left
    driven.restart()
    client = driven.client()
    assert titles(client) == left
    clock(driven, advance_ms=24 * HOUR)
    assert titles(client) == set(range(73, 103))


def test_it_is_switched_once_an_hour(driven):
    client = driven.client()
    create(client, MUSIC)
    switch(client, True)

    def refusal(*arguments):
        with pytest.raises(ClientError) as error:
            switch(client, *arguments)
        assert error.value.response["Error"]["Code"] == "ValidationException"
        return error.value.response["Error"]["Message"]

    too_soon = "Time to live has been modified multiple times within a fixed interval"
    assert refusal(True) == "TimeToLive is already enabled"
    assert refusal(False) == too_soon
    assert refusal(True, "other").endswith("current AttributeName is expires")
    clock(driven, advance_ms=HOUR)
    assert switch(client, False) == {"Enabled": False, "AttributeName": "expires"}
    assert described(client) == {"TimeToLiveStatus": "DISABLED"}
    assert refusal(True) == too_soon
    put(client, 1, {"N": str(START)})
    clock(driven, advance_ms=HOUR)
    assert titles(client) == {1}, "nothing expires any more"
    switch(client, True)
    clock(driven, advance_ms=0)
    assert titles(client) == set()


def test_under_the_systems_clock_items_go_by_themselves(start):
    client = start("--ttl-delay", "0").client()
    create(client, MUSIC)
    switch(client, True)
    put(client, 1, {"N": str(int(time.time()) + 1000)})
    put(client, 2, {"N": str(int(time.time()) - 10)})
    while titles(client) != {1}:
        pass
