"""Bad input: DynamoDB's error every time, never a hang, a panic or a 500, and nothing changed."""

import json
import socket

import pytest
from connection import SIGNED, Connection
from tables import create, simple

ITEM = {"pk": {"S": "kept"}, "v": {"N": "1"}}


@pytest.fixture
def guarded(server):
    """A server with one item, which has to be all there is when the test is over."""
    client = server.client()
    create(client, simple("kept"))
    client.put_item(TableName="kept", Item=ITEM)
    yield server
    assert server.client().scan(TableName="kept")["Items"] == [ITEM]
    assert server.client().list_tables()["TableNames"] == ["kept"]


@pytest.fixture
def connection(guarded):
    return Connection(guarded)


def put(**members):
    return json.dumps({"TableName": "kept", "Item": {"pk": {"S": "new"}}, **members})


SERIALIZATION = "com.amazon.coral.service#SerializationException"
VALIDATION = "com.amazon.coral.validate#ValidationException"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "nonsense",
        '{"TableName":"kept","Item":{"pk":{"S":"new"}}',
        '{"TableName":"kept","Item":{"pk":{"S":"new"}}}}',
        '{"TableName":"kept" "Item":{}}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"TableName":"kept","Item":{"pk":{"S":"\\ud800"}}}x',
        b'{"TableName":"kept","Item":{"pk":{"S":"\xff\xfe"}}}',
        "\x00",
        "[]",
        "null",
        '"text"',
        "1",
    ],
    ids=range(15),
)
def test_what_is_no_request_at_all(connection, body):
    status, answer = connection.operation("PutItem", body)
    assert (status, answer["__type"]) == (400, SERIALIZATION), answer


@pytest.mark.parametrize(
    "members",
    [
        {"TableName": 1},
        {"TableName": ["kept"]},
        {"TableName": {"S": "kept"}},
        {"Item": "text"},
        {"Item": []},
        {"Item": {"pk": "new"}},
        {"Item": {"pk": {"S": 1}}},
        {"Item": {"pk": {"S": "new"}, "v": {"N": 1}}},
        {"Item": {"pk": {"S": "new"}, "v": {"L": {}}}},
        {"Item": {"pk": {"S": "new"}, "v": {"BOOL": "maybe"}}},
        {"Item": {"pk": {"S": "new"}, "v": {"B": "not base64!"}}},
        {"ReturnValues": 7},
        {"ExpressionAttributeNames": {"#a": 1}},
    ],
    ids=range(13),
)
def test_wrong_types(connection, members):
    status, answer = connection.operation("PutItem", put(**members))
    assert (status, answer["__type"]) == (400, SERIALIZATION), answer


@pytest.mark.parametrize(
    "members",
    [
        {"TableName": ""},
        {"TableName": "no spaces"},
        {"TableName": "x" * 1025},
        {"Item": {}},
        {"Item": {"pk": {}}},
        {"Item": {"pk": {"S": "new", "N": "1"}}},
        {"Item": {"pk": {"S": "new"}, "v": {"N": "one"}}},
        {"Item": {"pk": {"S": "new"}, "v": {"SS": []}}},
        {"Item": {"pk": {"S": "new"}, "v": {"NULL": False}}},
        {"ReturnValues": "SOME"},
        {"ConditionExpression": ""},
        {"ConditionExpression": "a = "},
        {"ConditionExpression": "(" * 4000},
        {"ConditionExpression": "a = :missing"},
        {"ExpressionAttributeValues": {":unused": {"S": "x"}}},
        {"Item": {"pk": {"S": "x" * 2049}}},
    ],
    ids=range(16),
)
def test_broken_rules(connection, members):
    status, answer = connection.operation("PutItem", put(**members))
    assert (status, answer["__type"]) == (400, VALIDATION), answer
    assert answer["message"]


def test_nesting_ends_at_thirty_two_levels(connection):
    def nested(levels):
        value = '{"L":[' * levels + '{"S":"deep"}' + "]}" * levels
        return '{"TableName":"kept","Item":{"pk":{"S":"kept"},"v":' + value + "}}"

    status, answer = connection.operation("PutItem", nested(33))
    assert (status, answer["__type"]) == (400, VALIDATION), answer
    assert "Nesting Levels have exceeded supported limits" in answer["message"]
    status, answer = connection.operation("PutItem", nested(5000))
    assert status == 400, answer
    assert connection.operation("PutItem", nested(31)) == (200, {})
    assert connection.operation("PutItem", put(Item=ITEM)) == (200, {})


