//! A digest of what a transaction does, to tell a repeated request from another one with the same
//! client token.
//!
//! It covers `TransactItems` and not the members that only shape the answer: a client may ask for the
//! capacity of a repeat that it did not ask for at first. The order of members and of map entries is
//! none of its business (localstack/localstack, issue 6529: "verified against AWS, it doesn't care
//! about parameter ordering"); the order of the actions is.

use xxhash_rust::xxh3::Xxh3;

use crate::wire::{
    ItemInput, ValueInput,
    shapes::{ParameterizedStatement, TransactWriteItem},
};

/// The digest of all actions. It is on disk for ten minutes.
pub(super) fn of(actions: &[TransactWriteItem]) -> u128 {
    let mut digest = Digest(Xxh3::new());
    digest.number(actions.len());
    for action in actions {
        digest.action(action);
    }
    digest.0.digest128()
}

/// The digest of statements and their parameters, as [`of`] one of actions.
pub(in crate::operation) fn of_statements(statements: &[ParameterizedStatement]) -> u128 {
    let mut digest = Digest(Xxh3::new());
    digest.number(statements.len());
    for statement in statements {
        digest.text(statement.statement.as_deref());
        digest.option(statement.parameters.as_deref(), |digest, parameters| {
            digest.number(parameters.len());
            for parameter in parameters {
                digest.value(parameter);
            }
        });
        digest.text(
            statement
                .return_values_on_condition_check_failure
                .as_deref(),
        );
    }
    digest.0.digest128()
}

struct Digest(Xxh3);

impl Digest {
    /// Each of the four is in it, absent or not: an entry that has several of them is refused.
    fn action(&mut self, entry: &TransactWriteItem) {
        macro_rules! digest {
            ($action:expr, $item:ident, $($expression:ident),*) => {
                self.option($action.as_ref(), |digest, action| {
                    digest.text(action.table_name.as_deref());
                    digest.item(action.$item.as_ref());
                    $(digest.text(action.$expression.as_deref());)*
                    digest.names(action.expression_attribute_names.as_deref());
                    digest.values(action.expression_attribute_values.as_deref());
                    digest.text(action.return_values_on_condition_check_failure.as_deref());
                });
            };
        }
        digest!(entry.condition_check, key, condition_expression);
        digest!(entry.put, item, condition_expression);
        digest!(entry.delete, key, condition_expression);
        digest!(entry.update, key, condition_expression, update_expression);
    }

    fn number(&mut self, number: usize) {
        self.0.update(&(number as u64).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.update(bytes);
    }

    fn option<T>(&mut self, value: Option<T>, digest: impl FnOnce(&mut Self, T)) {
        self.0.update(&[u8::from(value.is_some())]);
        if let Some(value) = value {
            digest(self, value);
        }
    }

    fn text(&mut self, text: Option<&str>) {
        self.option(text, |digest, text| digest.bytes(text.as_bytes()));
    }

    /// Items are stored in one form whatever the order of their attributes. One that is none is
    /// refused before its digest is looked at.
    fn item(&mut self, item: Option<&ItemInput>) {
        let item = item.and_then(|item| item.get().ok());
        self.option(item, |digest, item| digest.bytes(item.as_ref().as_bytes()));
    }

    fn names(&mut self, names: Option<&[(String, String)]>) {
        self.map(names, |digest, name| digest.bytes(name.as_bytes()));
    }

    fn values(&mut self, values: Option<&[(String, ValueInput)]>) {
        self.map(values, Self::value);
    }

    fn value(&mut self, value: &ValueInput) {
        self.option(value.get().ok(), |digest, value| {
            digest.bytes(value.as_ref().as_bytes());
        });
    }

    fn map<V>(&mut self, map: Option<&[(String, V)]>, mut value: impl FnMut(&mut Self, &V)) {
        self.option(map, |digest, map| {
            let mut entries: Vec<&(String, V)> = map.iter().collect();
            entries.sort_by_key(|(name, _)| name);
            digest.number(entries.len());
            for (name, entry) in entries {
                digest.bytes(name.as_bytes());
                value(digest, entry);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::wire::shapes::TransactWriteItemsInput;

    fn digest(actions: &Value) -> u128 {
        let body = json!({ "TransactItems": actions }).to_string();
        let input = TransactWriteItemsInput::from_json(body.as_bytes()).unwrap();
        of(&input.transact_items.unwrap())
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let one = r##"[{"Update":{"TableName":"t","Key":{"pk":{"S":"a"},"sk":{"N":"1.0"}},
            "UpdateExpression":"SET #a=:a","ExpressionAttributeNames":{"#a":"x","#b":"y"},
            "ExpressionAttributeValues":{":a":{"NS":["1","2"]},":b":{"S":""}}}}]"##;
        let other = r##"[{"Update":{"UpdateExpression":"SET #a=:a",
            "ExpressionAttributeValues":{":b":{"S":""},":a":{"NS":["2","1.0"]}},
            "ExpressionAttributeNames":{"#b":"y","#a":"x"},
            "Key":{"sk":{"N":"1"},"pk":{"S":"a"}},"TableName":"t"}}]"##;
        let [one, other] = [one, other].map(|text| digest(&serde_json::from_str(text).unwrap()));
        assert_eq!(one, other);
    }

    #[test]
    fn everything_else_does() {
        let put = |table: &str, name: &str, value: &str| json!({"Put": {"TableName": table, "Item": {name: {"S": value}}}});
        let key = json!({"a": {"S": "b"}});
        let condition = "attribute_exists(a)";
        let check = json!({"TableName": "t", "Key": key, "ConditionExpression": condition});
        let mut with_item = check.clone();
        with_item["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
        let all = [
            json!([]),
            json!([put("t", "a", "b")]),
            json!([put("t", "ab", "")]),
            json!([put("ta", "", "b")]),
            json!([put("t", "a", "b"), put("t", "a", "c")]),
            json!([put("t", "a", "c"), put("t", "a", "b")]),
            json!([{"ConditionCheck": check}]),
            json!([{"ConditionCheck": with_item}]),
            json!([{"Delete": check}]),
            json!([{"Delete": {"TableName": "t", "Key": key}}]),
        ];
        let mut digests: Vec<u128> = all.iter().map(digest).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), all.len());
    }
}
