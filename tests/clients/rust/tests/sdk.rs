//! A program in Rust uses Stator as it uses DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, KeysAndAttributes, Projection, ProjectionType, PutRequest, ReturnValue,
    ScalarAttributeType, TableStatus, WriteRequest,
};
use stator_client_rust::{Outcome, Stator};

type Item = HashMap<String, AttributeValue>;

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn key_schema(hash: &str, range: &str) -> Outcome<Vec<KeySchemaElement>> {
    let element = |name: &str, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
    };
    Ok(vec![
        element(hash, KeyType::Hash)?,
        element(range, KeyType::Range)?,
    ])
}

/// A table of songs by artist and title, with an index by genre and year.
async fn create_music(client: &Client) -> Outcome {
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
    };
    let by_genre = GlobalSecondaryIndex::builder()
        .index_name("by-genre")
        .set_key_schema(Some(key_schema("genre", "year")?))
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::All)
                .build(),
        )
        .build()?;
    let created = client
        .create_table()
        .table_name("Music")
        .set_attribute_definitions(Some(vec![
            attribute("artist", ScalarAttributeType::S)?,
            attribute("title", ScalarAttributeType::S)?,
            attribute("genre", ScalarAttributeType::S)?,
            attribute("year", ScalarAttributeType::N)?,
        ]))
        .set_key_schema(Some(key_schema("artist", "title")?))
        .global_secondary_indexes(by_genre)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await?;
    let table = created.table_description().ok_or("no description")?;
    assert_eq!(
        table.table_arn(),
        Some("arn:aws:dynamodb:eu-central-1:000000000000:table/Music")
    );
    loop {
        let described = client.describe_table().table_name("Music").send().await?;
        let table = described.table().ok_or("no table")?;
        if table.table_status() == Some(&TableStatus::Active) {
            return Ok(());
        }
    }
}

async fn put(client: &Client, song: Item) -> Outcome {
    client
        .put_item()
        .table_name("Music")
        .set_item(Some(song))
        .send()
        .await?;
    Ok(())
}

fn song(artist: &str, number: i64) -> Item {
    item([
        ("artist", s(artist)),
        ("title", s(format!("song {number:03}"))),
        ("genre", s(if number % 2 == 0 { "jazz" } else { "rock" })),
        ("year", n(1950 + number)),
    ])
}

#[tokio::test]
async fn every_type_comes_back_as_it_was_sent_even_after_a_crash() -> Outcome {
    let stator = Stator::start()?;
    create_music(&stator.client()).await?;
    let all = item([
        ("artist", s("No One You Know")),
        ("title", s("Größe – 日本語 🎷")),
        ("number", n("-1234567890123456789012345678901234567.8")),
        ("tiny", n("1E-130")),
        ("bytes", AttributeValue::B(Blob::new([0, 255, 10]))),
        ("yes", AttributeValue::Bool(true)),
        ("nothing", AttributeValue::Null(true)),
        ("empty", s("")),
        ("strings", AttributeValue::Ss(vec!["a".into(), "b".into()])),
        ("numbers", AttributeValue::Ns(vec!["-2".into(), "7".into()])),
        (
            "blobs",
            AttributeValue::Bs(vec![Blob::new([1]), Blob::new([2])]),
        ),
        (
            "list",
            AttributeValue::L(vec![n(1), s("two"), AttributeValue::L(vec![])]),
        ),
        (
            "map",
            AttributeValue::M(item([("deep", AttributeValue::M(item([("er", n(1))])))])),
        ),
    ]);
    put(&stator.client(), all.clone()).await?;
    let stator = stator.crash()?;
    let client = stator.client();
    let key = item([
        ("artist", s("No One You Know")),
        ("title", s("Größe – 日本語 🎷")),
    ]);
    let got = client
        .get_item()
        .table_name("Music")
        .set_key(Some(key))
        .send()
        .await?;
    let mut got = got.item.ok_or("the item is gone")?;
    // DynamoDB writes 1E-130 out; as a number it is the same.
    let tiny = got
        .insert("tiny".to_owned(), n("1E-130"))
        .ok_or("no tiny")?;
    let written_out = format!("0.{}1", "0".repeat(129));
    assert_eq!(tiny, n(written_out));
    for name in ["strings", "numbers", "blobs"] {
        sort_set(got.get_mut(name).ok_or(name)?);
    }
    assert_eq!(got, all);
    Ok(())
}

/// Sets have no order.
fn sort_set(value: &mut AttributeValue) {
    match value {
        AttributeValue::Ss(set) | AttributeValue::Ns(set) => set.sort(),
        AttributeValue::Bs(set) => set.sort_by(|a, b| a.as_ref().cmp(b.as_ref())),
        _ => {}
    }
}

