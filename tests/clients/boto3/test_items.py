"""Items: every type, every way to write one, conditions, and what is given back."""

from decimal import Decimal

import pytest
from boto3.dynamodb.conditions import Attr, Key
from tables import create, simple

ALL_TYPES = {
    "artist": {"S": "No One You Know"},
    "title": {"S": 'Größe – 日本語 🎷 "quoted" \\ \u0001'},
    "number": {"N": "-1234567890123456789012345678901234567.8"},
    "large": {"N": "9" * 38 + "0" * 88},
    "small": {"N": "0." + "0" * 129 + "1"},
    "zero": {"N": "0"},
    "bytes": {"B": bytes(range(256))},
    "yes": {"BOOL": True},
    "no": {"BOOL": False},
    "nothing": {"NULL": True},
    "empty": {"S": ""},
    "no bytes": {"B": b""},
    "strings": {"SS": ["a", "b"]},
    "numbers": {"NS": ["-2", "7.5"]},
    "blobs": {"BS": [b"\x00", b"\xff"]},
    "list": {"L": [{"N": "1"}, {"S": "two"}, {"L": []}, {"M": {}}]},
    "map": {"M": {"deep": {"M": {"er": {"L": [{"NULL": True}]}}}, "x": {"S": "y"}}},
}


def unordered(item):
    """The item with its sets sorted: sets have no order."""
    return {
        name: {kind: sorted(value) if kind in ("SS", "NS", "BS") else value}
        for name, attribute in item.items()
        for kind, value in attribute.items()
    }


def key(item):
    return {name: item[name] for name in ("artist", "title")}


def song(number=1, **attributes):
    return {"artist": {"S": "A"}, "title": {"S": f"song {number:03}"}, **attributes}


def refused(call, code, **parameters):
    """The answer with which a call is refused; the code has to be the expected one."""
    with pytest.raises(Exception) as error:
        call(**parameters)
    assert error.value.response["Error"]["Code"] == code, error.value
    return error.value.response


def message(call, **parameters):
    """What a ValidationException says."""
    return refused(call, "ValidationException", **parameters)["Error"]["Message"]


def test_every_type_comes_back_as_it_was_sent_even_after_a_crash(server, client, music):
    client.put_item(TableName=music, Item=ALL_TYPES)
    got = client.get_item(TableName=music, Key=key(ALL_TYPES), ConsistentRead=True)
    assert unordered(got["Item"]) == unordered(ALL_TYPES)
    server.kill()
    client = server.start().client()
    got = client.get_item(TableName=music, Key=key(ALL_TYPES))
    assert unordered(got["Item"]) == unordered(ALL_TYPES)


@pytest.mark.parametrize(
    "sent, stored",
    [
        ("1.500", "1.5"),
        ("-0", "0"),
        ("0012", "12"),
        ("1e2", "100"),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("-9.9999999999999999999999999999999999999E+125", "-" + "9" * 38 + "0" * 88),
    ],
)
def test_numbers_are_normalised_and_never_rounded(client, music, sent, stored):
    client.put_item(TableName=music, Item=song(n={"N": sent}))
    assert client.get_item(TableName=music, Key=song())["Item"]["n"] == {"N": stored}


@pytest.mark.parametrize(
    "number", ["1" * 39, "1E126", "1E-131", "NaN", "Infinity", "", "1,5", "0x10"]
)
def test_what_is_no_number_of_dynamodbs_is_refused(client, music, number):
    message(client.put_item, TableName=music, Item=song(n={"N": number}))
    assert "Item" not in client.get_item(TableName=music, Key=song())


def test_a_put_replaces_the_whole_item_and_gives_the_old_one_back(client, music):
    client.put_item(TableName=music, Item=song(a={"S": "1"}, b={"S": "2"}))
    answer = client.put_item(TableName=music, Item=song(c={"S": "3"}), ReturnValues="ALL_OLD")
    assert answer["Attributes"] == song(a={"S": "1"}, b={"S": "2"})
    assert client.get_item(TableName=music, Key=song())["Item"] == song(c={"S": "3"})


def test_a_projection_takes_paths_apart(client, music):
    tree = {"M": {"list": {"L": [{"S": "x"}, {"S": "y"}, {"S": "z"}]}, "other": {"S": "o"}}}
    client.put_item(TableName=music, Item=song(tree=tree, year={"N": "1999"}))
    got = client.get_item(
        TableName=music,
        Key=song(),
        ProjectionExpression="tree.#l[2], tree.#l[0], #y, absent.#l",
        ExpressionAttributeNames={"#l": "list", "#y": "year"},
    )
    assert got["Item"] == {
        "tree": {"M": {"list": {"L": [{"S": "x"}, {"S": "z"}]}}},
        "year": {"N": "1999"},
    }


