//! INSERT, UPDATE, DELETE and EXISTS as writes of a plan.
//!
//! The whole WHERE clause is the condition: that the key is what it says holds of the item if it is
//! there, so that an UPDATE or EXISTS of an item that is not fails its condition. A DELETE of such an
//! item does nothing (developer guide, "PartiQL delete statements").

use std::sync::Arc;

use super::{Prepared, Refused, key, names};
use crate::{
    Stator,
    expression::{
        BoundCondition, BoundUpdate, Condition, ExpressionKind, Placeholders,
        ast::{Call, Function, Operand, Path, Predicate, Slots},
    },
    item::{Item, MAX_ITEM_SIZE},
    operation::RequestContext,
    partiql::{
        Body, Bound, Returned, ReturnedState, Select, StatementError,
        keys::{self, Whole},
    },
    plan::{
        Rejection,
        key::{self as plan_key, Origin},
        write::{Action, Write, Written},
    },
    table::Table,
    wire::Error,
};

/// A statement that writes, against its table.
pub(in crate::operation) struct Planned {
    pub(in crate::operation) table: Arc<Table>,
    /// The write, or what is wrong with its key.
    write: Option<Result<Write, Rejection>>,
    /// Whether it makes an item, and fails if there is one.
    pub(in crate::operation) inserts: bool,
    update: Option<BoundUpdate>,
    returning: Option<Returned>,
}

impl Planned {
    /// The write, or what is wrong with its key. It can be taken once.
    pub(in crate::operation) fn take_planned(&mut self) -> Result<Write, Rejection> {
        self.write.take().unwrap_or(Err(Rejection::KeyMismatch))
    }

    /// The write.
    ///
    /// # Errors
    /// What is wrong with its key.
    pub(in crate::operation) fn take_write(&mut self) -> Result<Write, Error> {
        Ok(self.take_planned()?)
    }

    /// What RETURNING returns.
    pub(in crate::operation) fn returned(&self, written: Written) -> Option<Item> {
        let returning = self.returning?;
        let item = match returning.state {
            ReturnedState::Old => written.old,
            ReturnedState::New => written.new,
        };
        match &self.update {
            Some(update) if returning.modified => {
                update.at_targets(item.as_ref().map(Item::as_ref))
            }
            _ => item,
        }
    }

    /// Whether it has a RETURNING clause.
    pub(in crate::operation) fn returns(&self) -> bool {
        self.returning.is_some()
    }
}

/// The error of an INSERT of an item that is there.
pub(in crate::operation) const DUPLICATE: &str = "Duplicate primary key exists in table";

/// The table's name, as the statement has it.
pub(in crate::operation) fn table_name(body: &Body) -> &str {
    match body {
        Body::Select(select) | Body::Exists(select) => &select.table,
        Body::Insert(insert) => &insert.table,
        Body::Update(update) => &update.table,
        Body::Delete(delete) => &delete.table,
    }
}

/// Plans a statement that writes. `origin` is in whose words an update is refused.
pub(in crate::operation) fn plan(
    stator: &Stator,
    context: &RequestContext,
    prepared: &mut Prepared,
    origin: Origin,
) -> Result<Planned, Refused> {
    let Prepared { statement, bound } = prepared;
    let body = statement.body();
    match body {
        Body::Select(_) => Err(StatementError::KeyRequired.into()),
        Body::Insert(insert) => {
            let item = insert.item(bound);
            if item.size() > MAX_ITEM_SIZE {
                return Err(Rejection::ItemSize.into());
            }
            let table = super::table(stator, context, table_name(body))?;
            let write = insertion(&table, item);
            Ok(Planned {
                write: Some(write),
                inserts: true,
                update: None,
                returning: None,
                table,
            })
        }
        Body::Update(update) => {
            let changes = update.update.bind(&mut bound.placeholders)?;
            let condition = bind(update.condition.as_ref(), bound)?;
            let table = super::table(stator, context, table_name(body))?;
            let whole = whole(&table, update.condition.as_deref())?;
            let key = key(&table, &whole, bound)?;
            let action = Action::Update {
                key: key.clone(),
                update: changes.clone(),
                creates: false,
                origin,
            };
            let checked = changes.check_keys(&names(table.key_schema()));
            let checked = checked.map_err(Rejection::Expression);
            let write = checked.and_then(|()| write(&table, &key, condition, action));
            Ok(Planned {
                write: Some(write),
                inserts: false,
                update: Some(changes),
                returning: update.returning,
                table,
            })
        }
        Body::Delete(delete) => {
            let table = {
                bind(delete.condition.as_ref(), bound)?;
                super::table(stator, context, table_name(body))?
            };
            let whole = whole(&table, delete.condition.as_deref())?;
            let key = key(&table, &whole, bound)?;
            let condition = match &delete.condition {
                Some(condition) if !whole.alone => {
                    let condition = unless_missing(&table, condition);
                    bind(Some(&Arc::new(condition)), bound)?
                }
                _ => None,
            };
            Ok(Planned {
                write: Some(write(&table, &key, condition, Action::Delete)),
                inserts: false,
                update: None,
                returning: delete.returning,
                table,
            })
        }
        Body::Exists(select) => exists(stator, context, select, bound),
    }
}

