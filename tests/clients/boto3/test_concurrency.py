"""Many clients at once: nothing is lost, and nothing is done twice."""

from concurrent.futures import ThreadPoolExecutor

from tables import create, simple


def test_a_hot_counter_counts_every_update(client):
    create(client, simple("counters"))

    def add(_):
        answer = client.update_item(
            TableName="counters",
            Key={"pk": {"S": "hot"}},
            UpdateExpression="ADD #n :one",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["n"]["N"])

    with ThreadPoolExecutor(16) as pool:
        seen = list(pool.map(add, range(1500)))
    assert sorted(seen) == list(range(1, 1501)), "every update saw a state of its own"


def test_one_of_many_conditional_writers_wins_each_time(client):
    create(client, simple("locks"))

    def take(attempt):
        name, owner = divmod(attempt, 10)
        try:
            client.put_item(
                TableName="locks",
                Item={"pk": {"S": str(name)}, "owner": {"N": str(owner)}},
                ConditionExpression="attribute_not_exists(pk)",
            )
            return str(name), str(owner)
        except client.exceptions.ConditionalCheckFailedException:
            return None

    with ThreadPoolExecutor(16) as pool:
        winners = [won for won in pool.map(take, range(500)) if won]
    assert sorted(int(name) for name, _ in winners) == list(range(50))
    stored = client.scan(TableName="locks")["Items"]
    assert {item["pk"]["S"]: item["owner"]["N"] for item in stored} == dict(winners)
