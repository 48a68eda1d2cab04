"""The wire: codings, web pages, members, types, framing, host names, signatures."""

import gzip
import json
import zlib

import pytest
from connection import SIGNED, Connection
from tables import create, simple

TABLE = "things"
CORAL = "com.amazon.coral.service#"


@pytest.fixture
def stocked(server):
    client = server.client()
    create(client, simple(TABLE))
    for number in range(20):
        client.put_item(TableName=TABLE, Item={"pk": {"S": f"{number:02}"}, "v": {"S": "x" * 500}})
    return server


def send(server, body, headers="", target="DynamoDB_20120810.GetItem", line="POST / HTTP/1.1"):
    """Status, headers and body of the answer to one request; later headers replace earlier ones."""
    body = body if isinstance(body, bytes) else body.encode()
    fields = {
        "Host": "localhost",
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": target,
        "Content-Length": len(body),
        **dict(line.split(": ", 1) for line in SIGNED.splitlines()),
        **dict(line.split(": ", 1) for line in headers.splitlines()),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value != "none")
    connection = Connection(server)
    connection.send(f"{line}\r\n{head}\r\n".encode() + body)
    return connection.whole_answer()


GET = json.dumps({"TableName": TABLE, "Key": {"pk": {"S": "00"}}, "ProjectionExpression": "pk"})
FOUND = {"Item": {"pk": {"S": "00"}}}


def found(answer):
    return answer[0] == 200 and json.loads(answer[2]) == FOUND


