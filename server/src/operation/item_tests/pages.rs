//! Query and Scan.

use serde_json::{Value, json};

use crate::{
    operation::harness::Harness,
    table::Projection,
    wire::Operation::{Query, Scan},
};

/// A table of 20 items in two partitions, with indexes of every kind.
fn indexed() -> Harness {
    let harness = Harness::new();
    let include = Projection::Include(vec!["x".into()]);
    harness.table(
        "items",
        &["n"],
        &[("local", &["pk"], &["l"], Projection::KeysOnly)],
        &[
            ("all", &["g"], &["n"], Projection::All),
            ("some", &["g"], &[], include),
            ("many", &["g", "pk"], &["l", "n"], Projection::KeysOnly),
        ],
    );
    for number in 0..20 {
        let mut item = json!({
            "pk": {"S": if number < 15 { "a" } else { "b" }},
            "n": {"N": format!("{}", number * 5 - 30)},
            "x": {"S": format!("x{number}")},
            "y": {"S": "y"},
        });
        if number % 2 == 0 {
            item["g"] = json!({"S": "g"});
            item["l"] = json!({"S": format!("{}", number % 3)});
        }
        harness.put("items", &item);
    }
    harness
}

fn numbers(answer: &Value) -> Vec<i64> {
    let items = answer["Items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["n"]["N"].as_str().unwrap().parse().unwrap())
        .collect()
}

/// All pages of a request, one after the other.
fn all_pages(harness: &Harness, scan: bool, request: &Value) -> Vec<Value> {
    let mut request = request.clone();
    let mut pages = Vec::new();
    loop {
        let page = harness.ok(if scan { Scan } else { Query }, request.clone());
        let last = page.get("LastEvaluatedKey").cloned();
        pages.push(page);
        match last {
            Some(key) => request["ExclusiveStartKey"] = key,
            None => return pages,
        }
    }
}

#[test]
fn a_query_returns_its_partition_in_the_order_of_values() {
    let harness = indexed();
    for (condition, expected) in [
        ("pk = :p", (-6..9).map(|n| n * 5).collect::<Vec<i64>>()),
        ("pk = :p AND n < :v", (-6..1).map(|n| n * 5).collect()),
        ("pk = :p AND n <= :v", (-6..2).map(|n| n * 5).collect()),
        ("pk = :p AND n > :v", (2..9).map(|n| n * 5).collect()),
        ("pk = :p AND :v <= n", (1..9).map(|n| n * 5).collect()),
        ("pk = :p AND n = :v", vec![5]),
        ("pk = :p AND n BETWEEN :v AND :w", vec![5, 10, 15]),
    ] {
        let mut values = json!({":p": {"S": "a"}});
        for (name, value) in [(":v", "5"), (":w", "15")] {
            if condition.contains(name) {
                values[name] = json!({"N": value});
            }
        }
        let request = |forward: bool| {
            json!({"TableName": "items", "KeyConditionExpression": condition,
                   "ExpressionAttributeValues": values, "ScanIndexForward": forward})
        };
        let mut expected = expected;
        assert_eq!(
            numbers(&harness.ok(Query, request(true))),
            expected,
            "{condition}"
        );
        expected.reverse();
        assert_eq!(
            numbers(&harness.ok(Query, request(false))),
            expected,
            "{condition}"
        );
    }
}

#[test]
fn pages_join_to_the_whole_in_both_directions() {
    let harness = indexed();
    for (index, condition) in [
        (None, "pk = :v"),
        (Some("local"), "pk = :v"),
        (Some("all"), "g = :v"),
        (Some("some"), "g = :v"),
    ] {
        for forward in [true, false] {
            let value = if condition.starts_with('g') { "g" } else { "a" };
            let mut request = json!({
                "TableName": "items", "KeyConditionExpression": condition,
                "ExpressionAttributeValues": {":v": {"S": value}}, "ScanIndexForward": forward,
            });
            if let Some(index) = index {
                request["IndexName"] = json!(index);
            }
            let whole = numbers(&harness.ok(Query, request.clone()));
            for limit in [1, 2, 3, 7] {
                request["Limit"] = json!(limit);
                let pages = all_pages(&harness, false, &request);
                let joined: Vec<i64> = pages.iter().flat_map(numbers).collect();
                assert_eq!(joined, whole, "{index:?} {limit} {forward}");
                assert!(pages.iter().all(|page| numbers(page).len() <= limit));
            }
        }
    }
}

#[test]
fn the_limit_counts_before_the_filter() {
    let harness = indexed();
    let request = json!({
        "TableName": "items", "KeyConditionExpression": "pk = :p", "Limit": 4,
        "FilterExpression": "attribute_exists(g)",
        "ExpressionAttributeValues": {":p": {"S": "a"}},
    });
    let pages = all_pages(&harness, false, &request);
    let counts: Vec<(i64, i64)> = pages
        .iter()
        .map(|page| {
            (
                page["Count"].as_i64().unwrap(),
                page["ScannedCount"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(counts, [(2, 4), (2, 4), (2, 4), (2, 3)]);
}

#[test]
fn a_page_ends_behind_the_item_that_crosses_1_mb() {
    let harness = Harness::new();
    harness.table("big", &["n"], &[], &[]);
    for number in 0..5 {
        harness.put(
            "big",
            &json!({"pk": {"S": "a"}, "n": {"N": number.to_string()},
                    "d": {"S": "x".repeat(300_000)}}),
        );
    }
    let request = json!({
        "TableName": "big", "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "a"}}, "ReturnConsumedCapacity": "TOTAL",
    });
    let pages = all_pages(&harness, false, &request);
    assert_eq!(
        pages.iter().map(numbers).collect::<Vec<_>>(),
        [vec![0, 1, 2, 3], vec![4]]
    );
    // 4 × 300,007 bytes are 293 steps of 4 KB.
    assert_eq!(pages[0]["ConsumedCapacity"]["CapacityUnits"], json!(146.5));
}

#[test]
fn select_decides_what_is_returned_and_where_it_is_read() {
    let harness = indexed();
    let query = |index: &str, more: Value| {
        let mut request = json!({
            "TableName": "items", "IndexName": index,
            "KeyConditionExpression": if index == "local" { "pk = :v" } else { "g = :v" },
            "ExpressionAttributeValues": {":v": {"S": if index == "local" { "a" } else { "g" }}},
            "ReturnConsumedCapacity": "INDEXES", "Limit": 1,
        });
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        request
    };
    let names = |answer: &Value| -> Vec<String> {
        answer["Items"][0]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let answer = harness.ok(Query, query("local", json!({})));
    assert_eq!(names(&answer), ["l", "n", "pk"]);
    assert_eq!(
        answer["ConsumedCapacity"],
        json!({"TableName": "items", "CapacityUnits": 0.5, "Table": {"CapacityUnits": 0.0},
               "LocalSecondaryIndexes": {"local": {"CapacityUnits": 0.5}}})
    );
    // A local index fetches what it does not have, at the price of reading the item.
    let answer = harness.ok(Query, query("local", json!({"Select": "ALL_ATTRIBUTES"})));
    assert_eq!(names(&answer), ["g", "l", "n", "pk", "x", "y"]);
    assert_eq!(
        answer["ConsumedCapacity"]["Table"],
        json!({"CapacityUnits": 0.5})
    );
    let answer = harness.ok(
        Query,
        query("local", json!({"ProjectionExpression": "y, l"})),
    );
    assert_eq!(names(&answer), ["l", "y"]);
    let answer = harness.ok(Query, query("local", json!({"Select": "COUNT"})));
    assert_eq!((answer.get("Items"), &answer["Count"]), (None, &json!(1)));
    // A global one does not.
    assert_eq!(
        names(&harness.ok(Query, query("some", json!({})))),
        ["g", "n", "pk", "x"]
    );
    for (more, message) in [
        (
            json!({"Select": "ALL_ATTRIBUTES"}),
            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not \
             supported for global secondary index some because its projection type is not ALL",
        ),
        (
            json!({"ProjectionExpression": "x, y"}),
            "One or more parameter values were invalid: Global secondary index some does not \
             project [y]",
        ),
        (
            json!({"ConsistentRead": true}),
            "Consistent reads are not supported on global secondary indexes",
        ),
        (
            json!({"FilterExpression": "attribute_exists(y)"}),
            "One or more parameter values were invalid: Secondary index some does not project one \
             or more filter attributes: [y]",
        ),
        (
            json!({"Select": "SPECIFIC_ATTRIBUTES"}),
            "1 validation error detected: Must specify the AttributesToGet or ProjectionExpression when choosing to get \
             SPECIFIC_ATTRIBUTES",
        ),
    ] {
        assert_eq!(harness.refused(Query, query("some", more)), message);
    }
    assert_eq!(
        harness.refused(Query, query("none", json!({}))),
        "The table does not have the specified index: none"
    );
}

#[test]
fn keys_of_several_attributes_sort_by_each_in_turn() {
    let harness = indexed();
    let query = |condition: &str, more: Value| {
        let mut values = json!({":g": {"S": "g"}, ":p": {"S": "a"}});
        for (name, value) in more.as_object().unwrap() {
            values[name] = value.clone();
        }
        json!({"TableName": "items", "IndexName": "many", "KeyConditionExpression": condition,
               "ExpressionAttributeValues": values})
    };
    let whole = harness.ok(Query, query("g = :g AND pk = :p", json!({})));
    let order: Vec<(String, i64)> = whole["Items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let number = item["n"]["N"].as_str().unwrap().parse().unwrap();
            (item["l"]["S"].as_str().unwrap().to_owned(), number)
        })
        .collect();
    let mut sorted = order.clone();
    sorted.sort();
    assert_eq!(order, sorted);
    assert_eq!(order.len(), 8);
    let answer = harness.ok(
        Query,
        query(
            "g = :g AND pk = :p AND l = :l AND n > :n",
            json!({":l": {"S": "0"}, ":n": {"N": "-20"}}),
        ),
    );
    assert_eq!(numbers(&answer), [0, 30]);
    assert_eq!(
        harness.refused(Query, query("g = :g", json!({":p": {"S": "a"}}))),
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:p}"
    );
    assert_eq!(
        harness.refused(
            Query,
            query("g = :g AND pk = :p AND n = :n", json!({":n": {"N": "0"}}))
        ),
        "RANGE key attributes l must have equality conditions specified in the query because a \
         condition is present on key attribute n"
    );
}

#[test]
fn segments_partition_a_scan() {
    let harness = indexed();
    for (index, count) in [(None, 20), (Some("local"), 10), (Some("all"), 10)] {
        for total in [1, 3, 7] {
            let mut seen = Vec::new();
            for segment in 0..total {
                let mut request = json!({
                    "TableName": "items", "Segment": segment, "TotalSegments": total, "Limit": 2,
                });
                if let Some(index) = index {
                    request["IndexName"] = json!(index);
                }
                seen.extend(all_pages(&harness, true, &request).iter().flat_map(numbers));
            }
            seen.sort_unstable();
            let mut expected: Vec<i64> = (0..20)
                .filter(|number| count == 20 || number % 2 == 0)
                .map(|number| number * 5 - 30)
                .collect();
            expected.sort_unstable();
            assert_eq!(seen, expected, "{index:?} {total}");
        }
    }
}

#[test]
fn start_keys_are_whole_keys_within_reach() {
    let harness = indexed();
    let query = |start: Value, condition: &str| {
        json!({"TableName": "items", "KeyConditionExpression": condition,
               "ExpressionAttributeValues": {":p": {"S": "a"}}, "ExclusiveStartKey": start})
    };
    assert_eq!(
        harness.refused(Query, query(json!({"pk": {"S": "a"}}), "pk = :p")),
        "The provided starting key is invalid"
    );
    assert_eq!(
        harness.refused(
            Query,
            query(json!({"pk": {"S": "b"}, "n": {"N": "1"}}), "pk = :p")
        ),
        "The provided starting key is outside query boundaries based on provided conditions"
    );
    assert_eq!(
        harness.refused(
            Scan,
            json!({"TableName": "items", "ExclusiveStartKey": {"pk": {"S": "a"}, "n": {"S": "1"}}})
        ),
        "The provided starting key is invalid: The provided key element does not match the schema"
    );
    // It need not be there.
    let answer = harness.ok(
        Query,
        query(json!({"pk": {"S": "a"}, "n": {"N": "33"}}), "pk = :p"),
    );
    assert_eq!(numbers(&answer), [35, 40]);
}

#[test]
fn segments_come_in_pairs() {
    let harness = indexed();
    for (request, message) in [
        (
            json!({"Segment": 0}),
            "The TotalSegments parameter is required but was not present in the request when \
             Segment parameter is present",
        ),
        (
            json!({"TotalSegments": 4}),
            "The Segment parameter is required but was not present in the request when parameter \
             TotalSegments is present",
        ),
        (
            json!({"Segment": 5, "TotalSegments": 5}),
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: \
             Segment: 5 is not less than TotalSegments: 5",
        ),
    ] {
        let mut request = request;
        request["TableName"] = json!("items");
        assert_eq!(harness.refused(Scan, request), message);
    }
}
