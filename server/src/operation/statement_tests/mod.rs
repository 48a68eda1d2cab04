//! PartiQL through the library entry and the wire's JSON. What is expected is what AWS answered
//! (`paritysuite/dynamodb-conformance`, tests in `tests/tier2/partiql` and
//! `tests/tier3/error-messages/partiql*`), where nothing else is said.

mod equivalence;
mod reads;
mod several;
mod writes;

use serde_json::{Value, json};

use super::harness::Harness;
use crate::{
    table::Projection,
    wire::Operation::{ExecuteStatement, GetItem},
};

impl Harness {
    /// The tables `one` (key `pk`) and `two` (key `pk`, `sk`) and `idx`, which has indexes.
    fn with_tables() -> Self {
        let harness = Self::new();
        harness.table("one", &[], &[], &[]);
        harness.table("two", &["sk"], &[], &[]);
        let include = || Projection::Include(vec!["projattr".into()]);
        harness.table(
            "idx",
            &["sk"],
            &[
                ("lsi-all", &["pk"], &["lsiSk"], Projection::All),
                ("lsi-keys", &["pk"], &["lsiSk2"], Projection::KeysOnly),
                ("lsi-inc", &["pk"], &["lsiSk3"], include()),
            ],
            &[
                ("gsi-all", &["gsiPk"], &[], Projection::All),
                ("gsi-inc", &["gsiPk2"], &[], include()),
                ("gsi-keys", &["gsiPk2"], &[], Projection::KeysOnly),
                (
                    "gsi-multi",
                    &["gsiPk", "gsiPk2"],
                    &["lsiSk"],
                    Projection::All,
                ),
            ],
        );
        harness
    }

    /// The answer to a statement.
    #[track_caller]
    fn run(&self, statement: &str, parameters: &[Value]) -> Value {
        self.ok(ExecuteStatement, request(statement, parameters))
    }

    /// The items that a statement returns.
    #[track_caller]
    fn items(&self, statement: &str) -> Vec<Value> {
        let answer = self.run(statement, &[]);
        answer["Items"].as_array().unwrap().clone()
    }

    /// The name and message of the error that a statement is answered with.
    #[track_caller]
    fn error(&self, statement: &str, parameters: &[Value]) -> (String, String) {
        let (name, body) = self
            .call(ExecuteStatement, &request(statement, parameters))
            .unwrap_err();
        (
            name,
            body["message"].as_str().unwrap_or_default().to_owned(),
        )
    }

    /// The message of a `ValidationException`.
    #[track_caller]
    fn invalid(&self, statement: &str, parameters: &[Value]) -> String {
        let (name, message) = self.error(statement, parameters);
        assert_eq!(name, "ValidationException", "{statement}: {message}");
        message
    }

    /// An item of the table `one`, or `null`.
    #[track_caller]
    fn held(&self, pk: &str) -> Value {
        let key = json!({"TableName": "one", "Key": {"pk": {"S": pk}}});
        self.ok(GetItem, key)["Item"].clone()
    }
}

fn request(statement: &str, parameters: &[Value]) -> Value {
    let mut request = json!({ "Statement": statement });
    if !parameters.is_empty() {
        request["Parameters"] = parameters.into();
    }
    request
}

/// One attribute of items, as text.
fn texts(items: &[Value], attribute: &str) -> Vec<String> {
    let text = |item: &Value| {
        let value = item[attribute].as_object().unwrap();
        value.values().next().unwrap().as_str().unwrap().to_owned()
    };
    items.iter().map(text).collect()
}
