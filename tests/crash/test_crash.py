"""Sixty ends of the process, through an SDK. `test_torture.py` has more, without one.

Every round starts the server on the same directory, checks that everything is as the clients
remember it, and lets writers, a reader and somebody who makes and drops tables loose on it until,
after a random number of acknowledgements, the process is killed with SIGKILL. Some rounds kill it
once more while it starts, or while it is coming to rest after SIGTERM.

What is checked after each: no acknowledged write is missing, no item and no transaction is half
there, nothing that a reader was shown is gone, and both indexes hold exactly what the table says
they hold.

A seed decides what is written and when the power goes; the threads' order is the machine's. To
repeat a run: STATOR_CRASH_SEED and STATOR_CRASH_ROUNDS.
"""

import os
import random
import signal
import sys
import threading
import time

from botocore.exceptions import ConnectionError as NoConnection
from botocore.exceptions import HTTPClientError
from history import Counter, Slot, item_of
from stator import Stator
from tables import scan_all, simple

WRITERS, SLOTS, TABLES = 6, 10, 4
DEFINITION = {
    **simple("crash", "S", "N"),
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
        {"AttributeName": "group", "AttributeType": "S"},
        {"AttributeName": "stamp", "AttributeType": "N"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-group",
            "KeySchema": [
                {"AttributeName": "group", "KeyType": "HASH"},
                {"AttributeName": "stamp", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "by-stamp",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "stamp", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}


class PowerCut(Exception):
    """The server is gone; the request may or may not have been carried out."""


class Clients:
    """Everybody who uses the server, and what they remember."""

    def __init__(self, seed):
        self.seed = seed
        keys = [(writer, slot) for writer in range(WRITERS) for slot in range(SLOTS)]
        self.slots = {key: Slot() for key in keys}
        self.versions = {key: 0 for key in keys}
        self.counter = Counter()
        # By writer, the transaction that was not answered: each key, and what is tried on it.
        self.transactions = {}
        # A small table's state is the generation it was made in, or None where it is not there.
        self.tables = {f"small-{number}": Slot() for number in range(TABLES)}
        self.generation = 0
        self.written = {}
        self.acknowledged = 0
        self.target = 0
        self.enough = threading.Event()
        self.lock = threading.Lock()
        self.failures = []

    # One round of work.

    def work(self, client, target, rng):
        """Starts everybody; `enough` is set after `target` acknowledgements."""
        self.acknowledged, self.target = 0, target
        self.enough.clear()
        roles = [(self.write, writer) for writer in range(WRITERS)]
        roles += [(self.read, None), (self.make_tables, None)]
        threads = [
            threading.Thread(target=self.role, args=(role, client, rng.random(), about))
            for role, about in roles
        ]
        for thread in threads:
            thread.start()
        return threads

    def role(self, role, client, seed, about):
        rng = random.Random(seed)
        try:
            while True:
                role(client, rng, about)
        except PowerCut:
            pass
        except BaseException as failure:  # noqa: BLE001 (the main thread raises it)
            self.failures.append(failure)
        self.enough.set()

    def send(self, call, **parameters):
        """One request. Only a connection that broke means that the power went."""
        try:
            return call(**parameters)
        except (HTTPClientError, NoConnection) as error:
            raise PowerCut from error

    def acknowledge(self, count=1):
        with self.lock:
            self.acknowledged += count
            if self.acknowledged >= self.target:
                self.enough.set()

    def write(self, client, rng, writer):
        """One write of one writer, who alone writes its slots."""
        kinds = ["put", "update", "delete", "batch", "transact", "count"]
        kind = rng.choices(kinds, [5, 3, 1, 1, 1, 2])[0]
        if kind == "count":
            return self.count(client)
        slots = rng.sample(range(SLOTS), 5 if kind in ("batch", "transact") else 1)
        tried = [self.try_one(kind, (writer, slot), rng) for slot in slots]
        requests = [request for _, _, request in tried]
        if kind == "batch":
            answer = self.send(client.batch_write_item, RequestItems={"crash": requests})
            assert answer["UnprocessedItems"] == {}
        elif kind == "transact":
            self.transactions[writer] = [(key, number) for key, number, _ in tried]
            puts = [{"Put": {"TableName": "crash", **request}} for request in requests]
            self.send(client.transact_write_items, TransactItems=puts)
            del self.transactions[writer]
        else:
            call = getattr(client, f"{kind}_item")
            self.send(call, TableName="crash", **requests[0])
        for key, number, _ in tried:
            self.slots[key].acknowledged(number)
        self.acknowledge(len(tried))

    def try_one(self, kind, key, rng):
        """Notes what is tried on a slot, and makes the request for it."""
        if kind == "delete" or (kind == "batch" and rng.random() < 0.3):
            number = self.slots[key].tried(None)
            found = {"pk": {"S": f"writer {key[0]}"}, "sk": {"N": str(key[1])}}
            request = {"Key": found}
            return key, number, {"DeleteRequest": request} if kind == "batch" else request
        self.versions[key] += 1
        item = item_of(self.seed, key, self.versions[key])
        number = self.slots[key].tried(self.versions[key])
        if kind == "update":
            return key, number, update_to(item)
        request = {"Item": item}
        return key, number, {"PutRequest": request} if kind == "batch" else request

    def count(self, client):
        self.counter.trying()
        answer = self.send(
            client.update_item,
            TableName="crash",
            Key={"pk": {"S": "counter"}, "sk": {"N": "0"}},
            UpdateExpression="ADD #n :one",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        self.counter.shown(int(answer["Attributes"]["n"]["N"]))
        self.acknowledge()

    def read(self, client, rng, _):
        """Looks at a random item: what it is shown has to survive, acknowledged or not."""
        key = (rng.randrange(WRITERS), rng.randrange(SLOTS))
        answer = self.send(
            client.get_item,
            TableName="crash",
            Key={"pk": {"S": f"writer {key[0]}"}, "sk": {"N": str(key[1])}},
            ConsistentRead=rng.random() < 0.5,
        )
        if item := answer.get("Item"):
            version = int(item["version"]["N"])
            assert item == item_of(self.seed, key, version), f"half an item was read: {key}"
            self.slots[key].seen(version)

    def make_tables(self, client, rng, _):
        """Makes or drops a small table, with one item that says when it was made."""
        name = rng.choice(list(self.tables))
        table = self.tables[name]
        if table.states[-1] is None:
            self.generation += 1
            generation = str(self.generation)
            number = table.tried(generation)
            self.send(client.create_table, **simple(name))
            table.acknowledged(number)
            self.send(client.put_item, TableName=name, Item={"pk": {"S": generation}})
            self.written[name] = generation
        else:
            number = table.tried(None)
            self.send(client.delete_table, TableName=name)
            while self.exists(client, name):
                pass
            table.acknowledged(number)
        self.acknowledge()

    def exists(self, client, name):
        try:
            self.send(client.describe_table, TableName=name)
            return True
        except client.exceptions.ResourceNotFoundException:
            return False

    # After the crash.

    def verify(self, client):
        """Compares everything with the histories, which go on from what is found."""
        items = scan_all(client, "crash", ConsistentRead=True)
        counters = [item for item in items if item["pk"]["S"] == "counter"]
        items = [item for item in items if item["pk"]["S"] != "counter"]
        self.counter.settle(int(counters[0]["n"]["N"]) if counters else 0)
        found = {(int(i["pk"]["S"].split()[1]), int(i["sk"]["N"])): i for i in items}
        assert len(found) == len(items), "a scan gave an item twice"
        self.verify_transactions(found)
        for key, slot in self.slots.items():
            item = found.get(key)
            state = int(item["version"]["N"]) if item else None
            assert state in slot.possible(), (
                f"{key} is at {state}; possible after this crash: {slot.possible()}"
            )
            if item:
                assert item == item_of(self.seed, key, state), f"{key} is half there: {item}"
            slot.settle(state)
        self.verify_indexes(client, items)
        self.verify_tables(client)

    def verify_transactions(self, found):
        """A transaction that was not answered has written all of its items or none."""
        for parts in self.transactions.values():
            done = [
                key in found and int(found[key]["version"]["N"]) == self.slots[key].states[number]
                for key, number in parts
            ]
            assert len(set(done)) == 1, f"half a transaction: {dict(parts)}, written: {done}"
        self.transactions.clear()

    def verify_indexes(self, client, items):
        by_key = lambda item: (item["pk"]["S"], int(item["sk"]["N"]))  # noqa: E731
        grouped = sorted((item for item in items if "group" in item), key=by_key)
        index = sorted(scan_all(client, "crash", IndexName="by-group"), key=by_key)
        assert index == grouped, "the global index differs from its table"
        names = ("pk", "sk", "stamp")
        projected = [{name: item[name] for name in names} for item in sorted(items, key=by_key)]
        index = sorted(scan_all(client, "crash", IndexName="by-stamp"), key=by_key)
        assert index == projected, "the local index differs from its table"

    def verify_tables(self, client):
        names = set(client.list_tables()["TableNames"])
        for name, table in self.tables.items():
            if name not in names:
                assert None in table.possible(), f"{name} is missing"
                table.settle(None)
                continue
            assert client.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"
            stored = {item["pk"]["S"] for item in scan_all(client, name, ConsistentRead=True)}
            made = {state for state in table.possible() if state is not None}
            assert made, f"{name} was dropped and is there"
            assert stored <= made, f"{name} has items of an older table: {stored - made}"
            if stored:
                generation = self.written[name] = stored.pop()
            else:
                generation = max(made, key=int)
                assert self.written.get(name) != generation, f"{name} lost its item"
            table.settle(generation)


def update_to(item):
    """The update that makes any state of a slot into `item`."""
    item = dict(item)
    key = {"pk": item.pop("pk"), "sk": item.pop("sk")}
    expression = "SET " + ", ".join(f"#{name} = :{name}" for name in item)
    names = {f"#{name}": name for name in item}
    if "group" not in item:
        expression += " REMOVE #group"
        names["#group"] = "group"
    return {
        "Key": key,
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {f":{name}": value for name, value in item.items()},
    }


def cut(server, rng):
    """Ends the process, in one of the ways that power fails."""
    way = rng.choices(["kill", "while stopping", "stop"], [17, 2, 1])[0]
    if way == "stop":
        assert server.stop() == 0
        return
    if way == "while stopping":
        server.process.send_signal(signal.SIGTERM)
        time.sleep(rng.uniform(0, 0.02))
    server.kill()


def test_no_acknowledged_write_is_ever_missing_and_none_is_half_there(tmp_path, capfd):
    seed = int(os.environ.get("STATOR_CRASH_SEED", random.SystemRandom().randrange(2**32)))
    rounds = int(os.environ.get("STATOR_CRASH_ROUNDS", "60"))
    with capfd.disabled():
        print(f"\nSTATOR_CRASH_SEED={seed} STATOR_CRASH_ROUNDS={rounds}", file=sys.stderr)
    rng = random.Random(seed)
    clients = Clients(seed)
    server = Stator(tmp_path / "data", "--durability", "sync")
    acknowledged = 0
    try:
        server.start().client().create_table(**DEFINITION)
        for number in range(rounds):
            try:
                acknowledged += one_round(server, clients, rng)
            except Exception as failure:
                message = f"round {number} of STATOR_CRASH_SEED={seed} in {server.directory}"
                raise AssertionError(message) from failure
        clients.verify(server.client())
        assert server.stop() == 0
    finally:
        server.kill()
    with capfd.disabled():
        print(f"{acknowledged} acknowledged writes survived {rounds} crashes", file=sys.stderr)


def one_round(server, clients, rng):
    """Verifies, works, cuts the power and starts again. Returns how much was acknowledged."""
    client = server.client()
    clients.verify(client)
    threads = clients.work(client, rng.randint(1, 400), rng)
    clients.enough.wait()
    cut(server, rng)
    for thread in threads:
        thread.join()
    if clients.failures:
        raise clients.failures[0]
    if rng.random() < 0.1:
        server.spawn()
        time.sleep(rng.uniform(0, 0.02))
        server.kill()
    server.start()
    return clients.acknowledged
