"""Streams, read as the Kinesis Client Library reads them: children after their parents.

STATOR_STREAM_WRITES makes the long run of as many writes, for instance 1000000.
"""

import json
import os
import random
import threading
import urllib.request
from collections import defaultdict

from stator import SESSION, SESSION_LOCK, config
from tables import create, simple

WRITES = int(os.environ.get("STATOR_STREAM_WRITES", "6000"))
KEYS = 200
WRITERS = 4


def streams(server):
    """A client of the streams of a server."""
    with SESSION_LOCK:
        return SESSION.client(
            "dynamodbstreams", endpoint_url=server.endpoint, config=config()
        )


def streamed(client, name, view="NEW_AND_OLD_IMAGES"):
    """Makes a table with a stream, and returns the stream's ARN."""
    specification = {"StreamEnabled": True, "StreamViewType": view}
    create(client, {**simple(name), "StreamSpecification": specification})
    return client.describe_table(TableName=name)["Table"]["LatestStreamArn"]


def split(server, arn):
    body = json.dumps({"split": arn}).encode()
    request = urllib.request.Request(f"{server.endpoint}/_stator/shards", body)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["split"]


class Reader:
    """Reads shards from their beginning or from where it got to, a child once its parents are read
    to their end. What it keeps of itself is what a checkpoint table would: sequence numbers."""

    def __init__(self, arn):
        self.arn = arn
        self.done = set()
        self.reached = {}
        self.records = []

    def shards(self, client):
        found, start = [], {}
        while True:
            page = client.describe_stream(StreamArn=self.arn, Limit=7, **start)
            found += page["StreamDescription"]["Shards"]
            last = page["StreamDescription"].get("LastEvaluatedShardId")
            if last is None:
                return found
            start = {"ExclusiveStartShardId": last}

    def iterator(self, client, shard):
        at = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard in self.reached:
            at = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": self.reached[shard],
            }
        return client.get_shard_iterator(StreamArn=self.arn, ShardId=shard, **at)["ShardIterator"]

    def poll(self, client):
        """Reads what there is, and says whether it found anything."""
        shards = self.shards(client)
        known = {shard["ShardId"] for shard in shards}
        found = False
        for shard in shards:
            name, parent = shard["ShardId"], shard.get("ParentShardId")
            if name in self.done or (parent in known and parent not in self.done):
                continue
            iterator = self.iterator(client, name)
            while iterator:
                page = client.get_records(ShardIterator=iterator)
                iterator = page.get("NextShardIterator")
                for record in page["Records"]:
                    self.reached[name] = record["dynamodb"]["SequenceNumber"]
                    self.records.append(record)
                    found = True
                if not page["Records"] and iterator:
                    break
            if not iterator:
                self.done.add(name)
                found = True
        return found

    def drain(self, client):
        while self.poll(client):
            pass


class Writer(threading.Thread):
    """Writes at random to keys that nobody else writes to, until it has done so many or is cut off.
    `acknowledged` are the versions of each key in their order; the one that was on its way when the
    server died is in doubt."""

    def __init__(self, server, number, count, versions, seed):
        super().__init__()
        self.client = server.client()
        self.random = random.Random(seed * 100 + number)
        self.number, self.count, self.versions = number, count, versions
        self.done = 0

    def run(self):
        for _ in range(self.count):
            key = f"{self.number}-{self.random.randrange(KEYS // WRITERS)}"
            history = self.versions[key]
            version = history[-1][1] + 1 if history else 0
            delete = bool(history) and history[-1][0] != "delete" and self.random.random() < 0.2
            history.append(["delete" if delete else "put", version, False])
            try:
                if delete:
                    self.client.delete_item(TableName="streamed", Key={"pk": {"S": key}})
                else:
                    self.client.put_item(
                        TableName="streamed",
                        Item={"pk": {"S": key}, "version": {"N": str(version)}},
                    )
            except Exception:
                return
            history[-1][2] = True
            self.done += 1


def changes(records):
    """What a reader has seen of each key, in the order in which it saw it."""
    seen = defaultdict(list)
    for record in records:
        change = record["dynamodb"]
        new = change.get("NewImage")
        seen[change["Keys"]["pk"]["S"]].append(
            ("put", int(new["version"]["N"])) if new else ("delete", None)
        )
    return seen


