//! One entry of `TransactItems`: what it says by itself, and what it becomes against its table.

use std::sync::Arc;

use crate::{
    expression::{BoundCondition, BoundUpdate, ExpressionCache, ExpressionError},
    item::{Item, MAX_ITEM_SIZE},
    operation::{
        condition,
        layer::{Layer, Parameter},
        respond::returns_item_on_failure,
        update_item::creates,
    },
    plan::{
        Rejection,
        key::{self, Origin},
        write::{Action, Write},
    },
    table::Table,
    wire::{Error, ItemInput, ValueInput, shapes::TransactWriteItem},
};

/// One action, right by itself.
pub(super) struct Requested {
    /// The table, as the request calls it.
    pub(super) table_name: String,
    /// The item of a put; the key of anything else.
    pub(super) item: Item,
    /// Whether the item is shown if the condition fails.
    pub(super) item_on_failure: bool,
    condition: Option<BoundCondition>,
    kind: Kind,
}

enum Kind {
    Put,
    Update { update: BoundUpdate, creates: bool },
    Delete,
    Check,
}

/// The members that an entry has, whichever action it is.
struct Members {
    table_name: Option<String>,
    item: Option<ItemInput>,
    update: Option<String>,
    condition: Option<String>,
    names: Option<Vec<(String, String)>>,
    values: Option<Vec<(String, ValueInput)>>,
    on_failure: Option<String>,
    kind: Named,
}

/// Which action an entry is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Put,
    Update,
    Delete,
    Check,
}

/// The one action of an entry. The four structures differ in few members.
fn members(entry: TransactWriteItem) -> Result<Members, Rejection> {
    /// What all four have, and the member that says which item.
    macro_rules! members {
        ($action:expr, $item:ident, $kind:ident, $update:expr) => {
            Members {
                update: $update,
                table_name: $action.table_name,
                item: $action.$item,
                condition: $action.condition_expression,
                names: $action.expression_attribute_names,
                values: $action.expression_attribute_values,
                on_failure: $action.return_values_on_condition_check_failure,
                kind: Named::$kind,
            }
        };
    }
    let put = entry.put.map(|put| members!(put, item, Put, None));
    let delete = entry
        .delete
        .map(|delete| members!(delete, key, Delete, None));
    let check = entry
        .condition_check
        .map(|check| members!(check, key, Check, None));
    let update = entry
        .update
        .map(|update| members!(update, key, Update, update.update_expression));
    let mut actions = [check, put, delete, update].into_iter().flatten();
    match (actions.next(), actions.next()) {
        (Some(action), None) => Ok(action),
        (Some(_), Some(_)) => Err(Rejection::SeveralActions),
        (None, _) => Err(Rejection::NoAction),
    }
}

/// Checks an entry alone.
pub(super) fn validate(
    layer: Layer,
    cache: &ExpressionCache,
    entry: TransactWriteItem,
) -> Result<Requested, Error> {
    let members = members(entry).map_err(|rejection| layer.refuse(rejection))?;
    let condition: Parameter = ("ConditionExpression", members.condition.is_some());
    let update: Parameter = ("UpdateExpression", members.update.is_some());
    let expressions: &[Parameter] = match members.kind {
        Named::Update => &[update, condition],
        _ => &[condition],
    };
    let mut placeholders = layer.placeholders(members.names, members.values, expressions)?;
    let kind = match members.kind {
        Named::Put => Kind::Put,
        Named::Delete => Kind::Delete,
        Named::Check => Kind::Check,
        Named::Update => {
            let text = members.update.unwrap_or_default();
            let refuse = |error: ExpressionError| layer.expression(error);
            let update = cache.update(&text).map_err(refuse)?;
            Kind::Update {
                creates: creates(&update),
                update: update.bind(&mut placeholders).map_err(refuse)?,
            }
        }
    };
    let condition = condition::bind(
        layer,
        cache,
        members.condition.as_deref(),
        &mut placeholders,
    )?;
    layer.check_used(&placeholders)?;
    let item = layer.item(members.item)?;
    if matches!(kind, Kind::Put) && item.size() > MAX_ITEM_SIZE {
        return Err(Rejection::ItemSize.into());
    }
    Ok(Requested {
        table_name: members.table_name.unwrap_or_default(),
        item,
        item_on_failure: returns_item_on_failure(members.on_failure.as_deref()),
        condition,
        kind,
    })
}

impl Requested {
    /// The bytes of items that the request itself has for it.
    pub(super) fn size(&self) -> usize {
        self.item.size()
    }

    /// Whether it does more than check.
    pub(super) fn modifies(&self) -> bool {
        !matches!(self.kind, Kind::Check)
    }

    /// Checks it against the table's keys.
    pub(super) fn plan(&self, table: &Arc<Table>) -> Result<Write, Rejection> {
        let item = self.item.as_ref();
        let (key, action) = match &self.kind {
            Kind::Put => (key::put_key(table, item)?, Action::Put(self.item.clone())),
            Kind::Update { update, creates } => {
                let key = key::lookup_key(table, item)?;
                update
                    .check_keys(&table.key_schema().names())
                    .map_err(Rejection::Expression)?;
                let action = Action::Update {
                    key: self.item.clone(),
                    update: update.clone(),
                    creates: *creates,
                    origin: Origin::TransactionalUpdate,
                };
                (key, action)
            }
            Kind::Delete => (key::lookup_key(table, item)?, Action::Delete),
            Kind::Check => (key::lookup_key(table, item)?, Action::Check),
        };
        Ok(Write {
            table: Arc::clone(table),
            key,
            condition: self.condition.clone(),
            action,
        })
    }
}
