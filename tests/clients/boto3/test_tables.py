"""Tables: made, described, listed, changed, deleted, and named in more than one way."""

import json
import time

import pytest
from tables import MUSIC, create, simple


def test_a_new_table_is_described_as_it_was_asked_for(client):
    created = client.create_table(**MUSIC)["TableDescription"]
    assert created["TableStatus"] == "CREATING"
    client.get_waiter("table_exists").wait(TableName="Music", WaiterConfig={"Delay": 1})
    table = client.describe_table(TableName="Music")["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert table["TableArn"] == "arn:aws:dynamodb:eu-central-1:000000000000:table/Music"
    assert len(table["TableId"]) == 36
    assert table["KeySchema"] == MUSIC["KeySchema"]
    by_name = lambda attribute: attribute["AttributeName"]  # noqa: E731
    assert sorted(table["AttributeDefinitions"], key=by_name) == sorted(
        MUSIC["AttributeDefinitions"], key=by_name
    )
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert (table["ItemCount"], table["TableSizeBytes"]) == (0, 0)
    assert abs(table["CreationDateTime"].timestamp() - time.time()) < 60
    (index,) = table["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["IndexStatus"]) == ("by-genre", "ACTIVE")
    assert index["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["label"]}
    assert index["IndexArn"] == table["TableArn"] + "/index/by-genre"
    (local,) = table["LocalSecondaryIndexes"]
    assert local["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_waiting_for_a_table_does_not_take_the_twenty_seconds_of_a_second_look(client):
    begin = time.monotonic()
    client.create_table(**simple("quick"))
    client.get_waiter("table_exists").wait(TableName="quick")
    client.delete_table(TableName="quick")
    client.get_waiter("table_not_exists").wait(TableName="quick")
    assert time.monotonic() - begin < 10


def test_transient_states_can_be_made_to_last(start):
    client = start("--delay-transient-statuses").client()
    client.create_table(**simple("slow"))
    assert client.describe_table(TableName="slow")["Table"]["TableStatus"] == "CREATING"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_item(TableName="slow", Key={"pk": {"S": "a"}})
    client.get_waiter("table_exists").wait(TableName="slow", WaiterConfig={"Delay": 1})
    client.delete_table(TableName="slow")
    assert client.describe_table(TableName="slow")["Table"]["TableStatus"] == "DELETING"


def test_lists_are_in_order_and_in_pages(client):
    assert client.list_tables()["TableNames"] == []
    names = [f"table-{number:02}" for number in range(12)]
    for name in reversed(names):
        create(client, simple(name))
    first = client.list_tables(Limit=5)
    assert first["TableNames"] == names[:5]
    assert first["LastEvaluatedTableName"] == names[4]
    pages = client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 5})
    assert [name for page in pages for name in page["TableNames"]] == names


def test_a_name_is_taken_once_and_free_after_deletion(client):
    create(client, simple("once"))
    with pytest.raises(client.exceptions.ResourceInUseException) as refused:
        client.create_table(**simple("once"))
    assert refused.value.response["Error"]["Message"] == "Table already exists: once"
    client.put_item(TableName="once", Item={"pk": {"S": "old"}})
    deleted = client.delete_table(TableName="once")["TableDescription"]
    assert deleted["TableStatus"] == "DELETING"
    client.get_waiter("table_not_exists").wait(TableName="once", WaiterConfig={"Delay": 1})
    create(client, simple("once"))
    assert client.scan(TableName="once")["Items"] == [], "nothing of the old one is left"


def test_names_differ_by_case(client):
    create(client, simple("tab1"))
    create(client, simple("TAB1"))
    client.put_item(TableName="tab1", Item={"pk": {"S": "small"}})
    assert client.scan(TableName="TAB1")["Count"] == 0


def test_a_table_answers_to_its_arn(client, music):
    arn = client.describe_table(TableName=music)["Table"]["TableArn"]
    song = {"artist": {"S": "A"}, "title": {"S": "T"}}
    client.put_item(TableName=arn, Item=song)
    assert client.get_item(TableName=music, Key=song)["Item"] == song
    assert client.get_item(TableName=arn, Key=song)["Item"] == song
    answer = client.batch_get_item(RequestItems={arn: {"Keys": [song]}})
    assert list(answer["Responses"].values()) == [[song]]
    assert client.describe_table(TableName=arn)["Table"]["TableName"] == music


def test_a_protected_table_is_not_deleted(client):
    create(client, simple("safe") | {"DeletionProtectionEnabled": True})
    with pytest.raises(client.exceptions.ClientError) as refused:
        client.delete_table(TableName="safe")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    client.update_table(TableName="safe", DeletionProtectionEnabled=False)
    client.delete_table(TableName="safe")


def test_provisioned_throughput_is_kept_and_changed(client):
    throughput = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}
    definition = simple("provisioned") | {"ProvisionedThroughput": throughput}
    del definition["BillingMode"]
    create(client, definition)
    seen = client.describe_table(TableName="provisioned")["Table"]["ProvisionedThroughput"]
    assert throughput.items() <= seen.items()
    throughput = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}
    client.update_table(TableName="provisioned", ProvisionedThroughput=throughput)
    client.get_waiter("table_exists").wait(TableName="provisioned", WaiterConfig={"Delay": 1})
    seen = client.describe_table(TableName="provisioned")["Table"]["ProvisionedThroughput"]
    assert throughput.items() <= seen.items()


