"""What the server tells of its own work, and what `stator bench` makes of it."""

import json
import threading
import urllib.error
import urllib.request

import pytest

from fake import Fake
from tables import create, simple
from test_bench import run

STAGES = (
    "receive parse execute queue key_lock engine_read commit wal_wait sync delay respond"
).split()


def statistics(server):
    with urllib.request.urlopen(f"{server.endpoint}/_stator/statistics") as answer:
        assert answer.headers["Content-Type"] == "application/json"
        return json.load(answer)


def test_stages_add_up_to_the_total_of_each_operation(server):
    client = server.client()
    assert statistics(server)["operations"].get("PutItem") is None
    create(client, simple("counted"))

    def write(writer):
        for number in range(50):
            client.put_item(TableName="counted", Item={"pk": {"S": f"{writer} {number}"}})

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    for number in range(30):
        client.get_item(TableName="counted", Key={"pk": {"S": f"{number}"}})
    client.scan(TableName="counted")
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        item = {"pk": {"S": "1 1"}}
        client.put_item(TableName="counted", Item=item, ConditionExpression="attribute_not_exists(pk)")
    told = statistics(server)
    assert told["format"] == "stator-statistics/1" and told["stages"] == STAGES
    operations = told["operations"]
    counts = {name: operations[name]["total"]["count"] for name in ("PutItem", "GetItem", "Scan")}
    assert counts == {"PutItem": 201, "GetItem": 30, "Scan": 1}
    assert (operations["PutItem"]["refused"], operations["PutItem"]["failed"]) == (1, 0)
    for name, operation in operations.items():
        total, stages = operation["total"], operation["stages"]
        assert sum(stage["sum_ns"] for stage in stages.values()) == total["sum_ns"], name
        assert sum(ns for _, _, spent in operation["by_total"] for ns in spent) == total["sum_ns"], name
        assert sum(count for _, count, _ in operation["by_total"]) == total["count"]
        for times in [total, *stages.values()]:
            assert sum(count for _, count in times["buckets"]) == times["count"]
            uppers = [upper for upper, _ in times["buckets"]]
            assert uppers == sorted(uppers)
            assert times["max_ns"] * 15 / 16 <= uppers[-1] <= times["max_ns"] * 17 / 16 + 1
    put, get = operations["PutItem"]["stages"], operations["GetItem"]["stages"]
    assert {"parse", "execute", "key_lock", "engine_read", "commit", "sync", "respond"} <= set(put)
    # Every write waits for its group, unless that was done before it could.
    assert 150 <= put["sync"]["count"] <= 201
    assert {"parse", "execute", "engine_read", "respond"} <= set(get)
    assert not {"key_lock", "commit", "wal_wait", "sync", "delay"} & set(get)
    engine = told["engine"]
    assert 200 <= engine["commits"] and engine["wal_groups"] <= engine["commits"] + 10
    assert engine["wal_group_times"]["count"] == engine["wal_groups"]
    assert engine["write_delay_ns"] == 0 and engine["refuses_writes"] is None
    assert len(engine["levels"]) > 2 and engine["throttled_commits"] == 0
    later = statistics(server)
    assert later["uptime_ns"] > told["uptime_ns"] and later["operations"] == operations


def test_only_this_machine_is_told(start):
    server = start("--cors", "*")
    request = urllib.request.Request(
        f"{server.endpoint}/_stator/statistics", headers={"Origin": "https://example.com"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 403


def test_a_run_has_the_servers_view_beside_the_clients(tmp_path):
    results, out = run(
        tmp_path / "results.json",
        *("--mix", "get=2,put=1,read-modify-write=1", "--rate", "400", "--warm-up", "1s"),
        *("--duration", "4s", "--retries", "0"),
    )
    told = results["server"]["breakdown"]
    assert told["stages"] == STAGES
    operations = {operation["name"]: operation for operation in told["operations"]}
    asked = {kind["name"]: kind["response"]["count"] for kind in results["operations"]}
    requests = {kind["name"]: kind["requests"] for kind in results["operations"]}
    assert requests["read-modify-write"] == ["GetItem", "UpdateItem"]
    # The load before it, which is BatchWriteItem, is not in it; what was under way at the two looks is.
    assert set(operations) == {"GetItem", "PutItem", "UpdateItem"}, out
    for name, count in {
        "PutItem": asked["put"],
        "GetItem": asked["get"] + asked["read-modify-write"],
        "UpdateItem": asked["read-modify-write"],
    }.items():
        assert operations[name]["total"]["count"] == pytest.approx(count, rel=0.15), out
    for operation in operations.values():
        means = [stage["mean"] for stage in operation["stages"]]
        assert sum(means) == pytest.approx(operation["total"]["mean"], rel=1e-9)
        slow = sum(operation["slow"]["means"])
        assert slow >= operation["total"]["mean"] * 0.999
    # The client's time is the server's and what is around it.
    for kind in results["operations"]:
        server = sum(operations[name]["total"]["mean"] for name in kind["requests"])
        assert kind["name"] != "get" or kind["service"]["mean"] > 0.5 * server, out
    assert told["engine"]["commits"] >= 0.9 * (asked["put"] + asked["read-modify-write"])
    assert 3 <= len(told["moments"]) <= 6 and told["seconds"] == pytest.approx(4, abs=1.5)
    answered = sum(operation["total"]["count"] for operation in told["operations"])
    assert sum(moment["requests"] for moment in told["moments"]) == answered
    for words in ("at the server", "PutItem", "engine read", "sync", "log:", "tree:"):
        assert words in out, out


def test_others_are_asked_once_and_nothing_is_said_of_it(tmp_path):
    fake = Fake(lambda: 0)
    results, out = run(
        tmp_path / "results.json",
        *("--endpoint", fake.endpoint, "--no-load", "--mix", "get=1", "--rate", "50"),
        *("--warm-up", "0s", "--duration", "3s", "--connections", "4"),
    )
    fake.stop()
    assert results["server"] is None and "server" not in out, out
