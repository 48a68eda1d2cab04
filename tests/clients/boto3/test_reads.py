"""Query and Scan: order, pages, filters, indexes, segments, capacity."""

import random

import pytest
from tables import create, scan_all, simple


def song(artist, number):
    return {
        "artist": {"S": artist},
        "title": {"S": f"song {number:03}"},
        "genre": {"S": ("jazz", "rock")[number % 2]},
        "year": {"N": str(1950 + number // 2)},
        "plays": {"N": str((number * 7) % 50)},
        "label": {"S": f"label {number}"},
    }


def write(client, table, items):
    for begin in range(0, len(items), 25):
        batch = [{"PutRequest": {"Item": item}} for item in items[begin : begin + 25]]
        assert client.batch_write_item(RequestItems={table: batch})["UnprocessedItems"] == {}


@pytest.fixture
def songs(client, music):
    """Two artists with 50 songs each, written in no order."""
    songs = [song(artist, number) for artist in "AB" for number in range(50)]
    random.Random(1).shuffle(songs)
    write(client, music, songs)
    return songs


def query_all(client, **parameters):
    """All items of a query, and how many each page had."""
    pages = list(client.get_paginator("query").paginate(TableName="Music", **parameters))
    return [item for page in pages for item in page["Items"]], [page["Count"] for page in pages]


def numbers(items):
    return [int(item["title"]["S"].split()[1]) for item in items]


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 7, 50, 1000])
def test_a_partition_is_read_in_order_page_by_page(client, songs, forward, limit):
    items, sizes = query_all(
        client,
        KeyConditionExpression="artist = :a",
        ExpressionAttributeValues={":a": {"S": "A"}},
        ScanIndexForward=forward,
        PaginationConfig={"PageSize": limit},
    )
    assert numbers(items) == list(range(50))[:: 1 if forward else -1]
    assert all(size <= limit for size in sizes)


@pytest.mark.parametrize(
    "condition, values, expected",
    [
        ("title = :x", {":x": "song 007"}, [7]),
        ("title < :x", {":x": "song 003"}, [0, 1, 2]),
        ("title <= :x", {":x": "song 003"}, [0, 1, 2, 3]),
        ("title > :x", {":x": "song 046"}, [47, 48, 49]),
        ("title >= :x", {":x": "song 046"}, [46, 47, 48, 49]),
        ("title BETWEEN :x AND :y", {":x": "song 010", ":y": "song 0125"}, [10, 11, 12]),
        ("begins_with(title, :x)", {":x": "song 04"}, list(range(40, 50))),
        ("begins_with(title, :x)", {":x": "zzz"}, []),
    ],
)
def test_sort_conditions_select_a_range(client, songs, condition, values, expected):
    items, _ = query_all(
        client,
        KeyConditionExpression=f"artist = :a AND {condition}",
        ExpressionAttributeValues={":a": {"S": "B"}}
        | {name: {"S": value} for name, value in values.items()},
    )
    assert numbers(items) == expected


def test_a_page_goes_on_where_the_last_one_ended_in_both_directions(client, songs):
    query = dict(
        TableName="Music",
        KeyConditionExpression="artist = :a",
        ExpressionAttributeValues={":a": {"S": "A"}},
    )
    start = {"artist": {"S": "A"}, "title": {"S": "song 020"}}
    after = client.query(**query, ExclusiveStartKey=start, Limit=3)
    assert numbers(after["Items"]) == [21, 22, 23]
    assert after["LastEvaluatedKey"] == {"artist": {"S": "A"}, "title": {"S": "song 023"}}
    before = client.query(**query, ExclusiveStartKey=start, Limit=3, ScanIndexForward=False)
    assert numbers(before["Items"]) == [19, 18, 17]
    between = {"artist": {"S": "A"}, "title": {"S": "song 020 and a half"}}
    after = client.query(**query, ExclusiveStartKey=between, Limit=1)
    assert numbers(after["Items"]) == [21], "the key of a page need not exist any more"
    exact = client.query(**query, Limit=50)
    rest = client.query(**query, ExclusiveStartKey=exact["LastEvaluatedKey"])
    assert (rest["Count"], "LastEvaluatedKey" in rest) == (0, False)


