"""PartiQL through boto3: statements, pages, batches and transactions."""

import pytest
from tables import MUSIC, create


@pytest.fixture
def table(client):
    definition = MUSIC | {"TableName": "partiql"}
    create(client, definition)
    return "partiql"


def run(client, statement, *parameters, **more):
    if parameters:
        more["Parameters"] = list(parameters)
    return client.execute_statement(Statement=statement, **more)


def test_an_item_from_insert_to_delete(client, table):
    inserted = run(
        client,
        f"""INSERT INTO "{table}" VALUE {{'artist': ?, 'title': 'It''s', 'plays': 1,
            'tags': <<'a', 'b'>>, 'notes': [1, 'two', NULL, true], 'more': {{'x': ?}}}}""",
        {"S": "No One"},
        {"B": b"\x00\x01"},
    )
    assert inserted["Items"] == []
    with pytest.raises(client.exceptions.DuplicateItemException):
        run(client, f"""INSERT INTO "{table}" VALUE {{'artist': 'No One', 'title': 'It''s'}}""")
    key = """artist = 'No One' AND title = 'It''s'"""
    updated = run(
        client,
        f"""UPDATE "{table}" SET plays = plays + 2 SET tags = set_add(tags, <<'c'>>)
            REMOVE notes[0] WHERE {key} AND plays = 1 RETURNING MODIFIED NEW *""",
    )
    [modified] = updated["Items"]
    assert modified["plays"] == {"N": "3"}
    assert sorted(modified["tags"]["SS"]) == ["a", "b", "c"]
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as failed:
        run(
            client,
            f"""UPDATE "{table}" SET plays = 0 WHERE {key} AND plays = 1""",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert failed.value.response["Item"]["plays"] == {"N": "3"}
    read = run(client, f"""SELECT more.x, plays FROM "{table}" WHERE {key}""")
    assert read["Items"] == [{"x": {"B": b"\x00\x01"}, "plays": {"N": "3"}}]
    deleted = run(client, f"""DELETE FROM "{table}" WHERE {key} RETURNING ALL OLD *""")
    assert deleted["Items"][0]["title"] == {"S": "It's"}
    assert run(client, f"""SELECT * FROM "{table}" """)["Items"] == []


def test_pages(client, table):
    for number in range(20):
        item = {"artist": {"S": f"a{number % 2}"}, "title": {"S": f"{number:02}"}}
        client.put_item(TableName=table, Item=item)
    for condition, order, expected in [
        ("artist = 'a1'", "", 10),
        ("artist = 'a1'", "ORDER BY title DESC", 10),
        ("artist = 'a1' AND title >= '05' AND title < '11'", "", 3),
        ("artist IN ['a0', 'a1']", "ORDER BY artist, title", 20),
        ("title > '04'", "", 15),
    ]:
        statement = f"""SELECT * FROM "{table}" WHERE {condition} {order}"""
        found, more = [], {}
        while True:
            page = run(client, statement, Limit=3, **more)
            found += [(i["artist"]["S"], i["title"]["S"]) for i in page["Items"]]
            if "NextToken" not in page:
                break
            more = {"NextToken": page["NextToken"]}
        assert len(found) == expected, statement
        if order:
            assert found == sorted(found, reverse="DESC" in order), statement
    page = run(client, f"""SELECT * FROM "{table}" """, Limit=1)
    with pytest.raises(client.exceptions.ClientError, match="NextToken does not match request"):
        run(client, f"""SELECT title FROM "{table}" """, NextToken=page["NextToken"])


def test_batches_and_transactions(client, table):
    insert = f"""INSERT INTO "{table}" VALUE {{'artist': ?, 'title': ?}}"""
    key = [{"S": "a"}, {"S": "t"}]
    written = client.batch_execute_statement(
        Statements=[{"Statement": insert, "Parameters": key}] * 2 + [{"Statement": "SELECT"}],
        ReturnConsumedCapacity="TOTAL",
    )
    first, second, third = written["Responses"]
    assert first == {"TableName": table}
    assert second["Error"]["Code"] == "DuplicateItem"
    assert third["Error"]["Code"] == "ValidationError"
    assert sum(consumed["CapacityUnits"] for consumed in written["ConsumedCapacity"]) == 1
    one = f"""SELECT * FROM "{table}" WHERE artist = 'a' AND title = 't'"""
    exists = f"""EXISTS({one} AND plays IS MISSING)"""
    update = f"""UPDATE "{table}" SET plays = 1 WHERE artist = 'a' AND title = 't'"""
    more = [{"S": "b"}, {"S": "t"}]
    client.execute_transaction(
        TransactStatements=[{"Statement": insert, "Parameters": more}, {"Statement": update}]
    )
    with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
        client.execute_transaction(
            TransactStatements=[
                {"Statement": exists},
                {"Statement": insert, "Parameters": more},
            ]
        )
    reasons = cancelled.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["ConditionalCheckFailed", "DuplicateItem"]
    read = client.execute_transaction(TransactStatements=[{"Statement": one}])
    assert read["Responses"][0]["Item"]["plays"] == {"N": "1"}


def test_a_malformed_statement(client):
    with pytest.raises(client.exceptions.ClientError) as refused:
        run(client, "SELECT * FROM")
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"] == (
        "Statement wasn't well formed, can't be processed: Unexpected term"
    )
