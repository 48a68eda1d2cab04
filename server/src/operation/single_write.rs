//! What PutItem, UpdateItem and DeleteItem have in common: which answer is asked for, how their one
//! write is run, and what is answered besides its attributes.

use crate::{
    Stator,
    item::Item,
    operation::{
        layer::Layer,
        respond::{ReturnCapacity, ReturnValues, item_collection_metrics},
    },
    plan::{
        Rejection,
        write::{self, Actor, Write, Written},
    },
    wire::{
        Error,
        shapes::{ConsumedCapacity, ItemCollectionMetrics},
    },
};

/// What of the request decides the answer, once the write is planned.
pub(super) struct Answer {
    pub(super) table_name: String,
    pub(super) values: ReturnValues,
    pub(super) capacity: ReturnCapacity,
    pub(super) metrics: Option<String>,
    pub(super) item_on_failure: bool,
}

/// The [`Answer`] that a request asks for. The three structures of requests share these members and
/// no type.
macro_rules! answer {
    ($input:expr) => {
        $crate::operation::single_write::Answer {
            table_name: $input.table_name.unwrap_or_default(),
            values: $crate::operation::respond::ReturnValues::requested(
                $input.return_values.as_deref(),
            ),
            capacity: $crate::operation::respond::ReturnCapacity::requested(
                $input.return_consumed_capacity.as_deref(),
            ),
            metrics: $input.return_item_collection_metrics,
            item_on_failure: $crate::operation::respond::returns_item_on_failure(
                $input.return_values_on_condition_check_failure.as_deref(),
            ),
        }
    };
}
pub(super) use answer;

/// Refuses what only UpdateItem can return: PutItem and DeleteItem know the item before at most (API
/// reference, `PutItem` and `DeleteItem`, `ReturnValues`).
pub(super) fn check_return_values(layer: Layer, member: Option<&str>) -> Result<(), Error> {
    match ReturnValues::requested(member) {
        ReturnValues::None | ReturnValues::AllOld => Ok(()),
        _ => Err(layer.refuse(Rejection::ReturnValues)),
    }
}

/// Runs a plan of one write, unless a transaction is in progress on its item. `item_on_failure` says
/// whether a failed condition shows the item.
pub(super) async fn run(
    stator: &Stator,
    write: Write,
    item_on_failure: bool,
) -> Result<Written, Error> {
    stator.transactions().check_free(&write.key)?;
    let results = write::run(stator.store(), [write].into(), Actor::Client).await?;
    match results.into_iter().next() {
        Some(result) => result.map_err(|refusal| refusal.into_error(item_on_failure)),
        None => Err(Error::InternalServer("a write came to no result".into())),
    }
}

impl Answer {
    /// Runs a plan of one write, unless a transaction is in progress on its item.
    pub(super) async fn run(&self, stator: &Stator, write: Write) -> Result<Written, Error> {
        run(stator, write, self.item_on_failure).await
    }

    /// `ConsumedCapacity`.
    pub(super) fn consumed_capacity(&self, written: &Written) -> Option<ConsumedCapacity> {
        self.capacity
            .of(&self.table_name, &written.table, &written.usage)
    }

    /// `ItemCollectionMetrics` of the collection that `item` belongs to.
    pub(super) fn item_collection_metrics(
        &self,
        written: &Written,
        item: &Item,
    ) -> Option<ItemCollectionMetrics> {
        let size = written.collection_size();
        item_collection_metrics(self.metrics.as_deref(), &written.table, item, size)
    }

    /// The attributes that PutItem and DeleteItem return.
    pub(super) fn old(&self, written: Written) -> Option<Item> {
        match self.values {
            ReturnValues::AllOld => written.old,
            _ => None,
        }
    }
}
