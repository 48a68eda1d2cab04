"""Real input: films, airports and flights of the npm package `vega-datasets`.

The same question goes to Stator and to plain Python over the source files; the answers have to be
equal, before and after a restart and a crash.
"""

import csv
import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from boto3.dynamodb.conditions import Attr, Key

DATA = Path(os.environ.get("NODE_PATH", "node_modules")) / "vega-datasets" / "data"


def films():
    """The films, with a number each since titles repeat."""
    with open(DATA / "movies.json", encoding="utf-8") as file:
        source = json.load(file, parse_float=Decimal)
    return [film | {"id": number} for number, film in enumerate(source)]


def airports():
    with open(DATA / "airports.csv", encoding="utf-8", newline="") as file:
        return [
            row | {"latitude": Decimal(row["latitude"]), "longitude": Decimal(row["longitude"])}
            for row in csv.DictReader(file)
        ]


def flights():
    """Ten thousand flights, with a number each since two may leave at the same minute."""
    with open(DATA / "flights-10k.json", encoding="utf-8") as file:
        source = json.load(file)
    return [
        flight | {"departure": f"{flight['date']}#{number:05}"}
        for number, flight in enumerate(source)
    ]


def load(resource, name, items, attributes, schema, **indexes):
    """Makes a table and writes the items, with four writers."""
    table = resource.create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind} for name, kind in attributes.items()
        ],
        KeySchema=keys(schema),
        BillingMode="PAY_PER_REQUEST",
        **indexes,
    )
    table.wait_until_exists()

    def write(part):
        with resource.Table(name).batch_writer() as batch:
            for item in part:
                batch.put_item(Item=item)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, [items[worker::4] for worker in range(4)]))
    return table


def keys(names):
    return [
        {"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"))
    ]


def index(name, *names, projection="ALL"):
    return {
        "IndexName": name,
        "KeySchema": keys(names),
        "Projection": {"ProjectionType": projection},
    }


def pages(call, **parameters):
    """All items, page by page."""
    while True:
        page = call(**parameters)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def scan_in_parallel(table, segments):
    def scan(segment):
        return list(pages(table.scan, Segment=segment, TotalSegments=segments))

    with ThreadPoolExecutor(segments) as pool:
        return [item for part in pool.map(scan, range(segments)) for item in part]


def reopened(server):
    """The server as it was started, after a clean restart, and after a crash."""
    yield server.resource()
    yield server.restart().resource()
    server.kill()
    yield server.start().resource()


def test_films(server):
    source = films()
    assert len(source) == 3201
    # An index key must be a string, so a film without a genre or with a numeric title has to be
    # left out of the index or be made one.
    items = [
        {
            name: str(value) if name == "Title" else value
            for name, value in film.items()
            if not (name == "Major Genre" and value is None)
        }
        for film in source
    ]
    load(
        server.resource(),
        "films",
        items,
        {"id": "N", "Major Genre": "S", "Title": "S"},
        ["id"],
        GlobalSecondaryIndexes=[index("by-genre", "Major Genre", "Title")],
    )
    expected = {film["id"]: film for film in items}
    for resource in reopened(server):
        table = resource.Table("films")
        stored = scan_in_parallel(table, 4)
        assert {film["id"]: film for film in stored} == expected
        assert len(stored) == len(expected)
        for genre in ("Drama", "Western", "No such genre"):
            found = list(
                pages(
                    table.query,
                    IndexName="by-genre",
                    KeyConditionExpression=Key("Major Genre").eq(genre),
                    Limit=100,
                )
            )
            of_genre = [film for film in items if film.get("Major Genre") == genre]
            titles = sorted((film["Title"] for film in of_genre), key=lambda t: t.encode())
            assert [film["Title"] for film in found] == titles
        rated = list(
            pages(
                table.scan,
                FilterExpression=Attr("IMDB Rating").gte(Decimal("8.5"))
                & Attr("Director").attribute_type("S")
                & Attr("Title").contains("the"),
                ProjectionExpression="id",
            )
        )
        by_hand = {
            film["id"]
            for film in items
            if (film["IMDB Rating"] or 0) >= Decimal("8.5")
            and isinstance(film["Director"], str)
            and "the" in film["Title"]
        }
        assert by_hand, "the filter has to find something"
        assert {film["id"] for film in rated} == by_hand


def test_airports(server):
    source = airports()
    assert len(source) == 3376
    load(
        server.resource(),
        "airports",
        source,
        {"state": "S", "iata": "S", "latitude": "N"},
        ["state", "iata"],
        LocalSecondaryIndexes=[index("by-latitude", "state", "latitude", projection="KEYS_ONLY")],
    )
    for resource in reopened(server):
        table = resource.Table("airports")
        for state in ("AK", "TX", "WY", "XX"):
            of_state = [airport for airport in source if airport["state"] == state]
            found = pages(table.query, KeyConditionExpression=Key("state").eq(state), Limit=40)
            assert list(found) == sorted(of_state, key=lambda airport: airport["iata"])
            north = pages(
                table.query,
                IndexName="by-latitude",
                KeyConditionExpression=Key("state").eq(state)
                & Key("latitude").between(Decimal("31.5"), Decimal("60.25")),
                ScanIndexForward=False,
            )
            latitudes = [
                airport["latitude"]
                for airport in of_state
                if Decimal("31.5") <= airport["latitude"] <= Decimal("60.25")
            ]
            assert [airport["latitude"] for airport in north] == sorted(latitudes, reverse=True)
        counted = Counter(airport["state"] for airport in pages(table.scan))
        assert counted == Counter(airport["state"] for airport in source)


def test_flights(server):
    source = flights()
    assert len(source) == 10_000
    load(
        server.resource(),
        "flights",
        source,
        {"origin": "S", "departure": "S", "destination": "S", "delay": "N"},
        ["origin", "departure"],
        GlobalSecondaryIndexes=[index("by-delay", "destination", "delay", projection="KEYS_ONLY")],
    )
    totals = {"flights": 0, "distance": 0}
    for resource in reopened(server):
        table = resource.Table("flights")
        january = pages(
            table.query,
            KeyConditionExpression=Key("origin").eq("ATL")
            & Key("departure").begins_with("2001/01/1"),
            FilterExpression=Attr("distance").gt(500),
            ProjectionExpression="departure, destination",
        )
        expected = sorted(
            (flight["departure"], flight["destination"])
            for flight in source
            if flight["origin"] == "ATL"
            and flight["date"].startswith("2001/01/1")
            and flight["distance"] > 500
        )
        assert expected, "the question has to have an answer"
        assert [(f["departure"], f["destination"]) for f in january] == expected
        late = pages(
            table.query,
            IndexName="by-delay",
            KeyConditionExpression=Key("destination").eq("ORD") & Key("delay").gte(60),
            ScanIndexForward=False,
        )
        delays = [f["delay"] for f in source if f["destination"] == "ORD" and f["delay"] >= 60]
        assert [flight["delay"] for flight in late] == sorted(delays, reverse=True)
        stored = scan_in_parallel(table, 3)
        totals = {"flights": len(stored), "distance": sum(f["distance"] for f in stored)}
        assert totals == {"flights": 10_000, "distance": sum(f["distance"] for f in source)}


@pytest.fixture(autouse=True)
def data_is_installed():
    assert DATA.is_dir(), f"{DATA} is missing: tests/run installs it and sets NODE_PATH"