def test_a_filter_counts_what_it_looked_at(client, songs):
    answer = client.query(
        TableName="Music",
        KeyConditionExpression="artist = :a",
        FilterExpression="plays < :p",
        ExpressionAttributeValues={":a": {"S": "A"}, ":p": {"N": "10"}},
        Limit=20,
    )
    expected = [number for number in range(20) if (number * 7) % 50 < 10]
    assert numbers(answer["Items"]) == expected
    assert (answer["Count"], answer["ScannedCount"]) == (len(expected), 20)
    counted = client.query(
        TableName="Music",
        KeyConditionExpression="artist = :a",
        ExpressionAttributeValues={":a": {"S": "A"}},
        Select="COUNT",
    )
    assert (counted["Count"], "Items" in counted) == (50, False)


def test_a_global_index_has_its_own_order_and_what_it_projects(client, songs):
    items, _ = query_all(
        client,
        IndexName="by-genre",
        KeyConditionExpression="genre = :g AND #y BETWEEN :from AND :to",
        ExpressionAttributeNames={"#y": "year"},
        ExpressionAttributeValues={
            ":g": {"S": "rock"},
            ":from": {"N": "1953"},
            ":to": {"N": "1960"},
        },
        PaginationConfig={"PageSize": 3},
    )
    years = [int(item["year"]["N"]) for item in items]
    assert years == [year for year in range(1953, 1961) for _ in "AB"]
    for item in items:
        assert item.keys() == {"artist", "title", "genre", "year", "label"}
    found = sorted((item["artist"]["S"], *numbers([item])) for item in items)
    assert found == [(artist, number) for artist in "AB" for number in range(7, 22, 2)]


def test_a_local_index_sorts_numbers_by_value_and_fetches_what_it_lacks(client, songs):
    query = dict(
        IndexName="by-plays",
        KeyConditionExpression="artist = :a AND plays >= :p",
        ExpressionAttributeValues={":a": {"S": "A"}, ":p": {"N": "5"}},
        ScanIndexForward=False,
    )
    items, _ = query_all(client, **query, PaginationConfig={"PageSize": 4})
    assert [int(item["plays"]["N"]) for item in items] == list(range(49, 4, -1))
    assert all(item.keys() == {"artist", "title", "plays"} for item in items)
    full, _ = query_all(client, **query, Select="ALL_ATTRIBUTES")
    assert [item["label"]["S"] for item in full] == [f"label {n}" for n in numbers(items)]


def test_indexes_follow_every_write(client, songs):
    key = {"artist": {"S": "A"}, "title": {"S": "song 001"}}

    def index(name):
        found = scan_all(client, "Music", IndexName=name)
        return {(item["artist"]["S"], *numbers([item])): item for item in found}

    assert index("by-genre")[("A", 1)]["genre"] == {"S": "rock"}
    client.update_item(
        TableName="Music",
        Key=key,
        UpdateExpression="SET genre = :g, label = :l",
        ExpressionAttributeValues={":g": {"S": "folk"}, ":l": {"S": "new"}},
    )
    changed = {**key, "genre": {"S": "folk"}, "year": {"N": "1950"}, "label": {"S": "new"}}
    assert index("by-genre")[("A", 1)] == changed
    folk, _ = query_all(
        client,
        IndexName="by-genre",
        KeyConditionExpression="genre = :g",
        ExpressionAttributeValues={":g": {"S": "folk"}},
    )
    assert folk == [changed]
    assert len(scan_all(client, "Music", IndexName="by-genre")) == 100, "the old entry is gone"
    client.update_item(TableName="Music", Key=key, UpdateExpression="REMOVE genre, plays")
    assert ("A", 1) not in index("by-genre"), "indexes are sparse"
    assert len(index("by-plays")) == 99
    client.delete_item(TableName="Music", Key={"artist": {"S": "B"}, "title": {"S": "song 002"}})
    assert len(index("by-genre")) == 98
    assert len(index("by-plays")) == 98


@pytest.mark.parametrize("segments", [1, 2, 7])
def test_segments_of_a_scan_are_the_whole_without_overlap(client, segments):
    create(client, simple("many", "S", "N"))
    keys = [(f"p{number % 40}", str(number)) for number in range(300)]
    write(client, "many", [{"pk": {"S": pk}, "sk": {"N": sk}} for pk, sk in keys])
    parts = [
        scan_all(
            client,
            "many",
            Segment=segment,
            TotalSegments=segments,
            PaginationConfig={"PageSize": 11},
        )
        for segment in range(segments)
    ]
    seen = [(item["pk"]["S"], item["sk"]["N"]) for part in parts for item in part]
    assert sorted(seen) == sorted(keys)
    assert sum(1 for part in parts if part) > segments // 2, "the work is divided"


