use super::*;
use crate::{
    item::Item,
    operation::layer::Layer,
    plan::fixture::item,
    validation::Wording,
    wire::{Operation, shapes::*},
};

const LAYER: fn() -> Layer = || Layer::new(Operation::PutItem, Wording::Older);

/// Whether `stored` meets the legacy condition in the JSON of a PutItem request's parameters.
fn holds(parameters: &str, stored: Option<&str>) -> Result<bool, String> {
    let input = PutItemInput::from_json(parameters.as_bytes()).map_err(|e| e.to_string())?;
    let condition = expected(
        LAYER(),
        input.expected,
        input.conditional_operator.as_deref(),
    )
    .map_err(|error| error.message().unwrap_or_default().into_owned())?;
    let stored = stored.map(item);
    Ok(condition.is_none_or(|it| it.evaluate(stored.as_ref().map(Item::as_ref))))
}

#[test]
fn every_operator_says_what_its_expression_says() {
    let stored = Some(
        r#"{"s":{"S":"hello"},"n":{"N":"5"},"set":{"SS":["a","b"]},"list":{"L":[{"S":"x"}]}}"#,
    );
    for (attribute, operator, arguments, expected) in [
        ("n", "EQ", r#"[{"N":"5.0"}]"#, true),
        ("n", "NE", r#"[{"N":"5"}]"#, false),
        ("missing", "NE", r#"[{"N":"5"}]"#, true),
        ("n", "LT", r#"[{"N":"10"}]"#, true),
        ("n", "LE", r#"[{"N":"5"}]"#, true),
        ("n", "GT", r#"[{"N":"5"}]"#, false),
        ("n", "GE", r#"[{"N":"5"}]"#, true),
        ("n", "LT", r#"[{"S":"10"}]"#, false),
        ("n", "BETWEEN", r#"[{"N":"1"},{"N":"5"}]"#, true),
        ("n", "IN", r#"[{"N":"1"},{"N":"5"}]"#, true),
        ("n", "IN", r#"[{"N":"1"}]"#, false),
        ("s", "BEGINS_WITH", r#"[{"S":"he"}]"#, true),
        ("s", "CONTAINS", r#"[{"S":"ll"}]"#, true),
        ("set", "CONTAINS", r#"[{"S":"a"}]"#, true),
        ("list", "CONTAINS", r#"[{"S":"x"}]"#, true),
        ("s", "NOT_CONTAINS", r#"[{"S":"xx"}]"#, true),
        ("missing", "NOT_CONTAINS", r#"[{"S":"xx"}]"#, false),
        ("s", "NULL", "[]", false),
        ("missing", "NULL", "[]", true),
        ("s", "NOT_NULL", "[]", true),
    ] {
        let parameters = format!(
            r#"{{"Expected":{{"{attribute}":{{"ComparisonOperator":"{operator}","AttributeValueList":{arguments}}}}}}}"#
        );
        assert_eq!(holds(&parameters, stored), Ok(expected), "{parameters}");
    }
}

#[test]
fn conditions_are_joined_by_and_unless_or_is_asked_for() {
    let two = |operator: &str| {
        format!(
            r#"{{"Expected":{{"a":{{"Value":{{"S":"1"}}}},"b":{{"Exists":false}}}}{operator}}}"#
        )
    };
    let stored = Some(r#"{"a":{"S":"1"},"b":{"S":"2"}}"#);
    assert_eq!(holds(&two(""), stored), Ok(false));
    assert_eq!(
        holds(&two(r#","ConditionalOperator":"AND""#), stored),
        Ok(false)
    );
    assert_eq!(
        holds(&two(r#","ConditionalOperator":"OR""#), stored),
        Ok(true)
    );
    assert_eq!(holds(&two(""), Some(r#"{"a":{"S":"1"}}"#)), Ok(true));
}

#[test]
fn malformed_expectations_are_refused_in_dynamodbs_words() {
    const INVALID: &str = "One or more parameter values were invalid: ";
    for (expected, message) in [
        (
            r#"{"Exists":true}"#,
            "Value must be provided when Exists is true for Attribute: a",
        ),
        (
            "{}",
            "Value must be provided when Exists is null for Attribute: a",
        ),
        (
            r#"{"Exists":false,"Value":{"S":"x"}}"#,
            "Value cannot be used when Exists is false for Attribute: a",
        ),
        (
            r#"{"Value":{"S":"x"},"ComparisonOperator":"EQ","AttributeValueList":[{"S":"x"}]}"#,
            "Value and AttributeValueList cannot be used together for Attribute: a",
        ),
        (
            r#"{"ComparisonOperator":"EQ"}"#,
            "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a",
        ),
        (
            r#"{"ComparisonOperator":"BETWEEN","AttributeValueList":[{"S":"x"}]}"#,
            "Invalid number of argument(s) for the BETWEEN ComparisonOperator",
        ),
        (
            r#"{"ComparisonOperator":"LT","AttributeValueList":[{"BOOL":true}]}"#,
            "ComparisonOperator LT is not valid for BOOL AttributeValue type",
        ),
    ] {
        let parameters = format!(r#"{{"Expected":{{"a":{expected}}}}}"#);
        assert_eq!(holds(&parameters, None), Err(format!("{INVALID}{message}")));
    }
    assert_eq!(
        holds(r#"{"ConditionalOperator":"OR"}"#, None),
        Err("ConditionalOperator cannot be used without Filter or Expected".to_owned())
    );
}

fn update(updates: &str, stored: Option<&str>) -> Result<Item, String> {
    let request = format!(r#"{{"AttributeUpdates":{updates}}}"#);
    let input = UpdateItemInput::from_json(request.as_bytes()).map_err(|e| e.to_string())?;
    let message = |error: crate::wire::Error| error.message().unwrap_or_default().into_owned();
    let (_, bound) =
        attribute_updates(LAYER(), input.attribute_updates.unwrap_or_default()).map_err(message)?;
    let stored = stored.map(item);
    bound
        .apply(
            stored.as_ref().map(Item::as_ref),
            item(r#"{"pk":{"S":"p"}}"#).as_ref(),
        )
        .map(|result| result.item)
        .map_err(|error| error.to_string())
}

#[test]
fn updates_put_add_and_delete() {
    let stored = r#"{"pk":{"S":"p"},"n":{"N":"1"},"set":{"SS":["a","b"]},"gone":{"S":"x"}}"#;
    assert_eq!(
        update(
            r#"{"n":{"Action":"ADD","Value":{"N":"4"}},
                "set":{"Action":"DELETE","Value":{"SS":["b"]}},
                "gone":{"Action":"DELETE"},
                "odd name.x":{"Value":{"S":"put"}}}"#,
            Some(stored)
        ),
        Ok(item(
            r#"{"pk":{"S":"p"},"n":{"N":"5"},"set":{"SS":["a"]},"odd name.x":{"S":"put"}}"#
        ))
    );
    assert_eq!(update("{}", None), Ok(item(r#"{"pk":{"S":"p"}}"#)));
    assert_eq!(
        update(r#"{"a":{"Action":"PUT"}}"#, None),
        Err(
            "One or more parameter values were invalid: Only DELETE action is allowed when no \
             attribute value is specified"
                .to_owned()
        )
    );
    assert_eq!(
        update(r#"{"a":{"Action":"DELETE","Value":{"S":"x"}}}"#, None),
        Err(
            "One or more parameter values were invalid: DELETE action with value is not supported \
             for the type S"
                .to_owned()
        )
    );
}

#[test]
fn attributes_to_get_are_top_level_names() {
    let projection = attributes_to_get(LAYER(), &["a.b".to_owned(), "size".to_owned()]).unwrap();
    let stored = item(r#"{"a.b":{"S":"1"},"a":{"M":{"b":{"S":"2"}}},"size":{"N":"1"}}"#);
    assert_eq!(
        projection.apply(stored.as_ref()),
        item(r#"{"a.b":{"S":"1"},"size":{"N":"1"}}"#)
    );
    assert!(attributes_to_get(LAYER(), &["a".to_owned(), "a".to_owned()]).is_err());
}

#[test]
fn each_action_takes_its_types() {
    const INVALID: &str = "One or more parameter values were invalid: ";
    let values = [
        ("S", r#"{"S":"x"}"#),
        ("N", r#"{"N":"2"}"#),
        ("B", r#"{"B":"AA=="}"#),
        ("SS", r#"{"SS":["b"]}"#),
        ("NS", r#"{"NS":["2"]}"#),
        ("BS", r#"{"BS":["AQ=="]}"#),
        ("BOOL", r#"{"BOOL":true}"#),
        ("NULL", r#"{"NULL":true}"#),
        ("L", r#"{"L":[{"S":"y"}]}"#),
        ("M", r#"{"M":{"k":{"S":"y"}}}"#),
    ];
    for (kind, value) in values {
        let one = |action: &str| {
            update(
                &format!(r#"{{"a":{{"Action":"{action}","Value":{value}}}}}"#),
                None,
            )
        };
        let alone = item(&format!(r#"{{"pk":{{"S":"p"}},"a":{value}}}"#));
        assert_eq!(one("PUT"), Ok(alone.clone()), "{kind}");
        let added = match kind {
            "N" | "SS" | "NS" | "BS" | "L" => Ok(alone),
            _ => Err(format!(
                "{INVALID}ADD action is not supported for the type {kind}"
            )),
        };
        assert_eq!(one("ADD"), added, "{kind}");
        let deleted = match kind {
            "SS" | "NS" | "BS" => Ok(item(r#"{"pk":{"S":"p"}}"#)),
            _ => Err(format!(
                "{INVALID}DELETE action with value is not supported for the type {kind}"
            )),
        };
        assert_eq!(one("DELETE"), deleted, "{kind}");
    }
}

#[test]
fn additions_and_deletions_fit_what_is_there() {
    let stored =
        r#"{"pk":{"S":"p"},"n":{"N":"1"},"ss":{"SS":["a"]},"l":{"L":[{"S":"x"}]},"s":{"S":"x"}}"#;
    let changed = |attribute: &str, action: &str, value: &str| {
        let updates = format!(r#"{{"{attribute}":{{"Action":"{action}","Value":{value}}}}}"#);
        update(&updates, Some(stored))
    };
    for (attribute, action, value, after) in [
        ("n", "ADD", r#"{"N":"-3"}"#, r#"{"N":"-2"}"#),
        ("new", "ADD", r#"{"N":"3"}"#, r#"{"N":"3"}"#),
        ("ss", "ADD", r#"{"SS":["a","b"]}"#, r#"{"SS":["a","b"]}"#),
        (
            "l",
            "ADD",
            r#"{"L":[{"S":"y"},{"N":"1"}]}"#,
            r#"{"L":[{"S":"x"},{"S":"y"},{"N":"1"}]}"#,
        ),
        ("l", "PUT", r#"{"L":[{"S":"y"}]}"#, r#"{"L":[{"S":"y"}]}"#),
    ] {
        let result = changed(attribute, action, value).unwrap();
        let expected = item(&format!(r#"{{"pk":{{"S":"p"}},"{attribute}":{after}}}"#));
        let found = result.as_ref().get(attribute).map(|value| value.to_value());
        assert_eq!(
            found,
            expected
                .as_ref()
                .get(attribute)
                .map(|value| value.to_value())
        );
    }
    for (attribute, action, value) in [
        ("s", "ADD", r#"{"N":"1"}"#),
        ("n", "ADD", r#"{"SS":["a"]}"#),
        ("ss", "ADD", r#"{"NS":["1"]}"#),
        ("ss", "ADD", r#"{"N":"1"}"#),
        ("s", "ADD", r#"{"L":[]}"#),
        ("l", "ADD", r#"{"N":"1"}"#),
        ("ss", "DELETE", r#"{"NS":["1"]}"#),
        ("n", "DELETE", r#"{"SS":["1"]}"#),
    ] {
        assert_eq!(
            changed(attribute, action, value),
            Err("Type mismatch for attribute to update".to_owned()),
            "{action} {value} to {attribute}"
        );
    }
}

/// Developer guide, "Writing conditions with legacy parameters": which types the values of each
/// operator have, and how many there are.
#[test]
fn each_operator_takes_its_types_and_number_of_values() {
    const INVALID: &str = "One or more parameter values were invalid: ";
    const SCALARS: &[&str] = &["S", "N", "B"];
    const STRINGS: &[&str] = &["S", "B"];
    const ELEMENTS: &[&str] = &["S", "N", "B", "BOOL", "NULL"];
    const ALL: &[&str] = &["S", "N", "B", "SS", "NS", "BS", "BOOL", "NULL", "L", "M"];
    let example = |kind: &str| match kind {
        "S" => r#"{"S":"x"}"#,
        "N" => r#"{"N":"2"}"#,
        "B" => r#"{"B":"AA=="}"#,
        "SS" => r#"{"SS":["b"]}"#,
        "NS" => r#"{"NS":["2"]}"#,
        "BS" => r#"{"BS":["AQ=="]}"#,
        "BOOL" => r#"{"BOOL":true}"#,
        "NULL" => r#"{"NULL":true}"#,
        "L" => r#"{"L":[]}"#,
        _ => r#"{"M":{}}"#,
    };
    let test = |operator: &str, kind: &str, count: usize| {
        let list = vec![example(kind); count].join(",");
        let expected = format!(
            r#"{{"Expected":{{"a":{{"ComparisonOperator":"{operator}","AttributeValueList":[{list}]}}}}}}"#
        );
        holds(&expected, None).map(|_| ())
    };
    for (operator, kinds, counts) in [
        ("EQ", ALL, 1..=1),
        ("NE", ALL, 1..=1),
        ("LT", SCALARS, 1..=1),
        ("LE", SCALARS, 1..=1),
        ("GT", SCALARS, 1..=1),
        ("GE", SCALARS, 1..=1),
        ("BETWEEN", SCALARS, 2..=2),
        ("IN", SCALARS, 1..=3),
        ("BEGINS_WITH", STRINGS, 1..=1),
        ("CONTAINS", ELEMENTS, 1..=1),
        ("NOT_CONTAINS", ELEMENTS, 1..=1),
        ("NULL", ALL, 0..=0),
        ("NOT_NULL", ALL, 0..=0),
    ] {
        for count in 0..=3 {
            for kind in ALL {
                let expected = if !counts.contains(&count) {
                    Err(format!(
                        "{INVALID}Invalid number of argument(s) for the {operator} ComparisonOperator"
                    ))
                } else if count > 0 && !kinds.contains(kind) {
                    Err(format!(
                        "{INVALID}ComparisonOperator {operator} is not valid for {kind} \
                         AttributeValue type"
                    ))
                } else {
                    Ok(())
                };
                assert_eq!(
                    test(operator, kind, count),
                    expected,
                    "{operator} {count} {kind}"
                );
            }
        }
    }
}

#[test]
fn the_values_of_one_operator_have_one_type_and_bounds_an_order() {
    let list = |operator: &str, values: &str| {
        holds(
            &format!(
                r#"{{"Expected":{{"a":{{"ComparisonOperator":"{operator}","AttributeValueList":{values}}}}}}}"#
            ),
            None,
        )
    };
    let mixed = "One or more parameter values were invalid: AttributeValues inside \
                 AttributeValueList must be of same type";
    for operator in ["BETWEEN", "IN"] {
        assert_eq!(
            list(operator, r#"[{"S":"a"},{"N":"1"}]"#),
            Err(mixed.to_owned())
        );
    }
    assert_eq!(
        list("BETWEEN", r#"[{"N":"2"},{"N":"1"}]"#),
        Err(
            "The BETWEEN condition was provided a range where the lower bound is greater than the \
             upper bound"
                .to_owned()
        )
    );
    assert_eq!(list("BETWEEN", r#"[{"N":"1"},{"N":"1"}]"#), Ok(false));
}

/// Sets are equal whatever their order, documents in all their parts; `Value` may stand for a list of
/// one, also beside an operator.
#[test]
fn equality_is_of_whole_values() {
    let stored = Some(
        r#"{"ss":{"SS":["a","b"]},"m":{"M":{"k":{"L":[{"N":"1"},{"S":"x"}]}}},"z":{"NULL":true}}"#,
    );
    for (expected, result) in [
        (r#""ss":{"Value":{"SS":["b","a"]}}"#, true),
        (r#""ss":{"Value":{"SS":["a"]}}"#, false),
        (
            r#""ss":{"ComparisonOperator":"EQ","Value":{"SS":["b","a"]}}"#,
            true,
        ),
        (
            r#""ss":{"ComparisonOperator":"NE","Value":{"SS":["b","a"]}}"#,
            false,
        ),
        (
            r#""m":{"Value":{"M":{"k":{"L":[{"N":"1.0"},{"S":"x"}]}}}}"#,
            true,
        ),
        (
            r#""m":{"Value":{"M":{"k":{"L":[{"S":"x"},{"N":"1"}]}}}}"#,
            false,
        ),
        // An attribute that is NULL exists.
        (r#""z":{"ComparisonOperator":"NULL"}"#, false),
        (
            r#""z":{"ComparisonOperator":"NOT_NULL","AttributeValueList":[]}"#,
            true,
        ),
        (r#""z":{"Value":{"NULL":true}}"#, true),
        (r#""none":{"Exists":false}"#, true),
        (r#""z":{"Exists":false}"#, false),
        (r#""ss":{"Exists":true,"Value":{"SS":["b","a"]}}"#, true),
        (r#""none":{"Exists":true,"Value":{"S":"x"}}"#, false),
    ] {
        assert_eq!(
            holds(&format!(r#"{{"Expected":{{{expected}}}}}"#), stored),
            Ok(result),
            "{expected}"
        );
    }
}

/// A matrix that was run against DynamoDB itself (floci-io/floci#2125 and #2126).
#[test]
fn exists_values_and_operators_go_together_or_not() {
    const INVALID: &str = "One or more parameter values were invalid: ";
    for (expected, message) in [
        (
            r#"{"Exists":true,"ComparisonOperator":"EQ","AttributeValueList":[{"S":"x"}]}"#,
            "Exists and ComparisonOperator cannot be used together for Attribute: a",
        ),
        (
            r#"{"Exists":false,"ComparisonOperator":"NULL"}"#,
            "Exists and ComparisonOperator cannot be used together for Attribute: a",
        ),
        (
            r#"{"AttributeValueList":[{"S":"x"}]}"#,
            "AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
        ),
        (
            r#"{"Exists":true,"AttributeValueList":[{"S":"x"}]}"#,
            "AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
        ),
        (
            "{}",
            "Value must be provided when Exists is null for Attribute: a",
        ),
    ] {
        let parameters = format!(r#"{{"Expected":{{"a":{expected}}}}}"#);
        assert_eq!(
            holds(&parameters, None),
            Err(format!("{INVALID}{message}")),
            "{expected}"
        );
    }
}

#[test]
fn an_operator_joins_two_conditions_or_more() {
    let joined = |expected: &str| {
        holds(
            &format!(r#"{{"Expected":{expected},"ConditionalOperator":"AND"}}"#),
            None,
        )
    };
    assert_eq!(
        joined(r#"{"a":{"Exists":false}}"#),
        Err(
            "ConditionalOperator can only be used when Filter or Expected has two or more elements"
                .to_owned()
        )
    );
    assert_eq!(
        joined("{}"),
        Err("ConditionalOperator cannot be used without Filter or Expected".to_owned())
    );
    assert_eq!(
        joined(r#"{"a":{"Exists":false},"b":{"Exists":false}}"#),
        Ok(true)
    );
}
