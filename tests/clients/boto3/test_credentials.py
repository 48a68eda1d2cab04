"""Who is let in where `--credentials` names a file: real signatures of boto3, right and wrong."""

import datetime
import subprocess

import boto3
import botocore.auth
import pytest
from botocore.exceptions import ClientError
from stator import REGION, binary, config

KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "wJalrXUt/nFEMI+K7MDENG"}
TEMPORARY = {
    "aws_access_key_id": "ASIAEXAMPLE",
    "aws_secret_access_key": "secret",
    "aws_session_token": "FwoGZXIvYXdzEXAMPLETOKEN//////////",
}


def write(path, **profiles):
    """A file of credentials."""
    for name, keys in profiles.items():
        lines = [f"[{name}]", *(f"{key} = {value}" for key, value in keys.items()), ""]
        with path.open("a") as file:
            file.write("\n".join(lines))
    return path


@pytest.fixture
def guarded(start, tmp_path):
    """A server that verifies, with two profiles."""
    file = write(tmp_path / "credentials", default=KEYS, temporary=TEMPORARY)
    return start("--credentials", str(file))


def connect(server, keys, region=REGION, **settings):
    session = boto3.Session(region_name=region, **keys)
    return session.client("dynamodb", endpoint_url=server.endpoint, config=config(**settings))


def refusal(client):
    """Status, code and message of the answer to a harmless request."""
    with pytest.raises(ClientError) as caught:
        client.list_tables()
    answer = caught.value.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return status, answer["Error"]["Code"], answer["Error"]["Message"]


def test_whoever_has_a_secret_of_the_file_works(guarded):
    for keys, region in [(KEYS, REGION), (TEMPORARY, REGION), (KEYS, "us-west-2")]:
        client = connect(guarded, keys, region)
        client.create_table(
            TableName=f"of-{keys['aws_access_key_id']}-{region}",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        table = f"of-{keys['aws_access_key_id']}-{region}"
        for number in range(20):
            item = {"pk": {"S": f"ключ {number}"}, "text": {"S": "x" * number * 500}}
            client.put_item(TableName=table, Item=item)
            assert client.get_item(TableName=table, Key={"pk": item["pk"]})["Item"] == item
        assert client.scan(TableName=table)["Count"] == 20


def test_streams_are_signed_for_the_same_service(guarded):
    session = boto3.Session(region_name=REGION, **KEYS)
    streams = session.client("dynamodbstreams", endpoint_url=guarded.endpoint, config=config())
    assert streams.list_streams()["Streams"] == []


def test_a_wrong_secret_is_told_so(guarded):
    assert refusal(connect(guarded, {**KEYS, "aws_secret_access_key": "other"})) == (
        400,
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for details.",
    )


def test_unknown_keys_and_tokens_are_nobody_s(guarded):
    for keys in [
        {**KEYS, "aws_access_key_id": "AKIDOTHER"},
        {**KEYS, "aws_session_token": "unasked"},
        {**TEMPORARY, "aws_session_token": "other"},
        {name: value for name, value in TEMPORARY.items() if name != "aws_session_token"},
    ]:
        assert refusal(connect(guarded, keys)) == (
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-20, "Signature expired: "), (20, "Signature not yet current: ")],
)
def test_a_clock_that_is_wrong_is_told_so(guarded, monkeypatch, minutes, words):
    skewed = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: skewed)
    status, code, message = refusal(connect(guarded, KEYS))
    assert (status, code) == (400, "InvalidSignatureException")
    assert message.startswith(words), message
    assert message.endswith("15 min.)"), message


def test_a_clock_that_is_driven_holds_no_date_against_anybody(start, tmp_path):
    file = write(tmp_path / "credentials", default=KEYS)
    server = start("--credentials", str(file), "--clock", "manual:0")
    assert connect(server, KEYS).list_tables()["TableNames"] == []
    assert refusal(connect(server, {**KEYS, "aws_secret_access_key": "other"}))[0] == 400


def test_requests_that_boto3_compresses_are_verified_as_they_are_sent(guarded):
    # What is signed is what is sent; botocore compresses only where a model allows it, so the body
    # is compressed by hand before it is signed.
    import gzip

    client = connect(guarded, KEYS)

    def compress(request, **_):
        request.data = gzip.compress(request.data)
        request.headers["Content-Encoding"] = "gzip"

    client.meta.events.register("before-sign.dynamodb.ListTables", compress)
    assert client.list_tables()["TableNames"] == []


def test_a_file_that_lets_nobody_in_is_no_start(tmp_path):
    file = write(tmp_path / "credentials", default={"aws_access_key_id": "A"})
    run = subprocess.run(
        [binary(), "serve", "--in-memory", "--port", "0", "--credentials", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 1
    assert "'default'" in run.stderr, run.stderr
