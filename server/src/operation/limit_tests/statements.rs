//! PartiQL: how long a statement may be, and how many there may be at once.

use serde_json::{Value, json};

use super::{check, most, violation};
use crate::wire::Operation::*;

const MODEL: &str = "API model";

/// Statements that each read another item.
fn reads(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| json!({"Statement": format!("SELECT * FROM hash WHERE pk = '{n}'")}))
        .collect()
}

#[test]
fn statements() {
    check([
        most(
            "characters of a statement",
            MODEL,
            8_192,
            |n| {
                let insert = "INSERT INTO hash VALUE {'pk': ?}";
                (
                    ExecuteStatement,
                    json!({"Statement": format!("{insert}{}", " ".repeat(n - insert.len())),
                        "Parameters": [{"S": "a"}]}),
                )
            },
            violation("length less than or equal to 8192"),
        ),
        most(
            "statements of a batch",
            MODEL,
            25,
            |n| (BatchExecuteStatement, json!({"Statements": reads(n)})),
            violation("length less than or equal to 25"),
        ),
        most(
            "statements of a transaction",
            MODEL,
            100,
            |n| (ExecuteTransaction, json!({"TransactStatements": reads(n)})),
            violation("length less than or equal to 100"),
        ),
    ]);
}