#[tokio::test]
async fn a_failed_condition_is_the_typed_error_and_carries_the_item() -> Outcome {
    let stator = Stator::start()?;
    let client = stator.client();
    create_music(&client).await?;
    put(&client, song("A", 1)).await?;
    let refused = client
        .put_item()
        .table_name("Music")
        .set_item(Some(song("A", 1)))
        .condition_expression("attribute_not_exists(artist)")
        .return_values_on_condition_check_failure(
            aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld,
        )
        .send()
        .await
        .err()
        .ok_or("the condition held")?
        .into_service_error();
    let PutItemError::ConditionalCheckFailedException(failed) = refused else {
        return Err(format!("another error: {refused:?}").into());
    };
    assert_eq!(failed.message(), Some("The conditional request failed"));
    assert_eq!(failed.item(), Some(&song("A", 1)));
    Ok(())
}

#[tokio::test]
async fn an_update_computes_and_returns_what_was_asked_for() -> Outcome {
    let stator = Stator::start()?;
    let client = stator.client();
    create_music(&client).await?;
    let update = || {
        client
            .update_item()
            .table_name("Music")
            .key("artist", s("A"))
            .key("title", s("T"))
            .update_expression(
                "SET #n = if_not_exists(#n, :zero) + :one, tags = :tags ADD plays :one",
            )
            .expression_attribute_names("#n", "count")
            .expression_attribute_values(":zero", n(0))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":tags", AttributeValue::L(vec![s("x")]))
            .return_values(ReturnValue::AllNew)
            .send()
    };
    update().await?;
    let updated = update().await?.attributes.ok_or("no attributes")?;
    let tags = AttributeValue::L(vec![s("x")]);
    let expected = [
        ("artist", s("A")),
        ("title", s("T")),
        ("count", n(2)),
        ("plays", n(2)),
        ("tags", tags),
    ];
    assert_eq!(updated, item(expected));
    Ok(())
}

#[tokio::test]
async fn a_paginator_walks_table_and_index_in_order() -> Outcome {
    let stator = Stator::start()?;
    let client = stator.client();
    create_music(&client).await?;
    for number in 0..30 {
        put(&client, song("A", number)).await?;
    }
    let mut pages = client
        .query()
        .table_name("Music")
        .key_condition_expression("artist = :a AND title BETWEEN :low AND :high")
        .expression_attribute_values(":a", s("A"))
        .expression_attribute_values(":low", s("song 005"))
        .expression_attribute_values(":high", s("song 024"))
        .scan_index_forward(false)
        .limit(7)
        .into_paginator()
        .send();
    let (mut titles, mut sizes) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let items = page?.items.unwrap_or_default();
        sizes.push(items.len());
        titles.extend(items.iter().map(|item| item["title"].clone()));
    }
    assert_eq!(
        titles,
        (5..=24)
            .rev()
            .map(|n| s(format!("song {n:03}")))
            .collect::<Vec<_>>()
    );
    assert_eq!(sizes, [7, 7, 6]);
    let jazz = client
        .query()
        .table_name("Music")
        .index_name("by-genre")
        .key_condition_expression("genre = :g AND #y < :y")
        .expression_attribute_names("#y", "year")
        .expression_attribute_values(":g", s("jazz"))
        .expression_attribute_values(":y", n(1957))
        .send()
        .await?;
    let years: Vec<_> = jazz
        .items()
        .iter()
        .map(|item| item["year"].clone())
        .collect();
    assert_eq!(years, [n(1950), n(1952), n(1954), n(1956)]);
    Ok(())
}

#[tokio::test]
async fn batches_write_and_read() -> Outcome {
    let stator = Stator::start()?;
    let client = stator.client();
    create_music(&client).await?;
    let puts = (0..25).map(|number| {
        let put = PutRequest::builder()
            .set_item(Some(song("B", number)))
            .build()?;
        Ok(WriteRequest::builder().put_request(put).build())
    });
    let puts = puts.collect::<Outcome<Vec<_>>>()?;
    let written = client
        .batch_write_item()
        .request_items("Music", puts)
        .send()
        .await?;
    assert!(written.unprocessed_items().is_none_or(HashMap::is_empty));
    let keys = (20..30).map(|number| {
        let mut key = song("B", number);
        key.retain(|name, _| matches!(name.as_str(), "artist" | "title"));
        key
    });
    let keys = KeysAndAttributes::builder()
        .set_keys(Some(keys.collect()))
        .projection_expression("title")
        .build()?;
    let read = client
        .batch_get_item()
        .request_items("Music", keys)
        .send()
        .await?;
    let mut titles: Vec<_> = read.responses().ok_or("no responses")?["Music"].clone();
    titles.sort_by_key(|item| format!("{item:?}"));
    let expected = (20..25).map(|number| item([("title", s(format!("song {number:03}")))]));
    assert_eq!(titles, expected.collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn a_missing_table_is_the_typed_error() -> Outcome {
    let stator = Stator::start()?;
    let error = stator
        .client()
        .describe_table()
        .table_name("Nowhere")
        .send()
        .await;
    let error = error.err().ok_or("it exists")?.into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
    assert_eq!(
        error.meta().message(),
        Some("Requested resource not found: Table: Nowhere not found")
    );
    Ok(())
}