@pytest.mark.parametrize("coding, code", [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_bodies_go_both_ways(stocked, coding, code):
    assert found(send(stocked, code(GET.encode()), f"Content-Encoding: {coding}"))
    plain = send(stocked, GET, f"Content-Encoding: {coding}")
    assert json.loads(plain[2])["__type"] == CORAL + "SerializationException"

    scan = json.dumps({"TableName": TABLE})
    target = "DynamoDB_20120810.Scan"
    status, headers, body = send(stocked, scan, f"Accept-Encoding: {coding}", target)
    assert (status, headers["content-encoding"]) == (200, coding)
    assert len(body) < 2000, "it is compressed, and the checksum is of what was sent"
    inflated = gzip.decompress(body) if coding == "gzip" else zlib.decompress(body)
    _, headers, plain = send(stocked, scan, "", target)
    assert "content-encoding" not in headers
    assert json.loads(inflated) == json.loads(plain)
    _, headers, _ = send(stocked, GET, f"Accept-Encoding: {coding}")
    assert "content-encoding" not in headers, "a short answer is sent as it is"


def preflight(server, origin):
    asked = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-amz-target"
    return send(
        server,
        "",
        f"Origin: {origin}\r\n{asked}\r\nAuthorization: none",
        line="OPTIONS / HTTP/1.1",
    )


def test_a_page_of_this_machine_is_answered_as_dynamodb_answers(stocked):
    for origin in ("http://localhost:3000", "http://127.0.0.1", "https://app.localhost"):
        status, headers, body = preflight(stocked, origin)
        assert (status, body) == (200, b"")
        assert headers["access-control-allow-origin"] == "*"
        assert headers["access-control-allow-methods"] == "POST"
        assert headers["access-control-allow-headers"] == "x-amz-target"
        assert headers["access-control-max-age"] == "172800"
        answer = send(stocked, GET, f"Origin: {origin}")
        assert found(answer)
        assert answer[1]["access-control-allow-origin"] == "*"
        assert "x-amzn-RequestId" in answer[1]["access-control-expose-headers"]
        refused = send(stocked, "{}", f"Origin: {origin}")
        assert refused[0] == 400
        assert refused[1]["access-control-allow-origin"] == "*", "a page may read its errors"
    assert "access-control-allow-origin" not in send(stocked, GET)[1]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://"]
)
def test_a_page_from_elsewhere_reads_and_empties_nothing(stocked, origin):
    assert preflight(stocked, origin)[0] == 400
    delete = json.dumps({"TableName": TABLE})
    for body, target in ((GET, "GetItem"), (delete, "DeleteTable")):
        # As a browser sends it without asking first, too.
        for kind in ("application/x-amz-json-1.0", "text/plain"):
            headers = f"Origin: {origin}\r\nContent-Type: {kind}"
            status, headers, answer = send(stocked, body, headers, f"DynamoDB_20120810.{target}")
            assert status == 400 and b"AccessDeniedException" in answer
            assert "access-control-allow-origin" not in headers
    assert found(send(stocked, GET))


def test_the_option_lets_pages_in(start):
    server = start("--cors", "https://app.example")
    create(server.client(), simple(TABLE))
    assert send(server, GET, "Origin: https://app.example")[0] == 200
    assert send(server, GET, "Origin: https://other.example")[0] == 400


def test_the_last_of_members_that_are_there_twice_counts(stocked):
    twice = '{"TableName":"nowhere","Key":{"pk":{"S":"99"}},"Key":{"pk":{"S":"00"}},'
    twice += f'"TableName":"{TABLE}","ProjectionExpression":"pk"}}'
    assert found(send(stocked, twice))


def test_members_that_are_not_in_the_model_are_passed_over(stocked):
    body = json.loads(GET)
    body |= {"Unknown": {"deep": [1, {"er": None}]}, "tablename": 7, "$schema": True}
    assert found(send(stocked, json.dumps(body)))


def test_a_member_that_is_null_is_as_if_it_were_not_there(stocked):
    body = json.loads(GET) | {"ConsistentRead": None, "AttributesToGet": None}
    assert found(send(stocked, json.dumps(body)))


@pytest.mark.parametrize(
    "sent, answered",
    [
        ("application/x-amz-json-1.0", "application/x-amz-json-1.0"),
        ("Application/X-AMZ-JSON-1.0; charset=UTF-8", "application/x-amz-json-1.0"),
        ("application/json", "application/json"),
        ("application/json;charset=utf-8", "application/json"),
    ],
)
def test_types_that_are_json_are_answered_in_kind(stocked, sent, answered):
    answer = send(stocked, GET, f"Content-Type: {sent}")
    assert found(answer)
    assert answer[1]["content-type"] == answered


@pytest.mark.parametrize(
    "sent",
    ["none", "text/plain", "application/x-amz-json-1.1", "application/cbor", "multipart/form-data"],
)
def test_types_that_are_something_else_are_no_operation(stocked, sent):
    status, _, body = send(stocked, GET, f"Content-Type: {sent}")
    assert (status, body) == (404, b"<UnknownOperationException/>\n")


def test_a_client_that_asks_first_is_told_to_go_on(stocked):
    connection = Connection(stocked)
    connection.send(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"X-Amz-Target: DynamoDB_20120810.GetItem\r\n{SIGNED}"
        f"Content-Length: {len(GET)}\r\nExpect: 100-continue\r\n\r\n"
    )
    assert connection.file.readline() == b"HTTP/1.1 100 Continue\r\n"
    assert connection.file.readline() == b"\r\n"
    connection.send(GET)
    assert connection.answer() == (200, FOUND)


def test_a_body_may_come_in_chunks(stocked):
    chunks = "".join(f"1;ignored=yes\r\n{letter}\r\n" for letter in GET) + "0\r\nTrailer: x\r\n\r\n"
    headers = "Transfer-Encoding: chunked\r\nContent-Length: none"
    assert found(send(stocked, chunks, headers))


@pytest.mark.parametrize(
    "uri",
    [
        "http://dynamodb.eu-central-1.amazonaws.com/",
        "http://dynamodb.eu-central-1.amazonaws.com",
        "http://localhost:8000/?x=y",
        "/some/path",
        "//",
    ],
)
def test_where_an_operation_is_sent_does_not_matter(stocked, uri):
    assert found(send(stocked, GET, line=f"POST {uri} HTTP/1.1"))


@pytest.mark.parametrize(
    "host",
    [
        "dynamodb.us-east-1.amazonaws.com",
        "dynamodb.cn-north-1.amazonaws.com.cn",
        "dynamodb.eu-west-1.api.aws",
        "dynamodb-fips.us-east-1.amazonaws.com",
        "dynamodb-fips.us-gov-west-1.api.aws",
        "123456789012.ddb.eu-west-1.amazonaws.com",
        "123456789012.ddb.eu-west-1.api.aws",
        "123456789012.ddb-fips.us-east-1.amazonaws.com",
        "streams.dynamodb.us-east-1.amazonaws.com",
        "123456789012.streams-ddb.us-east-1.amazonaws.com",
        "search-dynamodb.us-east-1.amazonaws.com",
        "123456789012.search-ddb.us-east-1.amazonaws.com",
        "vpce-0a-1b.dynamodb.us-east-1.vpce.amazonaws.com",
        "localhost",
        "[::1]:8000",
        "database:8000",
    ],
)
def test_every_host_name_is_ours(stocked, host):
    assert found(send(stocked, GET, f"Host: {host}"))
    target = "DynamoDB_20120810.DescribeEndpoints"
    _, _, body = send(stocked, "{}", f"Host: {host}", target)
    assert json.loads(body)["Endpoints"] == [{"Address": host, "CachePeriodInMinutes": 1440}]


KIND = "AWS4-HMAC-SHA256"
CREDENTIAL = "Credential=me/20260101/us-east-1/dynamodb/aws4_request"
QUERY = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=me%2F20260101%2Fus-east-1%2Fdynamodb"
    "%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
)


