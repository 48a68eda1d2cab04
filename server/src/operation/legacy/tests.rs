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