def test_a_page_ends_at_a_megabyte(client):
    create(client, simple("wide", "S", "N"))
    for number in range(30):
        item = {"pk": {"S": "p"}, "sk": {"N": str(number)}, "v": {"B": bytes(100_000)}}
        client.put_item(TableName="wide", Item=item)
    page = client.query(
        TableName="wide",
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "p"}},
    )
    # An item has a little over 100,000 bytes, so the eleventh crosses 1,048,576.
    assert page["Count"] == 11
    assert page["LastEvaluatedKey"] == {"pk": {"S": "p"}, "sk": {"N": "10"}}
    page = client.scan(
        TableName="wide", FilterExpression="sk > :x", ExpressionAttributeValues={":x": {"N": "99"}}
    )
    assert (page["Count"], page["ScannedCount"]) == (0, 11), "the filter comes behind the limit"
    assert len(scan_all(client, "wide")) == 30


@pytest.mark.parametrize(
    "kind, values",
    [
        ("N", "-9E100 -12.5 -12 -1E-130 0 1E-130 0.5 3 3.14 100 9.9E125".split()),
        ("B", [b"\0", b"\0\0", b"\0\xff", b"\1", b"a", b"a\0", b"a\xff", b"b", b"\xff", b"\xff\xff"]),
        ("S", ["\0", "\0a", "!", "A", "AA", "B", "a", "a\0", "a\1", "~", "é", "€", "🎷"]),
    ],
    ids=["numbers", "bytes", "strings"],
)
def test_sort_keys_are_ordered_by_value(client, kind, values):
    create(client, simple("sorted", "S", kind))
    rank = {value: number for number, value in enumerate(values)}
    for value in random.Random(7).sample(values, len(values)):
        item = {"pk": {"S": "p"}, "sk": {kind: value}, "rank": {"N": str(rank[value])}}
        client.put_item(TableName="sorted", Item=item)

    def ranks(condition="pk = :p", **parameters):
        bound = {":m": {kind: values[5]}} if ":m" in condition else {}
        answer = client.query(
            TableName="sorted",
            KeyConditionExpression=condition,
            ExpressionAttributeValues={":p": {"S": "p"}, **bound},
            **parameters,
        )
        return [int(item["rank"]["N"]) for item in answer["Items"]]

    everything = list(range(len(values)))
    assert ranks() == everything
    assert ranks(ScanIndexForward=False) == everything[::-1]
    assert ranks("pk = :p AND sk > :m") == everything[6:]
    assert ranks("pk = :p AND sk <= :m", ScanIndexForward=False) == everything[5::-1]


def test_capacity_is_metered(client):
    create(client, simple("metered", "S", "N"))
    total = dict(TableName="metered", ReturnConsumedCapacity="TOTAL")
    key = {"pk": {"S": "p"}, "sk": {"N": "1"}}
    wrote = client.put_item(Item={**key, "v": {"S": "x" * 5000}}, **total)
    assert wrote["ConsumedCapacity"] == {"TableName": "metered", "CapacityUnits": 5.0}
    for parameters, units in [
        (dict(Key=key), 1.0),
        (dict(Key=key, ConsistentRead=True), 2.0),
        (dict(Key={"pk": {"S": "p"}, "sk": {"N": "2"}}), 0.5),
    ]:
        answer = client.get_item(**parameters, **total)
        assert answer["ConsumedCapacity"]["CapacityUnits"] == units, parameters


def test_a_bad_query_is_refused_in_dynamodbs_words(client, music):
    def message(**parameters):
        with pytest.raises(client.exceptions.ClientError) as refused:
            client.query(TableName=music, **parameters)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        return refused.value.response["Error"]["Message"]

    values = {":a": {"S": "A"}}
    assert (
        message() == "Either the KeyConditions or KeyConditionExpression parameter must be "
        "specified in the request."
    )
    assert (
        message(KeyConditionExpression="title = :a", ExpressionAttributeValues=values)
        == "Query condition missed key schema element: artist"
    )
    by_artist = dict(KeyConditionExpression="artist = :a", ExpressionAttributeValues=values)
    assert (
        message(**by_artist, IndexName="none")
        == "The table does not have the specified index: none"
    )
    unused = {**by_artist, "ExpressionAttributeValues": values | {":b": {"S": "b"}}}
    assert (
        message(**unused)
        == "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}"
    )
    by_genre = dict(
        KeyConditionExpression="genre = :a",
        ExpressionAttributeValues=values,
        IndexName="by-genre",
        ConsistentRead=True,
    )
    assert message(**by_genre) == "Consistent reads are not supported on global secondary indexes"
