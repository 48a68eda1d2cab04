//! INSERT, UPDATE and DELETE.

use serde_json::json;

use super::{Harness, request};
use crate::wire::Operation::ExecuteStatement;

#[test]
fn an_insert_makes_what_is_not_there() {
    let harness = Harness::with_tables();
    let statement = "INSERT INTO one VALUE {'pk': 'a', 'n': 7.32e6, 'l': [1, 'x', NULL, true], \
                     'm': {'it''s': ?}, 'ss': <<'b', 'a'>>, 'ns': <<2, 1.0>>, 'b': ?}";
    let parameters = [json!({"S": "deep"}), json!({"B": "AQI="})];
    assert_eq!(harness.run(statement, &parameters), json!({"Items": []}));
    let expected = json!({"pk": {"S": "a"}, "n": {"N": "7320000"},
        "l": {"L": [{"N": "1"}, {"S": "x"}, {"NULL": true}, {"BOOL": true}]},
        "m": {"M": {"it's": {"S": "deep"}}}, "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2"]},
        "b": {"B": "AQI="}});
    assert_eq!(harness.held("a"), expected);
    let (name, message) = harness.error("INSERT INTO one VALUE {'pk': 'a'}", &[]);
    assert_eq!(name, "DuplicateItemException");
    assert_eq!(message, "Duplicate primary key exists in table");
    assert_eq!(harness.held("a"), expected);
    for (statement, message) in [
        (
            "INSERT INTO one VALUE {'n': 1}",
            "One or more parameter values were invalid: Missing the key pk in the item",
        ),
        (
            "INSERT INTO one VALUE {'pk': 1}",
            "One or more parameter values were invalid: Type mismatch for key pk expected: S \
             actual: N",
        ),
    ] {
        assert_eq!(harness.invalid(statement, &[]), message, "{statement}");
    }
}

/// `tests/tier2/partiql/setFunctions.test.ts` and the developer guide's "PartiQL data types".
#[test]
fn an_update_changes_what_is_there() {
    let harness = Harness::with_tables();
    harness.put(
        "one",
        &json!({"pk": {"S": "a"}, "n": {"N": "5"}, "l": {"L": [{"N": "1"}]},
            "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1"]}, "m": {"M": {}}, "gone": {"S": "x"}}),
    );
    let statement = "UPDATE one SET n = n + 100, l = LIST_APPEND(l, [4, <<'x'>>]) SET m.x = [2020] \
                     SET ss = SET_ADD(ss, <<'c', 'a'>>) SET ns = set_delete(ns, ?) \
                     SET fresh = set_add(fresh, <<'q'>>) REMOVE gone WHERE pk = 'a'";
    assert_eq!(
        harness.run(statement, &[json!({"NS": ["1"]})]),
        json!({"Items": []})
    );
    assert_eq!(
        harness.held("a"),
        json!({"pk": {"S": "a"}, "n": {"N": "105"}, "l": {"L": [{"N": "1"}, {"N": "4"},
            {"SS": ["x"]}]}, "ss": {"SS": ["a", "b", "c"]}, "m": {"M": {"x": {"L": [{"N": "2020"}]}}},
            "fresh": {"SS": ["q"]}})
    );
    harness.run("FROM one WHERE pk = 'a' AND n = 105 SET n = n - 5", &[]);
    assert_eq!(harness.held("a")["n"], json!({"N": "100"}));
    for (statement, message) in [
        (
            "UPDATE one SET ss = set_add(ss, <<1>>) WHERE pk = 'a'",
            "An operand in the update expression has an incorrect data type",
        ),
        (
            "UPDATE one SET absent[0] = 'x' WHERE pk = 'a'",
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "UPDATE one SET pk = 'b' WHERE pk = 'a'",
            "One or more parameter values were invalid: Cannot update attribute pk. This attribute \
             is part of the key",
        ),
        ("UPDATE one SET x = 1", KEY),
        ("UPDATE one SET x = 1 WHERE n = 100", KEY),
        ("UPDATE one SET x = 1 WHERE pk > 'a'", KEY),
        ("FROM one SET x = 1", KEY),
        ("FROM one REMOVE n", KEY),
        ("UPDATE two SET x = 1 WHERE pk = 'a'", KEY),
        (
            "UPDATE one SET x = 1 WHERE pk = 5",
            "The provided key element does not match the schema",
        ),
    ] {
        assert_eq!(harness.invalid(statement, &[]), message, "{statement}");
    }
    let string = request(
        "UPDATE one SET ss = set_add(ss, ?) WHERE pk = 'a'",
        &[json!({"S": "x"})],
    );
    assert_eq!(
        harness.refused(ExecuteStatement, string),
        "The second argument to SET_ADD must be a value with type SET at 1:29:2"
    );
}

