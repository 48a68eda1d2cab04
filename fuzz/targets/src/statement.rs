//! PartiQL statements: parsed, bound and applied to an item.

use stator::item::{ItemRef, Value};
use stator::partiql::{Body, Bound, Select, Statement, keys};
use crate::sample::{KEY, SAMPLE};

pub(crate) fn run(input: &[u8]) {
    let text = crate::text(input);
    let statement = match Statement::parse(text) {
        Ok(statement) => statement,
        Err(error) => {
            let _words = error.to_string();
            return;
        }
    };
    // Parameters are values of all types, over and over.
    let parameters: Vec<Value> = SAMPLE
        .values()
        .map(|(_, value)| value)
        .cycle()
        .take(statement.parameter_count())
        .collect();
    let mut bound = match statement.bind(&parameters) {
        Ok(bound) => bound,
        Err(error) => {
            let _words = error.to_string();
            return;
        }
    };
    match statement.body() {
        Body::Select(select) | Body::Exists(select) => read(select, &mut bound),
        Body::Insert(insert) => verify(insert.item(&bound).as_ref()),
        Body::Update(update) => {
            if let Ok(changes) = update.update.bind(&mut bound.placeholders)
                && let Ok(result) = changes.apply(Some(SAMPLE.as_ref()), KEY.as_ref())
            {
                verify(result.item.as_ref());
                if let Some(found) = changes.at_targets(Some(result.item.as_ref())) {
                    verify(found.as_ref());
                }
            }
        }
        Body::Delete(delete) => {
            if let Some(condition) = &delete.condition {
                let _whole = keys::whole(condition, &["id", "a"]);
            }
        }
    }
}

fn read(select: &Select, bound: &mut Bound) {
    if let Some(condition) = &select.condition {
        if let Ok(filter) = condition.bind(&mut bound.placeholders) {
            let _either = filter.evaluate(Some(SAMPLE.as_ref()));
        }
        if let Some(keyed) = keys::keyed(condition, "id", Some("a")) {
            for key in keyed.branches.iter().flat_map(|branch| &branch.conditions) {
                let _clauses = key.bind(&mut bound.placeholders);
            }
        }
    }
    if let Ok(Some(columns)) = &select.columns {
        verify(columns.apply(SAMPLE.as_ref()).as_ref());
    }
}

fn verify(item: ItemRef<'_>) {
    item.verify().expect("an item that came of a statement");
}