def test_tables_survive_a_restart_and_a_crash(server):
    client = server.client()
    create(client, MUSIC)
    create(client, simple("gone"))
    client.delete_table(TableName="gone")
    before = client.describe_table(TableName="Music")["Table"]
    server.restart()
    assert server.client().describe_table(TableName="Music")["Table"] == before
    server.kill()
    client = server.start().client()
    assert client.describe_table(TableName="Music")["Table"] == before
    assert client.list_tables()["TableNames"] == ["Music"]


def test_limits_and_endpoints_are_described(client):
    limits = client.describe_limits()
    assert limits["TableMaxReadCapacityUnits"] <= limits["AccountMaxReadCapacityUnits"]
    (endpoint,) = client.describe_endpoints()["Endpoints"]
    assert endpoint["CachePeriodInMinutes"] > 0


def test_an_operation_that_is_not_built_says_which(client):
    with pytest.raises(client.exceptions.ClientError) as refused:
        client.create_backup(TableName="none", BackupName="none")
    error = refused.value.response["Error"]
    assert error["Code"] == "UnknownOperationException"
    assert "CreateBackup" in error["Message"]


def test_resource_policies_outlive_a_restart(server):
    client = server.client()
    arn = client.create_table(**simple("guarded"))["TableDescription"]["TableArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "000000000000"},
        "Action": ["dynamodb:GetItem"],
        "Resource": arn,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)
    with pytest.raises(client.exceptions.PolicyNotFoundException):
        client.get_resource_policy(ResourceArn=arn)
    put = client.put_resource_policy(
        ResourceArn=arn, Policy=document, ExpectedRevisionId="NO_POLICY"
    )
    revision = put["RevisionId"]
    with pytest.raises(client.exceptions.PolicyNotFoundException):
        client.delete_resource_policy(ResourceArn=arn, ExpectedRevisionId="1")

    client = server.restart().client()
    found = client.get_resource_policy(ResourceArn=arn)
    assert found["RevisionId"] == revision
    shown = json.loads(found["Policy"])["Statement"]
    root = {"AWS": "arn:aws:iam::000000000000:root"}
    assert shown == [statement | {"Principal": root, "Action": "dynamodb:GetItem"}]
    again = client.put_resource_policy(ResourceArn=arn, Policy=found["Policy"])
    assert again["RevisionId"] == revision, "what is shown is the same policy"
    deleted = client.delete_resource_policy(ResourceArn=arn, ExpectedRevisionId=revision)
    assert deleted["RevisionId"] == revision


def test_what_tools_ask_about_every_table(client):
    create(client, simple("plain"))
    backups = client.describe_continuous_backups(TableName="plain")["ContinuousBackupsDescription"]
    assert backups["ContinuousBackupsStatus"] == "ENABLED"
    recovery = backups["PointInTimeRecoveryDescription"]
    assert recovery == {"PointInTimeRecoveryStatus": "DISABLED"}
    insights = client.describe_contributor_insights(TableName="plain")
    assert insights["ContributorInsightsStatus"] == "DISABLED"
    kinesis = client.describe_kinesis_streaming_destination(TableName="plain")
    assert kinesis["KinesisDataStreamDestinations"] == []
    time_to_live = client.describe_time_to_live(TableName="plain")["TimeToLiveDescription"]
    assert time_to_live == {"TimeToLiveStatus": "DISABLED"}
    assert client.list_backups(TableName="plain")["BackupSummaries"] == []