const KEY: &str = "Where clause does not contain a mandatory equality on all key attributes";

#[test]
fn conditions_stop_writes() {
    let harness = Harness::with_tables();
    harness.put("one", &json!({"pk": {"S": "a"}, "n": {"N": "5"}}));
    for statement in [
        "UPDATE one SET x = 1 WHERE pk = 'a' AND n = 6",
        "UPDATE one SET x = 1 WHERE pk = 'a' AND attribute_exists(nope)",
        "DELETE FROM one WHERE pk = 'a' AND NOT n = 5",
        // An update makes no item, whatever its condition says of one.
        "UPDATE one SET x = 1 WHERE pk = 'absent'",
        "UPDATE one SET x = set_add(x, <<'x'>>) WHERE pk = 'absent'",
        "UPDATE one SET x = 1 WHERE pk = 'absent' AND attribute_not_exists(pk)",
    ] {
        let (name, message) = harness.error(statement, &[]);
        assert_eq!(name, "ConditionalCheckFailedException", "{statement}");
        assert_eq!(message, "The conditional request failed");
    }
    assert!(harness.held("absent").is_null());
    assert_eq!(
        harness.held("a"),
        json!({"pk": {"S": "a"}, "n": {"N": "5"}})
    );
    let mut request = request("UPDATE one SET x = 1 WHERE pk = 'a' AND n = 6", &[]);
    request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
    let (_, body) = harness.call(ExecuteStatement, &request).unwrap_err();
    assert_eq!(body["Item"], json!({"pk": {"S": "a"}, "n": {"N": "5"}}));
    // Deleting what is not there does nothing.
    for statement in [
        "DELETE FROM one WHERE pk = 'absent'",
        "DELETE FROM one WHERE pk = 'absent' AND n = 1",
        "DELETE FROM one WHERE pk = 'absent' RETURNING ALL OLD *",
    ] {
        assert_eq!(
            harness.run(statement, &[]),
            json!({"Items": []}),
            "{statement}"
        );
    }
    let deleted = harness.run(
        "DELETE FROM one WHERE pk = 'a' AND n = 5 RETURNING ALL OLD *",
        &[],
    );
    assert_eq!(
        deleted,
        json!({"Items": [{"pk": {"S": "a"}, "n": {"N": "5"}}]})
    );
    assert!(harness.held("a").is_null());
}

/// The paths of the statement, in the item before and after: lists without gaps, and no row if there
/// is nothing there.
#[test]
fn returning_modified_follows_the_paths_of_the_statement() {
    let item = json!({"pk": {"S": "a"}, "d": {"S": "old"}, "m": {"M": {"x": {"S": "1"},
        "y": {"S": "2"}}}, "l": {"L": [{"S": "a"}, {"S": "b"}, {"S": "c"}]}});
    let list = |texts: &[&str]| {
        let elements: Vec<_> = texts.iter().map(|text| json!({ "S": text })).collect();
        json!([{"l": {"L": elements}}])
    };
    for (clauses, old, new) in [
        (
            "SET d = 'new'",
            json!([{"d": {"S": "old"}}]),
            json!([{"d": {"S": "new"}}]),
        ),
        (
            "SET m.x = 'new'",
            json!([{"m": {"M": {"x": {"S": "1"}}}}]),
            json!([{"m": {"M": {"x": {"S": "new"}}}}]),
        ),
        ("SET fresh = 1", json!([]), json!([{"fresh": {"N": "1"}}])),
        ("REMOVE d", json!([{"d": {"S": "old"}}]), json!([])),
        (
            "SET l[2] = 'y', l[0] = 'x'",
            list(&["a", "c"]),
            list(&["x", "y"]),
        ),
        ("SET l[5] = 'd'", json!([]), json!([])),
        ("SET l[3] = 'd'", json!([]), list(&["d"])),
        ("REMOVE l[1]", list(&["b"]), list(&["c"])),
        ("REMOVE l[2]", list(&["c"]), json!([])),
    ] {
        for (which, expected) in [("OLD", &old), ("NEW", &new)] {
            let harness = Harness::with_tables();
            harness.put("one", &item);
            let statement =
                format!("UPDATE one {clauses} WHERE pk = 'a' RETURNING MODIFIED {which} *");
            assert_eq!(
                harness.run(&statement, &[])["Items"],
                *expected,
                "{statement}"
            );
        }
    }
    let harness = Harness::with_tables();
    harness.put("one", &item);
    let old = harness.run(
        "UPDATE one REMOVE m REMOVE d WHERE pk = 'a' RETURNING ALL OLD *",
        &[],
    );
    assert_eq!(old["Items"], json!([item]));
}
