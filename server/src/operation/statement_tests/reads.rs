//! SELECT.

use serde_json::{Value, json};

use super::{Harness, texts};
use crate::wire::Operation::ExecuteStatement;

/// Items of which the index holds some: `s3` is in none, `s5` in those of `gsiPk2` alone.
fn with_items() -> Harness {
    let harness = Harness::with_tables();
    for (sk, x, y, z) in [
        ("s1", "x", "y", "1"),
        ("s2", "z", "y", "2"),
        ("s4", "x", "y", "4"),
    ] {
        harness.put(
            "idx",
            &json!({"pk": {"S": "p"}, "sk": {"S": sk}, "gsiPk": {"S": x}, "gsiPk2": {"S": y},
                "lsiSk": {"S": format!("l{z}")}, "lsiSk2": {"S": format!("k{z}")},
                "lsiSk3": {"S": format!("m{z}")}, "projattr": {"S": format!("proj{z}")},
                "nonproj": {"S": format!("np{z}")}}),
        );
    }
    harness.put(
        "idx",
        &json!({"pk": {"S": "p"}, "sk": {"S": "s3"}, "nonproj": {"S": "np3"}}),
    );
    harness.put(
        "idx",
        &json!({"pk": {"S": "q"}, "sk": {"S": "s5"}, "gsiPk2": {"S": "y2"},
            "projattr": {"S": "proj5"}, "nonproj": {"S": "np5"}}),
    );
    harness
}

fn capacity(harness: &Harness, statement: &str, consistent: bool) -> Value {
    let request = json!({"Statement": statement, "ReturnConsumedCapacity": "INDEXES",
        "ConsistentRead": consistent});
    harness.ok(ExecuteStatement, request)["ConsumedCapacity"].clone()
}

fn sorted(items: &[Value], attribute: &str) -> Vec<String> {
    let mut texts = texts(items, attribute);
    texts.sort();
    texts
}