def test_unknown_members_are_passed_over(connection):
    body = put(Item=ITEM, Unknown={"deep": [1, {"er": None}]}, Other=1e300)
    assert connection.operation("PutItem", body) == (200, {})


def test_an_unknown_operation(connection):
    status, answer = connection.operation("DropAllTables", "{}")
    assert status == 400
    assert answer == {"__type": "com.amazon.coral.service#UnknownOperationException"}


@pytest.mark.parametrize(
    "headers, kind",
    [
        ("", "MissingAuthenticationTokenException"),
        ("Authorization: Bearer abc\r\n", "MissingAuthenticationTokenException"),
        ("Authorization: AWS4-HMAC-SHA256 Credential=a\r\n", "IncompleteSignatureException"),
        (SIGNED.replace("X-Amz-Date", "X-Other"), "IncompleteSignatureException"),
        (SIGNED.replace("a/20260101", "/20260101"), "UnrecognizedClientException"),
    ],
    ids=["none", "another kind", "incomplete", "no date", "no key"],
)
def test_an_unsigned_request(connection, headers, kind):
    status, answer = connection.operation("PutItem", put(), headers)
    assert (status, answer["__type"]) == (400, f"com.amazon.coral.service#{kind}")
    assert answer["message"]


def test_a_web_page_from_elsewhere(connection, guarded):
    status, answer = connection.operation(
        "DeleteTable", '{"TableName":"kept"}', SIGNED + "Origin: https://evil.example\r\n"
    )
    assert (status, answer["__type"]) == (400, "com.amazon.coral.service#AccessDeniedException")
    connection = Connection(guarded)
    connection.send(
        "OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\n"
        "Access-Control-Request-Method: POST\r\n\r\n"
    )
    assert connection.answer()[0] == 400


def test_seventeen_megabytes(guarded):
    body = put(Item={"pk": {"S": "new"}, "v": {"S": "x" * 17_000_000}})
    connection = Connection(guarded)
    assert connection.operation("PutItem", body)[0] == 413
    assert connection.ended()
    fits = put(Item={"pk": {"S": "new"}, "v": {"S": "x" * 15_000_000}})
    status, answer = Connection(guarded).operation("PutItem", fits)
    assert (status, answer["__type"]) == (400, VALIDATION)


@pytest.mark.parametrize("cut", [10, 200, -30, -1])
def test_half_a_request(guarded, cut):
    body = put()
    whole = (
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"X-Amz-Target: DynamoDB_20120810.PutItem\r\n{SIGNED}Content-Length: {len(body)}\r\n\r\n"
        + body
    )
    connection = Connection(guarded)
    connection.send(whole[:cut])
    connection.socket.shutdown(socket.SHUT_WR)
    if cut < 0:
        status, answer = connection.answer()
        assert (status, answer["__type"]) == (400, SERIALIZATION)
    assert connection.ended()


def test_a_connection_that_breaks_off_changes_nothing(guarded):
    body = put()
    whole = (
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"X-Amz-Target: DynamoDB_20120810.PutItem\r\n{SIGNED}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
    for cut in range(1, len(whole), 23):
        connection = Connection(guarded)
        connection.send(whole[:cut])
        connection.socket.close()
        connection.file.close()


def test_other_methods_and_broken_framing(guarded):
    for method in ("PUT", "DELETE", "PATCH", "GET /elsewhere"):
        connection = Connection(guarded)
        connection.send(f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".replace("elsewhere /", "x"))
        assert connection.answer() == (404, b"<UnknownOperationException/>\n")
    for broken in ("nonsense\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
        connection = Connection(guarded)
        connection.send(broken)
        assert connection.answer()[0] == 400
        assert connection.ended()


def test_chunks_absolute_uris_and_asking_first(guarded):
    body = put(Item=ITEM)
    connection = Connection(guarded)
    connection.send(
        "POST http://dynamodb.eu-central-1.amazonaws.com/ HTTP/1.1\r\nHost: x\r\n"
        "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\n"
        f"{SIGNED}Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    )
    assert connection.file.readline() == b"HTTP/1.1 100 Continue\r\n"
    assert connection.file.readline() == b"\r\n"
    for part in (body[:7], body[7:], ""):
        connection.send(f"{len(part):x}\r\n{part}\r\n")
    assert connection.answer() == (200, {})