def check(versions, records):
    """Every change once and in order; what was in doubt is there or is not, and then nothing of it."""
    seen = changes(records)
    for key, history in versions.items():
        wanted = iter(seen.pop(key, []))
        got = next(wanted, None)
        for kind, version, acknowledged in history:
            expected = ("delete", None) if kind == "delete" else ("put", version)
            if got == expected:
                got = next(wanted, None)
            else:
                assert not acknowledged, f"{key}: {expected} is missing, there is {got}"
        assert got is None, f"{key}: {got} is one too many"
    assert not seen, f"changes of what was never written: {list(seen)}"
    ids = [record["eventID"] for record in records]
    assert len(ids) == len(set(ids))


def images_follow_each_other(records):
    """The old image of a change is the new one of the change before."""
    last = {}
    for record in records:
        change = record["dynamodb"]
        key = change["Keys"]["pk"]["S"]
        assert change.get("OldImage") == last.get(key), record
        last[key] = change.get("NewImage")
        names = {(False, True): "INSERT", (True, True): "MODIFY", (True, False): "REMOVE"}
        assert record["eventName"] == names["OldImage" in change, "NewImage" in change]


def test_every_change_is_seen_once_and_in_order(start):
    """Through splits, a restart and a power cut, while writers write."""
    seed = int(os.environ.get("STATOR_SEED", random.randrange(1_000_000)))
    print(f"STATOR_SEED={seed}")
    server = start()
    arn = streamed(server.client(), "streamed")
    reader, versions = Reader(arn), defaultdict(list)
    rounds = ["split", "kill", "split", "restart"]
    for number, what in enumerate(rounds):
        count = WRITES // len(rounds) // WRITERS
        # Writers of one round go on with the keys of the one before, which they alone have.
        writers = [
            Writer(server, writer, count, versions, seed + number) for writer in range(WRITERS)
        ]
        for key in [f"{n}-{k}" for n in range(WRITERS) for k in range(KEYS // WRITERS)]:
            versions[key]
        for writer in writers:
            writer.start()
        client = streams(server)
        while sum(writer.done for writer in writers) < count * WRITERS // 2:
            reader.poll(client)
        if what == "split":
            assert split(server, arn) > 0
        if what == "kill":
            server.kill()
        while any(writer.is_alive() for writer in writers):
            if what != "kill":
                reader.poll(client)
        for writer in writers:
            writer.join()
        if what == "kill":
            server.start()
        if what == "restart":
            server.restart()
        # What was in doubt is settled: the next version follows from what is there.
        reader.drain(streams(server))
        check(versions, reader.records)
        images_follow_each_other(reader.records)
        seen = changes(reader.records)
        for key, history in versions.items():
            kept = iter(seen.get(key, []))
            settled, got = [], next(kept, None)
            for entry in history:
                expected = ("delete", None) if entry[0] == "delete" else ("put", entry[1])
                if entry[2] or got == expected:
                    settled.append([entry[0], entry[1], True])
                    got = next(kept, None)
            versions[key] = settled
    assert len(reader.done) >= 12, "four shards, split twice"


def test_replaying_new_images_gives_an_equal_table(start):
    server = start()
    client = server.client()
    arn = streamed(client, "streamed", "NEW_IMAGE")
    create(client, simple("copy"))
    versions = defaultdict(list)
    writers = [Writer(server, number, 300, versions, 7) for number in range(WRITERS)]
    for key in [f"{n}-{k}" for n in range(WRITERS) for k in range(KEYS // WRITERS)]:
        versions[key]
    for writer in writers:
        writer.start()
    split(server, arn)
    for writer in writers:
        writer.join()
    reader = Reader(arn)
    reader.drain(streams(server))
    for record in reader.records:
        change = record["dynamodb"]
        if record["eventName"] == "REMOVE":
            client.delete_item(TableName="copy", Key=change["Keys"])
        else:
            client.put_item(TableName="copy", Item=change["NewImage"])

    def items(table):
        pages = client.get_paginator("scan").paginate(TableName=table)
        found = [item for page in pages for item in page["Items"]]
        return sorted(found, key=lambda item: item["pk"]["S"])

    assert items("streamed") and items("streamed") == items("copy")