#[test]
fn an_index_is_read_through_its_qualifier() {
    let harness = with_items();
    let found = harness.items(r#"SELECT pk, sk FROM "idx"."gsi-all" WHERE gsiPk = 'x'"#);
    assert_eq!(sorted(&found, "sk"), ["s1", "s4"]);
    let found = harness.items(r#"SELECT * FROM "idx"."gsi-inc" WHERE gsiPk2 = 'y2'"#);
    let expected = json!([{"pk": {"S": "q"}, "sk": {"S": "s5"}, "gsiPk2": {"S": "y2"},
        "projattr": {"S": "proj5"}}]);
    assert_eq!(json!(found), expected);
    // Without the key of the index it is scanned.
    let found = harness.items(r#"SELECT sk FROM "idx"."gsi-inc" WHERE pk = 'q'"#);
    assert_eq!(sorted(&found, "sk"), ["s5"]);
    // A local index reaches the item, at extra cost.
    let statement = r#"SELECT nonproj FROM "idx"."lsi-keys" WHERE pk = 'p'"#;
    assert_eq!(
        sorted(&harness.items(statement), "nonproj"),
        ["np1", "np2", "np4"]
    );
    let eventual = capacity(&harness, statement, false);
    let strong = capacity(&harness, statement, true);
    for (consumed, table, index) in [(eventual, 1.5, 0.5), (strong, 3.0, 1.0)] {
        assert_eq!(consumed["Table"]["CapacityUnits"], table);
        let local = &consumed["LocalSecondaryIndexes"]["lsi-keys"];
        assert_eq!(local["CapacityUnits"], index);
    }
    let all = capacity(
        &harness,
        r#"SELECT * FROM "idx"."lsi-keys" WHERE pk = 'p'"#,
        false,
    );
    assert_eq!(all["Table"]["CapacityUnits"], 0.0);
}

#[test]
fn what_an_index_cannot_do_is_refused() {
    let harness = with_items();
    const FILTER: &str = "One or more parameter values were invalid: Secondary index gsi-inc does \
                          not project one or more filter attributes: [nonproj]";
    for (statement, message) in [
        (
            r#"SELECT zz, nonproj FROM "idx"."gsi-inc" WHERE gsiPk2 = 'y'"#,
            "One or more parameter values were invalid: Global secondary index gsi-inc does not \
             project [zz, nonproj]",
        ),
        (
            r#"SELECT nonproj FROM "idx"."gsi-inc""#,
            "One or more parameter values were invalid: Global secondary index gsi-inc does not \
             project [nonproj]",
        ),
        (
            r#"SELECT pk FROM "idx"."gsi-inc" WHERE gsiPk2 = 'y' AND nonproj = 'np1'"#,
            FILTER,
        ),
        (
            r#"SELECT pk FROM "idx"."gsi-inc" WHERE gsiPk2 = 'y' AND NOT nonproj = 'np1'"#,
            FILTER,
        ),
        (
            r#"SELECT pk FROM "idx"."gsi-inc" WHERE gsiPk2 = 'y' AND nonproj IS MISSING"#,
            FILTER,
        ),
        (
            r#"SELECT pk FROM "idx"."gsi-inc" WHERE gsiPk2 IN ['y', 'z'] AND nonproj = 'a'"#,
            FILTER,
        ),
        (
            r#"SELECT pk FROM "idx"."lsi-keys" WHERE pk = 'p' AND lsiSk2 BETWEEN 'k1' AND 'k4' AND nonproj = 'a'"#,
            "One or more parameter values were invalid: Secondary index lsi-keys does not project \
             one or more filter attributes: [nonproj]",
        ),
        (
            r#"SELECT * FROM "idx"."idx" WHERE pk = 'p'"#,
            "The table does not have the specified index",
        ),
    ] {
        assert_eq!(harness.invalid(statement, &[]), message, "{statement}");
    }
    const MULTI: &str = "PartiQL statements cannot be executed on tables with multi-attribute HASH \
                         keys or multi-attribute RANGE keys.";
    for statement in [
        r#"SELECT * FROM "idx"."gsi-multi" WHERE gsiPk = 5"#,
        r#"SELECT * FROM "idx"."gsi-multi" WHERE pk = 'p'"#,
        r#"SELECT * FROM "idx"."gsi-multi""#,
        r#"SELECT COUNT(*) FROM "idx"."gsi-multi""#,
        r#"SELECT pk FROM "idx"."gsi-multi" WHERE gsiPk = 'a' AND gsiPk2 = 'x' ORDER BY lsiSk DESC"#,
    ] {
        assert_eq!(harness.invalid(statement, &[]), MULTI, "{statement}");
    }
    let request = json!({"Statement": r#"SELECT * FROM "idx"."gsi-all" WHERE gsiPk = 'x'"#,
        "ConsistentRead": true});
    assert_eq!(
        harness.refused(ExecuteStatement, request),
        "Strongly consistent read is not supported on Global Secondary Indexes"
    );
    let (name, message) = harness.error("SELECT * FROM absent WHERE pk = 'x'", &[]);
    assert_eq!(name, "ResourceNotFoundException");
    assert_eq!(message, "Requested resource not found");
}

#[test]
fn the_arn_of_something_else_than_a_table_is_no_table() {
    let harness = with_items();
    let form = "1 validation error detected: Valid ARN format is 'arn:<awsPartition>:<vendor>:<region>:\
                <subscriber>:resourceType/resourceName', where Resource name must have length less than \
                or equal to 255, Resource name must have length greater than or equal to 3, Resource \
                name must satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/one";
    for statement in [
        format!(r#"SELECT * FROM "{arn}/index/global" WHERE pk = 'a'"#),
        format!(r#"INSERT INTO "{arn}/stream/x" VALUE {{'pk': 'b'}}"#),
        format!(r#"UPDATE "{arn}/index/global" SET n = 2 WHERE pk = 'a'"#),
        r#"DELETE FROM "arn:aws:s3:::bucket" WHERE pk = 'a'"#.to_owned(),
    ] {
        assert_eq!(harness.invalid(&statement, &[]), form, "{statement}");
    }
    let backup = arn.replace("table/", "backup/");
    assert_eq!(
        harness.invalid(&format!(r#"SELECT * FROM "{backup}""#), &[]),
        format!("1 validation error detected: Invalid resource type in '{backup}'")
    );
    let request = json!({"Statement": format!(r#"SELECT * FROM "{arn}" WHERE pk = 'a'"#)});
    harness.ok(ExecuteStatement, request);
}

#[test]
fn filters_of_a_scanned_index_see_what_it_holds() {
    let harness = with_items();
    for (condition, expected) in [
        ("nonproj = 'np1'", &[][..]),
        ("nonproj = 'np1' AND nonproj = 'np2'", &[]),
        ("NOT nonproj = 'np1'", &["s1", "s2", "s4", "s5"]),
        (
            "(gsiPk2 = 'y' AND nonproj = 'np1') OR (gsiPk2 = 'y2')",
            &["s5"],
        ),
    ] {
        let statement = format!(r#"SELECT pk, sk FROM "idx"."gsi-inc" WHERE {condition}"#);
        assert_eq!(
            sorted(&harness.items(&statement), "sk"),
            expected,
            "{condition}"
        );
    }
}

#[test]
fn conditions_are_those_of_expressions() {
    let harness = Harness::with_tables();
    harness.put(
        "one",
        &json!({"pk": {"S": "a"}, "ss": {"SS": ["a", "b"]}, "s": {"S": "str"},
            "m": {"M": {"sub": {"S": "x"}}}, "l": {"L": [{"N": "7"}]}, "nul": {"NULL": true},
            "flag": {"BOOL": true}}),
    );
    for (condition, holds) in [
        ("attribute_exists(ss)", true),
        ("ATTRIBUTE_EXISTS(\"ss\")", true),
        ("NOT attribute_exists(nope)", true),
        ("(attribute_exists(nope) OR attribute_exists(m.sub))", true),
        ("attribute_exists(ss) = true", true),
        ("attribute_exists(ss) = false", false),
        ("attribute_not_exists(ss) <> true", true),
        ("size(s) = 3", true),
        ("attribute_type(ss, 'SS')", true),
        ("nul IS NULL", true),
        ("s IS NOT NULL", true),
        ("s IS NULL", false),
        ("nope IS MISSING", true),
        ("s IS NOT MISSING", true),
        ("flag IS BOOL", true),
        ("s IS STRING", true),
        ("s IS BOOL", false),
        ("ss IS BAG", true),
        ("ss = <<'b', 'a'>>", true),
        ("l = [7.0]", true),
        ("l[0] BETWEEN 6 AND 8", true),
        ("m = {'sub': 'x'}", true),
        ("contains(ss, 'b')", true),
        ("NOT begins_with(s, 'x')", true),
        ("s IN ['x', 'str']", true),
        ("s NOT IN ('x', 'str')", false),
        ("nope <> 1", true),
        ("nope > 1", false),
    ] {
        let statement = format!("SELECT pk FROM one WHERE pk = 'a' AND {condition}");
        assert_eq!(
            harness.items(&statement).len(),
            usize::from(holds),
            "{condition}"
        );
    }
    let unordered = json!({"BOOL": true});
    for (condition, parameters, message) in [
        (
            "s < ?",
            vec![unordered.clone()],
            "Incorrect operand type for operator or function; operator or function: <, operand \
             type: BOOL",
        ),
        (
            "attribute_exists('s')",
            vec![],
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "attribute_exists()",
            vec![],
            "Incorrect number of operands for operator or function; operator or function: \
             attribute_exists, number of operands: 0",
        ),
        (
            "s = ?",
            vec![],
            "Number of parameters in request and statement don't match.",
        ),
        (
            "s = ?",
            vec![json!({"N": "1e2147483648"})],
            "The parameter cannot be converted to a numeric value: 1e2147483648",
        ),
        (
            "s = ?",
            vec![json!({"N": ""})],
            "The parameter cannot be converted to a numeric value",
        ),
    ] {
        let statement = format!("SELECT pk FROM one WHERE pk = 'a' AND {condition}");
        assert_eq!(
            harness.invalid(&statement, &parameters),
            message,
            "{condition}"
        );
    }
}

#[test]
fn columns_are_named_by_the_end_of_their_path() {
    let harness = Harness::with_tables();
    harness.put(
        "one",
        &json!({"pk": {"S": "a"}, "m": {"M": {"deep": {"S": "x"}}}, "l": {"L": [{"N": "7"}]}}),
    );
    let found = harness.items("SELECT m.deep, l[0], nope, pk FROM one WHERE pk = 'a'");
    assert_eq!(
        json!(found),
        json!([{"deep": {"S": "x"}, "_2": {"N": "7"}, "pk": {"S": "a"}}])
    );
}

/// `tests/tier2/partiql/whereOverlap.test.ts`.
#[test]
fn branches_of_or_may_overlap_where_one_is_negated() {
    let harness = Harness::with_tables();
    for sk in ["1", "2", "3"] {
        harness.put("two", &json!({"pk": {"S": "a"}, "sk": {"S": sk}}));
    }
    for (condition, expected) in [
        (
            "pk = 'a' AND NOT sk = '1' OR pk = 'a' AND sk = '2'",
            &["2", "3"][..],
        ),
        (
            "pk = 'a' AND sk <> '1' OR pk = 'a' AND sk = '2'",
            &["2", "3"],
        ),
        (
            "pk = 'a' AND NOT sk IN ['1', '3'] OR pk = 'a' AND sk = '2'",
            &["2"],
        ),
        ("pk = 'a' OR pk = 'a' AND NOT sk = '1'", &["1", "2", "3"]),
        (
            "pk = 'a' AND sk = '3' OR pk = 'a' AND sk = '1'",
            &["3", "1"],
        ),
        ("pk = 'a' AND sk > '1' AND sk <= '3'", &["2", "3"]),
        ("pk = 'a' AND sk IN ['3', '2', '9']", &["3", "2"]),
    ] {
        let found = harness.items(&format!("SELECT * FROM two WHERE {condition}"));
        assert_eq!(texts(&found, "sk"), expected, "{condition}");
    }
    for condition in [
        "pk = 'a' AND x = '1' OR pk = 'a' AND sk = '2'",
        "pk = 'a' AND x <> '1' OR pk = 'a' AND sk = '2'",
        "pk IN ['a', 'a']",
    ] {
        assert_eq!(
            harness.invalid(&format!("SELECT * FROM two WHERE {condition}"), &[]),
            "Overlapping conditions with range keys are not supported in where clause",
            "{condition}"
        );
    }
}

#[test]
fn order_by_is_of_the_key() {
    let harness = Harness::with_tables();
    for (pk, sk) in [("a", "1"), ("a", "2"), ("b", "1"), ("b", "3")] {
        harness.put("two", &json!({"pk": {"S": pk}, "sk": {"S": sk}}));
    }
    for (rest, expected) in [
        ("pk = 'a' ORDER BY sk DESC", &["a2", "a1"][..]),
        ("pk = 'a' ORDER BY sk ASC", &["a1", "a2"]),
        (
            "pk IN ['b', 'a'] ORDER BY pk, sk DESC",
            &["a2", "a1", "b3", "b1"],
        ),
        (
            "pk IN ['a', 'b'] ORDER BY pk DESC",
            &["b1", "b3", "a1", "a2"],
        ),
        ("pk = 'b' AND sk IN ['3', '1'] ORDER BY sk", &["b1", "b3"]),
    ] {
        let found = harness.items(&format!("SELECT * FROM two WHERE {rest}"));
        let (pk, sk) = (texts(&found, "pk"), texts(&found, "sk"));
        let found: Vec<String> = pk
            .iter()
            .zip(&sk)
            .map(|(pk, sk)| format!("{pk}{sk}"))
            .collect();
        assert_eq!(found, expected, "{rest}");
    }
    for (rest, message) in [
        (
            "ORDER BY pk",
            "Must have WHERE clause in the statement when using ORDER BY clause.",
        ),
        (
            "WHERE sk = '1' ORDER BY sk",
            "Must have at least one non-optional hash key condition in WHERE clause when using \
             ORDER BY clause.",
        ),
        (
            "WHERE pk = 'a' ORDER BY x",
            "Variable reference x in ORDER BY clause must be part of the primary key",
        ),
        (
            "WHERE pk IN ['a', 'b'] ORDER BY sk",
            "Must have hash key in ORDER BY clause when more than one hash key condition specified \
             in WHERE clause.",
        ),
    ] {
        assert_eq!(
            harness.invalid(&format!("SELECT * FROM two {rest}"), &[]),
            message,
            "{rest}"
        );
    }
}

/// Every page but the last has a token; a token counts for its statement alone.
#[test]
fn pages_follow_one_another() {
    let harness = Harness::with_tables();
    for pk in 0..25 {
        for sk in ["1", "2", "3"] {
            harness.put(
                "two",
                &json!({"pk": {"S": format!("{pk:02}")}, "sk": {"S": sk}}),
            );
        }
    }
    let keys: Vec<String> = (0..25).map(|pk| format!("'{pk:02}'")).collect();
    let in_list = format!("SELECT * FROM two WHERE pk IN [{}]", keys.join(", "));
    let statements = [
        ("SELECT * FROM two WHERE pk = '03'", 3),
        ("SELECT * FROM two WHERE pk = '03' ORDER BY sk DESC", 3),
        ("SELECT * FROM two", 75),
        ("SELECT * FROM two WHERE sk = '2'", 25),
        (&in_list, 75),
    ];
    for (statement, count) in statements {
        for limit in [None, Some(1), Some(2), Some(7), Some(100)] {
            let (mut found, mut token, mut pages) = (Vec::new(), Value::Null, 0);
            loop {
                let mut request = json!({ "Statement": statement });
                if let Some(limit) = limit {
                    request["Limit"] = limit.into();
                }
                if !token.is_null() {
                    request["NextToken"] = token;
                }
                let answer = harness.ok(ExecuteStatement, request);
                found.extend(answer["Items"].as_array().unwrap().clone());
                pages += 1;
                token = answer["NextToken"].clone();
                if token.is_null() {
                    break;
                }
            }
            let mut keys: Vec<String> = found.iter().map(Value::to_string).collect();
            keys.sort();
            keys.dedup();
            assert_eq!(
                (keys.len(), found.len()),
                (count, count),
                "{statement} {limit:?}"
            );
            let least = match (statement == in_list, limit) {
                // Ten partitions a page.
                (true, None) => 3,
                (_, Some(limit)) => count.div_ceil(limit),
                _ => 1,
            };
            assert!(pages >= least, "{statement} {limit:?}: {pages}");
        }
    }
    let answer = harness.ok(
        ExecuteStatement,
        json!({"Statement": "SELECT * FROM two", "Limit": 1}),
    );
    assert!(answer["LastEvaluatedKey"]["pk"].is_object());
    for (statement, token) in [
        ("SELECT pk FROM two", answer["NextToken"].clone()),
        ("SELECT * FROM one", answer["NextToken"].clone()),
        ("SELECT * FROM two", "nonsense".into()),
    ] {
        let request = json!({"Statement": statement, "NextToken": token});
        assert_eq!(
            harness.refused(ExecuteStatement, request),
            "NextToken does not match request",
            "{statement}"
        );
    }
    // One item by its key has no next page, though the limit is reached.
    let single = json!({"Statement": "SELECT * FROM two WHERE pk = '01' AND sk = '2'", "Limit": 1});
    let answer = harness.ok(ExecuteStatement, single);
    assert!(answer["NextToken"].is_null() && answer["LastEvaluatedKey"].is_null());
}