def needs(*names):
    return "".join(f"Authorization header requires '{name}' parameter. " for name in names)


DATE = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "


@pytest.mark.parametrize(
    "authorization, more, kind, message",
    [
        (
            "none",
            "",
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        ),
        (
            "Basic bWU6bWU=",
            "",
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        ),
        (
            f"{KIND} {CREDENTIAL}",
            "",
            "IncompleteSignature",
            needs("Signature", "SignedHeaders") + f"Authorization={KIND} {CREDENTIAL}",
        ),
        (
            f"{KIND} Signature=0, SignedHeaders=host",
            "\r\nX-Amz-Date: none",
            "IncompleteSignature",
            needs("Credential") + DATE + f"Authorization={KIND} Signature=0, SignedHeaders=host",
        ),
        (
            f"{KIND} nonsense",
            "",
            "IncompleteSignature",
            "'nonsense' not a valid key=value pair (missing equal-sign) in Authorization header: "
            f"'{KIND} nonsense'.",
        ),
        (
            f"{KIND} Credential=me/us-east-1, Signature=0, SignedHeaders=host",
            "",
            "IncompleteSignature",
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term, got 'me/us-east-1'",
        ),
        (
            f"{KIND} {CREDENTIAL.replace('=me', '=')}, Signature=0, SignedHeaders=host",
            "",
            "UnrecognizedClient",
            "The security token included in the request is invalid.",
        ),
    ],
)
def test_a_signature_that_is_missing_or_malformed(stocked, authorization, more, kind, message):
    status, _, body = send(stocked, GET, f"Authorization: {authorization}{more}")
    expected = {"__type": f"{CORAL}{kind}Exception", "message": message}
    assert (status, json.loads(body)) == (400, expected)


def test_a_presigned_request_needs_no_header(stocked):
    line = f"POST /?{QUERY} HTTP/1.1"
    assert found(send(stocked, GET, "Authorization: none\r\nX-Amz-Date: none", line=line))
    _, _, body = send(stocked, GET, line=line)
    assert json.loads(body)["__type"] == CORAL + "InvalidSignatureException"
    half = line.replace("&X-Amz-Signature=0", "")
    _, _, body = send(stocked, GET, "Authorization: none", line=half)
    assert json.loads(body)["__type"] == CORAL + "IncompleteSignatureException"


@pytest.mark.parametrize("date", ["19700101T000000Z", "20991231T235959Z", "tomorrow"])
def test_a_clock_that_is_wrong_does_not_matter(stocked, date):
    assert found(send(stocked, GET, f"X-Amz-Date: {date}"))
    answer = send(stocked, GET, "X-Amz-Date: none\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT")
    assert found(answer)


@pytest.mark.parametrize(
    "target",
    ["none", "", "GetItem", "DynamoDB_20111205.GetItem", "DynamoDBStreams_20120810.GetItem"],
)
def test_a_target_that_is_none(stocked, target):
    status, _, body = send(stocked, GET, target=target)
    assert (status, json.loads(body)) == (400, {"__type": CORAL + "UnknownOperationException"})


def test_consistent_reads_of_a_global_index_are_refused(server):
    client = server.client()
    definition = simple(TABLE)
    definition["AttributeDefinitions"].append({"AttributeName": "g", "AttributeType": "S"})
    definition["GlobalSecondaryIndexes"] = [
        {
            "IndexName": "by-g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ]
    create(client, definition)
    request = {"TableName": TABLE, "IndexName": "by-g", "ConsistentRead": True}
    query = {
        "KeyConditionExpression": "g = :g",
        "ExpressionAttributeValues": {":g": {"S": "x"}},
    }
    for operation, more in (("Query", query), ("Scan", {})):
        target = f"DynamoDB_20120810.{operation}"
        status, _, body = send(server, json.dumps(request | more), target=target)
        assert status == 400
        assert json.loads(body) == {
            "__type": "com.amazon.coral.validate#ValidationException",
            "message": "Consistent reads are not supported on global secondary indexes",
        }
