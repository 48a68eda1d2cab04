"""Tables that several suites use."""

MUSIC = {
    "TableName": "Music",
    "AttributeDefinitions": [
        {"AttributeName": "artist", "AttributeType": "S"},
        {"AttributeName": "title", "AttributeType": "S"},
        {"AttributeName": "genre", "AttributeType": "S"},
        {"AttributeName": "year", "AttributeType": "N"},
        {"AttributeName": "plays", "AttributeType": "N"},
    ],
    "KeySchema": [
        {"AttributeName": "artist", "KeyType": "HASH"},
        {"AttributeName": "title", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-genre",
            "KeySchema": [
                {"AttributeName": "genre", "KeyType": "HASH"},
                {"AttributeName": "year", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["label"]},
        }
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "by-plays",
            "KeySchema": [
                {"AttributeName": "artist", "KeyType": "HASH"},
                {"AttributeName": "plays", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
}


def simple(name, key_type="S", sort_type=None):
    """A table with the partition key `pk` and, if it has a type, the sort key `sk`."""
    attributes = [{"AttributeName": "pk", "AttributeType": key_type}]
    schema = [{"AttributeName": "pk", "KeyType": "HASH"}]
    if sort_type:
        attributes.append({"AttributeName": "sk", "AttributeType": sort_type})
        schema.append({"AttributeName": "sk", "KeyType": "RANGE"})
    return {
        "TableName": name,
        "AttributeDefinitions": attributes,
        "KeySchema": schema,
        "BillingMode": "PAY_PER_REQUEST",
    }


def create(client, definition):
    """Creates a table and returns when it is ACTIVE; by default that is at the first look."""
    client.create_table(**definition)
    name = definition["TableName"]
    while client.describe_table(TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        pass
    return name


def scan_all(client, table, **parameters):
    """All items of a table or index, over as many pages as it takes."""
    pages = client.get_paginator("scan").paginate(TableName=table, **parameters)
    return [item for page in pages for item in page["Items"]]
