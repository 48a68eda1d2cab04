"""A global secondary index that is added to a table in use: under a steady load of writes, and with
`kill -9` in the middle. Afterwards every entry is right.

STATOR_BACKFILL_ITEMS says how many items there are before the index (20,000 by default). What the
writes took, before and meanwhile, is printed; no test depends on it.
"""

import json
import os
import random
import socket
import threading
import time

from connection import Connection

ITEMS = int(os.environ.get("STATOR_BACKFILL_ITEMS", 20_000))
WRITERS = 8
# Writes per second of all writers together: few enough that a slow disk keeps up.
RATE = 200
# Connections that load the items: many share one sync.
LOADERS = 16
# Seconds of load before the index is added.
BEFORE = 3 if ITEMS <= 100_000 else 20

TABLE = {
    "TableName": "items",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}
INDEX = {
    "TableName": "items",
    "AttributeDefinitions": [
        {"AttributeName": "kind", "AttributeType": "S"},
        {"AttributeName": "rank", "AttributeType": "N"},
    ],
    "GlobalSecondaryIndexUpdates": [
        {
            "Create": {
                "IndexName": "by-kind",
                "KeySchema": [
                    {"AttributeName": "kind", "KeyType": "HASH"},
                    {"AttributeName": "rank", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["version"]},
            }
        }
    ],
}


class Client:
    """One connection."""

    def __init__(self, server):
        self.connection = Connection(server)
        # Head and body of a request are sent one after the other; neither waits for the other.
        self.connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, operation, **request):
        """The answer, which must not be an error."""
        status, answer = self.connection.operation(operation, json.dumps(request))
        assert status == 200, answer
        return answer

    def index(self):
        """The index's description, once there is one."""
        table = self.ask("DescribeTable", TableName="items")["Table"]
        return table, table.get("GlobalSecondaryIndexes", [{}])[0]


def item(number, rng, version):
    """An item. One in ten is not in the index, for lack of one of its keys or for a wrong type."""
    new = {
        "pk": {"S": f"item {number}"},
        "version": {"N": str(version)},
        "payload": {"S": "x" * 150},
    }
    if rng.random() < 0.95:
        new["kind"] = {"S": f"kind {rng.randrange(1000)}"}
    if rng.random() < 0.95:
        new["rank"] = {"N": str(rng.randrange(1_000_000))}
    return new


