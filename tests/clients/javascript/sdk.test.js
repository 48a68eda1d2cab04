// A program in JavaScript uses Stator as it uses DynamoDB.

"use strict";

const assert = require("node:assert/strict");
const test = require("node:test");

const dynamodb = require("@aws-sdk/client-dynamodb");
const document = require("@aws-sdk/lib-dynamodb");
const { withStator } = require("./stator.js");

const TABLE = {
  TableName: "Music",
  AttributeDefinitions: [
    { AttributeName: "artist", AttributeType: "S" },
    { AttributeName: "title", AttributeType: "S" },
    { AttributeName: "genre", AttributeType: "S" },
  ],
  KeySchema: [
    { AttributeName: "artist", KeyType: "HASH" },
    { AttributeName: "title", KeyType: "RANGE" },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: "by-genre",
      KeySchema: [{ AttributeName: "genre", KeyType: "HASH" }],
      Projection: { ProjectionType: "ALL" },
    },
  ],
  BillingMode: "PAY_PER_REQUEST",
};

async function createTable(client) {
  await client.send(new dynamodb.CreateTableCommand(TABLE));
  const waiter = { client, minDelay: 1, maxDelay: 1, maxWaitTime: 20 };
  const waited = await dynamodb.waitUntilTableExists(waiter, { TableName: "Music" });
  assert.equal(waited.state, "SUCCESS");
}

/** The document client, which keeps numbers that JavaScript can't hold. */
function documents(client) {
  return document.DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
    unmarshallOptions: { wrapNumbers: (text) => (Number(text) + "" === text ? Number(text) : text) },
  });
}

test("every type comes back as it was sent, even after a crash", withStator(async (stator) => {
  await createTable(stator.client());
  const Item = {
    artist: { S: "No One You Know" },
    title: { S: "Größe – 日本語 🎷" },
    number: { N: "-1234567890123456789012345678901234567.8" },
    bytes: { B: new Uint8Array([0, 255, 10]) },
    yes: { BOOL: true },
    nothing: { NULL: true },
    empty: { S: "" },
    strings: { SS: ["a", "b"] },
    numbers: { NS: ["-2"] },
    list: { L: [{ N: "1" }, { S: "two" }, { L: [] }] },
    map: { M: { deep: { M: { er: { BOOL: false } } } } },
  };
  const put = { TableName: "Music", Item };
  await stator.client().send(new dynamodb.PutItemCommand(put));
  await stator.kill();
  await stator.start();
  const Key = { artist: Item.artist, title: Item.title };
  const got = await stator.client().send(new dynamodb.GetItemCommand({ TableName: "Music", Key }));
  got.Item.strings.SS.sort();
  assert.deepEqual(got.Item, Item);
}));

test("the document client reads, writes, updates and pages", withStator(async (stator) => {
  const client = documents(stator.client());
  await createTable(client);
  const items = Array.from({ length: 60 }, (_, number) => ({
    artist: "A",
    title: `song ${String(number).padStart(3, "0")}`,
    genre: number % 3 ? "rock" : "jazz",
    number,
    nested: { tags: new Set([`t${number % 5}`, "all"]), list: [number, null, true] },
  }));
  for (let begin = 0; begin < items.length; begin += 25) {
    const requests = items.slice(begin, begin + 25).map((Item) => ({ PutRequest: { Item } }));
    const written = await client.send(
      new document.BatchWriteCommand({ RequestItems: { Music: requests } }),
    );
    assert.deepEqual(written.UnprocessedItems, {});
  }
  const found = [];
  const sizes = [];
  const query = {
    TableName: "Music",
    KeyConditionExpression: "artist = :a AND title > :t",
    FilterExpression: "contains(nested.tags, :tag)",
    ExpressionAttributeValues: { ":a": "A", ":t": "song 009", ":tag": "t2" },
    ScanIndexForward: false,
  };
  for await (const page of document.paginateQuery({ client, pageSize: 20 }, query)) {
    found.push(...page.Items);
    sizes.push(page.ScannedCount);
  }
  assert.deepEqual(sizes, [20, 20, 10]);
  const expected = items.filter(({ number }) => number > 9 && number % 5 === 2).reverse();
  assert.deepEqual(found, expected);
  const jazz = await client.send(
    new document.QueryCommand({
      TableName: "Music",
      IndexName: "by-genre",
      KeyConditionExpression: "genre = :g",
      ExpressionAttributeValues: { ":g": "jazz" },
      Select: "COUNT",
    }),
  );
  assert.equal(jazz.Count, 20);
  const updated = await client.send(
    new document.UpdateCommand({
      TableName: "Music",
      Key: { artist: "A", title: "song 004" },
      UpdateExpression: "SET nested.#l[1] = :x ADD #n :five REMOVE genre",
      ExpressionAttributeNames: { "#l": "list", "#n": "number" },
      ExpressionAttributeValues: { ":x": { a: 1 }, ":five": 5 },
      ReturnValues: "ALL_NEW",
    }),
  );
  assert.deepEqual(updated.Attributes, {
    artist: "A",
    title: "song 004",
    number: 9,
    nested: { tags: new Set(["t4", "all"]), list: [4, { a: 1 }, true] },
  });
}));

test("errors are the SDK's own classes", withStator(async (stator) => {
  const client = stator.client();
  await createTable(client);
  const put = {
    TableName: "Music",
    Item: { artist: { S: "A" }, title: { S: "T" } },
    ConditionExpression: "attribute_not_exists(artist)",
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  };
  await client.send(new dynamodb.PutItemCommand(put));
  await assert.rejects(client.send(new dynamodb.PutItemCommand(put)), (error) => {
    assert(error instanceof dynamodb.ConditionalCheckFailedException);
    assert.equal(error.message, "The conditional request failed");
    assert.deepEqual(error.Item, put.Item);
    assert.equal(error.$metadata.requestId.length, 52);
    return true;
  });
  await assert.rejects(
    client.send(new dynamodb.DescribeTableCommand({ TableName: "Nowhere" })),
    (error) => error instanceof dynamodb.ResourceNotFoundException,
  );
  await assert.rejects(client.send(new dynamodb.CreateTableCommand(TABLE)), (error) => {
    assert(error instanceof dynamodb.ResourceInUseException);
    assert.equal(error.message, "Table already exists: Music");
    return true;
  });
  const backup = { TableName: "Nowhere", BackupName: "none" };
  await assert.rejects(client.send(new dynamodb.CreateBackupCommand(backup)), {
    name: "UnknownOperationException",
    message: /CreateBackup/,
  });
}));

test("many requests at once over one client", withStator(async (stator) => {
  const client = documents(stator.client());
  await createTable(client);
  const add = () =>
    client.send(
      new document.UpdateCommand({
        TableName: "Music",
        Key: { artist: "counter", title: "" + 1 },
        UpdateExpression: "ADD #n :one",
        ExpressionAttributeNames: { "#n": "n" },
        ExpressionAttributeValues: { ":one": 1 },
        ReturnValues: "UPDATED_NEW",
      }),
    );
  const answers = await Promise.all(Array.from({ length: 400 }, add));
  const seen = answers.map(({ Attributes }) => Attributes.n).sort((a, b) => a - b);
  assert.deepEqual(seen, Array.from({ length: 400 }, (_, number) => number + 1));
}));
