"""What a program asks, recorded by the proxy and played again."""

import json
import re
import signal
import time

import boto3

from stator import REGION, config
from tables import create, simple
from test_bench import finish, run, spawn


def test_what_was_recorded_is_played_at_its_times(server, start, tmp_path):
    recording = tmp_path / "recording"
    process = spawn(
        *("--endpoint", server.endpoint, "--record", str(recording), "--listen", "127.0.0.1:0")
    )
    address = re.search(r"http://\S+?(?=;)", process.stderr.readline()).group()
    client = boto3.client(
        "dynamodb",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=config(),
    )
    # Played faster, one of these might not have ended before the next: tables are there already.
    other = start(directory=tmp_path / "other")
    for each in (server, other):
        create(each.client(), simple("played"))
    began = time.monotonic()
    for number in range(20):
        item = {"pk": {"S": f"{number}"}, "text": {"S": "a\nb é"}, "n": {"N": "1.00"}}
        client.put_item(TableName="played", Item=item)
        time.sleep(0.05)
    assert client.get_item(TableName="played", Key={"pk": {"S": "7"}})["Item"]["text"]["S"] == "a\nb é"
    took = time.monotonic() - began
    process.send_signal(signal.SIGINT)
    finish(process)
    lines = [json.loads(line) for line in recording.read_text().splitlines()]
    names = [line["target"].split(".")[1] for line in lines]
    assert names == ["PutItem"] * 20 + ["GetItem"]
    assert "Signature" not in recording.read_text()

    # Played on another server, twice as fast.
    results, out = run(
        tmp_path / "results.json",
        *("--endpoint", other.endpoint, "--replay", str(recording), "--speed", "2"),
    )
    assert results["response"]["count"] == 21 and not results["outcomes"], out
    assert {kind["name"] for kind in results["operations"]} == set(names)
    assert results["seconds"] >= 0.45 * took, out
    played = other.client().scan(TableName="played")["Items"]
    original = server.client().scan(TableName="played")["Items"]
    assert sorted(map(str, played)) == sorted(map(str, original)) and len(played) == 20
