"""A walk over the API model: every operation is either right or refused by its name, and every
member that is not served is refused by its."""

import json

import pytest
from model import OPERATIONS, call, offences, refused
from tables import simple

TABLE = "things"
KEY = {"pk": {"S": "kept"}}
SELECT = {"Statement": "SELECT * FROM things WHERE pk = 'kept'"}
ARN = "arn:aws:dynamodb:eu-central-1:000000000000:table/things"

POLICY = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "000000000000"},
        "Action": "dynamodb:GetItem",
        "Resource": ARN,
    },
}


def stream(server):
    """What names a stream: that of the table, which is switched on for it."""
    enabled = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    request = {"TableName": TABLE, "StreamSpecification": enabled}
    status, answer = call(server, "UpdateTable", request)
    assert status == 200, answer
    return {"StreamArn": answer["TableDescription"]["LatestStreamArn"]}


def shard(server):
    """A place in the first shard of that stream."""
    of = stream(server)
    described = call(server, "DescribeStream", of)[1]["StreamDescription"]
    first = described["Shards"][0]["ShardId"]
    return of | {"ShardId": first, "ShardIteratorType": "TRIM_HORIZON"}


def iterator(server):
    return call(server, "GetShardIterator", shard(server))[1]


#: A request of every operation that can be right, from which nothing could be left out. What an
#: operation needs before is a table with one item. An operation that is served and has no row here
#: fails the walk.
MINIMAL = {
    "BatchExecuteStatement": {"Statements": [SELECT]},
    "BatchGetItem": {"RequestItems": {TABLE: {"Keys": [KEY]}}},
    "BatchWriteItem": {"RequestItems": {TABLE: [{"DeleteRequest": {"Key": KEY}}]}},
    "CreateTable": simple("new"),
    "DeleteItem": {"TableName": TABLE, "Key": KEY},
    "DeleteResourcePolicy": {"ResourceArn": ARN},
    "DeleteTable": {"TableName": TABLE},
    "DescribeContinuousBackups": {"TableName": TABLE},
    "DescribeContributorInsights": {"TableName": TABLE},
    "DescribeEndpoints": {},
    "DescribeKinesisStreamingDestination": {"TableName": TABLE},
    "DescribeLimits": {},
    "DescribeStream": stream,
    "DescribeTable": {"TableName": TABLE},
    "DescribeTimeToLive": {"TableName": TABLE},
    "ExecuteStatement": SELECT,
    "ExecuteTransaction": {"TransactStatements": [SELECT]},
    "GetItem": {"TableName": TABLE, "Key": KEY},
    "GetRecords": iterator,
    "GetShardIterator": shard,
    "ListBackups": {},
    "ListContributorInsights": {},
    "ListExports": {},
    "ListGlobalTables": {},
    "ListImports": {},
    "ListStreams": {},
    "ListTables": {},
    "ListTagsOfResource": {"ResourceArn": ARN},
    "PutItem": {"TableName": TABLE, "Item": KEY},
    "PutResourcePolicy": {"ResourceArn": ARN, "Policy": json.dumps(POLICY)},
    "Query": {
        "TableName": TABLE,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "kept"}},
    },
    "Scan": {"TableName": TABLE},
    "TagResource": {"ResourceArn": ARN, "Tags": [{"Key": "a", "Value": "b"}]},
    "TransactGetItems": {"TransactItems": [{"Get": {"TableName": TABLE, "Key": KEY}}]},
    "TransactWriteItems": {"TransactItems": [{"Put": {"TableName": TABLE, "Item": KEY}}]},
    "UntagResource": {"ResourceArn": ARN, "TagKeys": ["a"]},
    "UpdateItem": {"TableName": TABLE, "Key": KEY},
    "UpdateTable": {"TableName": TABLE, "DeletionProtectionEnabled": False},
    "UpdateTimeToLive": {
        "TableName": TABLE,
        "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "expires"},
    },
}

#: Requests of operations that are right only in that they name what does not exist.
MISSING = {
    "DescribeTableReplicaAutoScaling": ({"TableName": TABLE}, "ResourceNotFoundException"),
    "GetResourcePolicy": ({"ResourceArn": ARN}, "PolicyNotFoundException"),
}

UNKNOWN = "com.amazon.coral.service#UnknownOperationException"


def minimal(server, operation):
    """The request, of which some have to be made from what the server has answered."""
    row = MINIMAL.get(operation, {})
    return row(server) if callable(row) else row


def is_served(operation, answer):
    """Whether an answer is anything else than the refusal of the operation itself."""
    return (answer or {}).get("message") != f"{operation} is not served by this version of Stator"


@pytest.fixture
def stocked(server):
    assert call(server, "CreateTable", simple(TABLE))[0] == 200
    assert call(server, "PutItem", {"TableName": TABLE, "Item": KEY}) == (200, {})
    return server


def test_the_model_has_all_operations():
    assert len(OPERATIONS) == 66


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_operation_is_right_or_refused_by_name(stocked, operation):
    request, error = MISSING.get(operation) or (minimal(stocked, operation), None)
    status, answer = call(stocked, operation, request)
    if not is_served(operation, answer):
        assert (status, answer["__type"]) == (400, UNKNOWN)
        return
    assert operation in MINIMAL or operation in MISSING, f"{operation} is served: give it a request"
    if error:
        assert (status, answer["__type"].split("#")[1]) == (400, error)
        return
    assert status == 200, answer
    output = OPERATIONS[operation].get("output")
    if output is None:
        assert answer in (None, {})
    else:
        assert offences(answer, output["shape"]) == []


@pytest.mark.parametrize("operation", [name for name in sorted(OPERATIONS) if refused(name)])
def test_every_refused_member_is_named(stocked, operation):
    """Where the whole of the operation is not served, the members do not matter."""
    for path, request in refused(operation):
        status, answer = call(stocked, operation, {**minimal(stocked, operation), **request})
        if not is_served(operation, answer):
            continue
        assert status == 400, (path, answer)
        assert answer == {
            "__type": "com.amazon.coral.validate#ValidationException",
            "message": f"{path} is not served by this version of Stator",
        }
    assert call(stocked, "ListTables", {}) == (200, {"TableNames": [TABLE]}), "nothing has changed"