@pytest.mark.parametrize(
    "condition, values, holds",
    [
        ("v = :one", {":one": {"N": "1"}}, True),
        ("v <> :one", {":one": {"N": "1"}}, False),
        ("v BETWEEN :zero AND :one", {":zero": {"N": "0"}, ":one": {"N": "1"}}, True),
        ("v IN (:zero, :two)", {":zero": {"N": "0"}, ":two": {"N": "2"}}, False),
        (
            "NOT v < :one AND (attribute_type(v, :n) OR absent = :one)",
            {":one": {"N": "1"}, ":n": {"S": "N"}},
            True,
        ),
        ("size(title) = :eight", {":eight": {"N": "8"}}, True),
        (
            "begins_with(title, :song) AND contains(title, :part)",
            {":song": {"S": "song"}, ":part": {"S": " 00"}},
            True,
        ),
        ("attribute_not_exists(artist)", {}, False),
    ],
)
def test_a_condition_holds_or_the_item_stays_as_it_was(client, music, condition, values, holds):
    client.put_item(TableName=music, Item=song(v={"N": "1"}))
    call = dict(
        TableName=music,
        Key=song(),
        UpdateExpression="SET seen = :seen",
        ConditionExpression=condition,
        ExpressionAttributeValues=values | {":seen": {"S": "yes"}},
    )
    if holds:
        client.update_item(**call)
    else:
        refused(client.update_item, "ConditionalCheckFailedException", **call)
    seen = client.get_item(TableName=music, Key=song())["Item"].get("seen")
    assert (seen == {"S": "yes"}) is holds


def test_a_failed_condition_gives_the_item_that_failed_it(client, music):
    put = dict(TableName=music, ConditionExpression="attribute_not_exists(v)")
    client.put_item(Item=song(v={"N": "1"}), **put)
    answer = refused(
        client.put_item,
        "ConditionalCheckFailedException",
        Item=song(v={"N": "2"}),
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
        **put,
    )
    assert answer["Error"]["Message"] == "The conditional request failed"
    assert answer["Item"] == song(v={"N": "1"})
    assert client.get_item(TableName=music, Key=song())["Item"] == song(v={"N": "1"})