/// EXISTS is a check of one item by its key and something else.
fn exists(
    stator: &Stator,
    context: &RequestContext,
    select: &Select,
    bound: &mut Bound,
) -> Result<Planned, Refused> {
    if select.index.is_some() {
        return Err(StatementError::TransactionIndex.into());
    }
    let condition = bind(select.condition.as_ref(), bound)?;
    let table = super::table(stator, context, &select.table)?;
    let whole = select
        .condition
        .as_ref()
        .and_then(|condition| keys::whole(condition, &names(table.key_schema())))
        .filter(|whole| !whole.alone);
    let whole = whole.ok_or(StatementError::Exists)?;
    let key = key(&table, &whole, bound)?;
    Ok(Planned {
        write: Some(write(&table, &key, condition, Action::Check)),
        inserts: false,
        update: None,
        returning: None,
        table,
    })
}

fn bind(
    condition: Option<&Arc<Condition>>,
    bound: &mut Bound,
) -> Result<Option<BoundCondition>, Refused> {
    let condition = condition.map(|condition| condition.bind(&mut bound.placeholders));
    Ok(condition.transpose()?)
}

/// The key that a write has to name.
fn whole(table: &Table, condition: Option<&Condition>) -> Result<Whole, StatementError> {
    condition
        .and_then(|condition| keys::whole(condition, &names(table.key_schema())))
        .ok_or(StatementError::KeyRequired)
}

fn write(
    table: &Arc<Table>,
    key: &Item,
    condition: Option<BoundCondition>,
    action: Action,
) -> Result<Write, Rejection> {
    Ok(Write {
        key: plan_key::lookup_key(table, key.as_ref())?,
        table: Arc::clone(table),
        condition,
        action,
    })
}

/// A put of an item that must not be there.
fn insertion(table: &Arc<Table>, item: Item) -> Result<Write, Rejection> {
    plan_key::check_item_key(table.key_schema(), item.as_ref())?;
    plan_key::check_index_keys(table, item.as_ref(), None, Origin::Put)?;
    let key = plan_key::primary_key(table, item.as_ref()).ok_or(Rejection::KeyMismatch)?;
    let missing = Condition::new(ExpressionKind::Condition, missing(table), Slots::default());
    let condition = Arc::new(missing)
        .bind(&mut Placeholders::default())
        .map_err(Rejection::Expression)?;
    Ok(Write {
        table: Arc::clone(table),
        key,
        condition: Some(condition),
        action: Action::Put(item),
    })
}

/// The condition, or that there is no item.
fn unless_missing(table: &Table, condition: &Condition) -> Condition {
    let root = Predicate::Or(vec![missing(table), condition.root().clone()]);
    Condition::new(ExpressionKind::Condition, root, condition.slots().clone())
}

fn missing(table: &Table) -> Predicate {
    let hash = table.key_schema().partition().first();
    Predicate::Call(Call {
        function: Function::AttributeNotExists,
        operands: vec![Operand::Path(Path::attribute(
            hash.map_or("", |key| &key.name),
        ))],
    })
}

/// The error of one write, where an item that is there already has words of its own.
pub(in crate::operation) fn error(inserts: bool, error: Error) -> Error {
    match error {
        Error::ConditionalCheckFailed { .. } if inserts => Error::DuplicateItem(DUPLICATE.into()),
        other => other,
    }
}