def load(server):
    """Makes the table and its items; some have keys that no write could leave in an index."""
    Client(server).ask("CreateTable", **TABLE)

    def part(first):
        client, rng = Client(server), random.Random(first)
        numbers = list(range(first, ITEMS, LOADERS))
        for start in range(0, len(numbers), 25):
            items = [item(number, rng, 0) for number in numbers[start : start + 25]]
            if start % 1000 == 0:
                items[0]["kind"] = {"N": "1"}
                items[-1]["kind"] = {"S": "k" * 3000}
            puts = [{"PutRequest": {"Item": item}} for item in items]
            client.ask("BatchWriteItem", RequestItems={"items": puts})

    threads = [threading.Thread(target=part, args=(first,)) for first in range(LOADERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Writer(threading.Thread):
    """Writes to items of its own at a steady rate, until told to stop or the server is gone."""

    def __init__(self, server, number, seed):
        super().__init__()
        self.client = Client(server)
        self.number = number
        self.rng = random.Random(f"{seed}/{number}")
        self.times = []  # when it was due, and how long from then until it was answered
        self.stopped = threading.Event()
        self.is_cut_off = False
        self.failure = None

    def run(self):
        due, version = time.perf_counter(), 0
        while not self.stopped.is_set():
            due += WRITERS / RATE
            time.sleep(max(0, due - time.perf_counter()))
            version += 1
            try:
                self.write(version)
            except (OSError, IndexError, ValueError):
                self.is_cut_off = True
                return
            except AssertionError as error:
                self.failure = error
                return
            self.times.append((due, time.perf_counter() - due))

    def write(self, version):
        rng = self.rng
        number = rng.randrange(self.number, ITEMS + 1000, WRITERS)
        key = {"pk": {"S": f"item {number}"}}
        kind = rng.random()
        if kind < 0.4:
            self.client.ask("PutItem", TableName="items", Item=item(number, rng, version))
        elif kind < 0.9:
            values = {":v": {"N": str(version)}, ":r": {"N": str(rng.randrange(1_000_000))}}
            # A rank alone; a kind may be there that the index does not take.
            update = "SET version = :v, #r = :r"
            self.client.ask(
                "UpdateItem", TableName="items", Key=key, UpdateExpression=update,
                ExpressionAttributeNames={"#r": "rank"}, ExpressionAttributeValues=values,
            )
        else:
            self.client.ask("DeleteItem", TableName="items", Key=key)

    def stop(self):
        self.stopped.set()
        self.join()
        assert self.failure is None, self.failure


def scan(server, **request):
    """All items, by their primary key."""
    client, found, start = Client(server), {}, {}
    while True:
        page = client.ask("Scan", TableName="items", **request, **start)
        for one in page["Items"]:
            assert found.setdefault(one["pk"]["S"], one) is one, "an entry twice"
        if "LastEvaluatedKey" not in page:
            return found
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def entry(found):
    """What the index has of an item."""
    kind, rank = found.get("kind", {}).get("S"), found.get("rank", {}).get("N")
    if not kind or len(kind) > 2048 or rank is None:
        return None
    return {name: found[name] for name in ("pk", "kind", "rank", "version") if name in found}


def check(server):
    """That the index is what the table makes it."""
    wanted = {}
    for key, found in scan(server, ProjectionExpression="pk, kind, #r, version",
                           ExpressionAttributeNames={"#r": "rank"}).items():
        if one := entry(found):
            wanted[key] = one
    found = scan(server, IndexName="by-kind")
    assert found.keys() == wanted.keys()
    wrong = [key for key, one in wanted.items() if found[key] != one]
    assert wrong == []
    return len(found)


def p99(times):
    times = sorted(times)
    return 1000 * times[int(len(times) * 0.99)] if times else float("nan")


def median(times):
    return 1000 * sorted(times)[len(times) // 2] if times else float("nan")


def test_an_index_is_added_under_load(start):
    server = start()
    began = time.perf_counter()
    load(server)
    print(f"\n{ITEMS} items loaded in {time.perf_counter() - began:.1f} s")
    writers = [Writer(server, number, "load") for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    time.sleep(BEFORE)
    added = time.perf_counter()
    client = Client(server)
    table = client.ask("UpdateTable", **INDEX)["TableDescription"]
    index = table["GlobalSecondaryIndexes"][0]
    assert (table["TableStatus"], index["IndexStatus"]) == ("UPDATING", "CREATING")
    assert index["Backfilling"] is False
    while index["IndexStatus"] != "ACTIVE":
        time.sleep(0.05)
        table, index = client.index()
        assert table["TableStatus"] == "ACTIVE"
    filled = time.perf_counter()
    time.sleep(1)
    for writer in writers:
        writer.stop()
        assert not writer.is_cut_off
    times = [time for writer in writers for time in writer.times]
    before = [took for due, took in times if due < added]
    meanwhile = [took for due, took in times if added <= due < filled]
    entries = check(server)
    _, index = client.index()
    assert index["ItemCount"] == entries
    print(f"filled with {entries} entries in {filled - added:.1f} s at {RATE} writes/s")
    print(f"a write before:    {len(before)}, median {median(before):.2f} ms, p99 {p99(before):.2f} ms")
    print(f"a write meanwhile: {len(meanwhile)}, median {median(meanwhile):.2f} ms, "
          f"p99 {p99(meanwhile):.2f} ms")


def test_filling_goes_on_after_kill_9(start):
    server = start()
    load(server)
    rng = random.Random()
    seed = rng.randrange(1_000_000)
    print(f"\nseed {seed}")
    rng.seed(seed)
    Client(server).ask("UpdateTable", **INDEX)
    interrupted = 0
    for life in range(6):
        writers = [Writer(server, number, f"{seed}/{life}") for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(rng.uniform(0.01, 0.15))
        server.kill()
        for writer in writers:
            writer.stop()
        server.start()
        interrupted += Client(server).index()[1]["IndexStatus"] == "CREATING"
    client = Client(server)
    while client.index()[1]["IndexStatus"] != "ACTIVE":
        time.sleep(0.05)
    print(f"interrupted {interrupted} times; {check(server)} entries are right")
    assert interrupted > 0, "it was filled before anybody could interrupt it"