def test_updates_set_remove_add_and_delete(client, music):
    before = song(
        count={"N": "10"},
        tags={"SS": ["a", "b", "c"]},
        list={"L": [{"N": "1"}, {"N": "2"}]},
        map={"M": {"x": {"N": "1"}}},
        gone={"S": "soon"},
    )
    client.put_item(TableName=music, Item=before)
    answer = client.update_item(
        TableName=music,
        Key=song(),
        UpdateExpression=(
            "SET #c = #c - :three, fresh = if_not_exists(fresh, :hello), "
            "#l = list_append(#l, :more), #m.y = #m.x, #m.x = :zero "
            "REMOVE gone ADD score :three DELETE tags :drop"
        ),
        ExpressionAttributeNames={"#c": "count", "#l": "list", "#m": "map"},
        ExpressionAttributeValues={
            ":three": {"N": "3"},
            ":hello": {"S": "hello"},
            ":more": {"L": [{"N": "3"}]},
            ":zero": {"N": "0"},
            ":drop": {"SS": ["b", "x"]},
        },
        ReturnValues="ALL_NEW",
    )
    after = song(
        count={"N": "7"},
        fresh={"S": "hello"},
        score={"N": "3"},
        tags={"SS": ["a", "c"]},
        list={"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]},
        map={"M": {"x": {"N": "0"}, "y": {"N": "1"}}},
    )
    assert unordered(answer["Attributes"]) == after
    assert unordered(client.get_item(TableName=music, Key=song())["Item"]) == after


@pytest.mark.parametrize(
    "wanted, returned",
    [
        ("NONE", None),
        ("ALL_OLD", song(a={"N": "1"}, b={"N": "1"})),
        ("UPDATED_OLD", {"a": {"N": "1"}}),
        ("ALL_NEW", song(a={"N": "2"}, b={"N": "1"})),
        ("UPDATED_NEW", {"a": {"N": "2"}}),
    ],
)
def test_an_update_returns_what_was_asked_for(client, music, wanted, returned):
    client.put_item(TableName=music, Item=song(a={"N": "1"}, b={"N": "1"}))
    answer = client.update_item(
        TableName=music, Key=song(), UpdateExpression="SET a = a + b", ReturnValues=wanted
    )
    assert answer.get("Attributes") == returned


def test_an_update_of_nothing_makes_an_item(client, music):
    client.update_item(TableName=music, Key=song())
    assert client.get_item(TableName=music, Key=song())["Item"] == song()


def test_a_delete_returns_the_old_item_and_forgives_a_missing_one(client, music):
    client.put_item(TableName=music, Item=song(a={"S": "1"}))
    answer = client.delete_item(TableName=music, Key=song(), ReturnValues="ALL_OLD")
    assert answer["Attributes"] == song(a={"S": "1"})
    answer = client.delete_item(TableName=music, Key=song(), ReturnValues="ALL_OLD")
    assert "Attributes" not in answer
    refused(
        client.delete_item,
        "ConditionalCheckFailedException",
        TableName=music,
        Key=song(),
        ConditionExpression="attribute_exists(artist)",
    )


def test_batches_write_and_read_over_tables(client, music):
    create(client, simple("other", "N"))
    puts = [{"PutRequest": {"Item": song(number)}} for number in range(20)]
    others = [{"PutRequest": {"Item": {"pk": {"N": str(number)}}}} for number in range(5)]
    answer = client.batch_write_item(RequestItems={music: puts, "other": others})
    assert answer["UnprocessedItems"] == {}
    deletes = [{"DeleteRequest": {"Key": song(number)}} for number in range(10)]
    client.batch_write_item(RequestItems={music: deletes})
    answer = client.batch_get_item(
        RequestItems={
            music: {"Keys": [song(number) for number in range(20)]},
            "other": {"Keys": [{"pk": {"N": "3"}}, {"pk": {"N": "77"}}]},
        }
    )
    titles = sorted(item["title"]["S"] for item in answer["Responses"][music])
    assert titles == [f"song {number:03}" for number in range(10, 20)]
    assert answer["Responses"]["other"] == [{"pk": {"N": "3"}}]
    assert answer["UnprocessedKeys"] == {}


def test_batches_have_limits_and_no_duplicates(client, music):
    puts = [{"PutRequest": {"Item": song(number)}} for number in range(26)]
    message(client.batch_write_item, RequestItems={music: puts})
    duplicates = {"Keys": [song(1), song(1)]}
    assert (
        message(client.batch_get_item, RequestItems={music: duplicates})
        == "Provided list of item keys contains duplicates"
    )
    assert client.scan(TableName=music)["Count"] == 0


def test_an_item_may_have_400_kilobytes_and_not_a_byte_more(client):
    create(client, simple("large"))
    room = 400 * 1024 - len("pk" + "k" + "v")
    item = {"pk": {"S": "k"}, "v": {"S": "x" * room}}
    client.put_item(TableName="large", Item=item)
    larger = {"pk": {"S": "k"}, "v": {"S": "y" * (room + 1)}}
    assert (
        message(client.put_item, TableName="large", Item=larger)
        == "Item size has exceeded the maximum allowed size"
    )
    update = dict(
        TableName="large",
        Key={"pk": {"S": "k"}},
        UpdateExpression="SET w = :w",
        ExpressionAttributeValues={":w": {"S": "w"}},
    )
    assert (
        message(client.update_item, **update)
        == "Item size to update has exceeded the maximum allowed size"
    )
    assert client.get_item(TableName="large", Key={"pk": {"S": "k"}})["Item"] == item


@pytest.mark.parametrize(
    "item, expected",
    [
        (
            {"artist": {"S": "A"}},
            "One or more parameter values were invalid: Missing the key title in the item",
        ),
        (
            {"artist": {"N": "1"}, "title": {"S": "T"}},
            "One or more parameter values were invalid: "
            "Type mismatch for key artist expected: S actual: N",
        ),
        (
            {"artist": {"S": ""}, "title": {"S": "T"}},
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain an empty string value. Key: artist",
        ),
        (
            song(plays={"S": "many"}),
            "One or more parameter values were invalid: "
            "Type mismatch for Index Key plays Expected: N Actual: S IndexName: by-plays",
        ),
    ],
    ids=["missing key", "key type", "empty key", "index key type"],
)
def test_a_bad_item_is_refused_in_dynamodbs_words(client, music, item, expected):
    assert message(client.put_item, TableName=music, Item=item) == expected
    assert client.scan(TableName=music)["Count"] == 0


@pytest.mark.parametrize(
    "value",
    [{"SS": []}, {"SS": ["a", "a"]}, {"NS": ["1", "1.0"]}, {"BS": []}],
    ids=["empty", "twice", "equal numbers", "no bytes"],
)
def test_sets_are_neither_empty_nor_do_they_repeat(client, music, value):
    message(client.put_item, TableName=music, Item=song(set=value))
    assert client.scan(TableName=music)["Count"] == 0


def test_a_missing_table_is_not_found(client):
    for call in (client.get_item, client.delete_item):
        answer = refused(
            call, "ResourceNotFoundException", TableName="nowhere", Key={"pk": {"S": "a"}}
        )
        assert answer["Error"]["Message"] == "Requested resource not found"


def test_the_resource_interface_works_on_python_values(server, music):
    table = server.resource().Table(music)
    with table.batch_writer() as batch:
        for number in range(60):
            batch.put_item(
                Item={
                    "artist": "A",
                    "title": f"song {number:03}",
                    "rating": Decimal(number) / 4,
                    "tags": {"x", f"y{number % 3}"},
                    "parts": [number, None, True, b"\x01"],
                }
            )
    answer = table.query(
        KeyConditionExpression=Key("artist").eq("A") & Key("title").begins_with("song 01"),
        FilterExpression=Attr("rating").gte(Decimal("3.5")) & Attr("tags").contains("y0"),
    )
    assert [item["title"] for item in answer["Items"]] == ["song 015", "song 018"]
    assert answer["Items"][0]["rating"] == Decimal("3.75")
    assert answer["Items"][0]["parts"] == [15, None, True, b"\x01"]
    assert (answer["Count"], answer["ScannedCount"]) == (2, 10)
