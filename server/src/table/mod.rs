//! Tables: catalog, key schema, secondary indexes, states by the clock, live statistics, capacity.
//!
//! A [`Table`] is an immutable view of one definition: who holds an `Arc<Table>` sees one consistent
//! set of names, keys and indexes for a whole request, whatever UpdateTable does meanwhile. The
//! [`Catalog`] maps (account, region, name) to the current view and makes every change durable
//! before it is visible. What is written is the [`Record`]; its form on disk is in [`record`].
//!
//! Absent from here: items and requests. Operations translate their shapes to and from these types.

mod admission;
mod arn;
mod catalog;
mod changes;
mod filling;
mod index;
pub mod key_schema;
pub mod record;
mod recount;
mod secondary_index;
mod statistics;
pub mod status;
mod throughput;
mod time_to_live;
mod view;

pub use admission::Census;
pub use arn::{Namespace, Owner, root_arn, table_arn};
pub use catalog::{Catalog, CatalogError, Change, Changed};
pub use changes::Changes;
pub use filling::Filling;
pub use index::Found;
pub use key_schema::{KeyAttribute, KeySchema, KeyType, ScalarType};
pub use record::Record;
pub use secondary_index::{IndexKind, Projection, SecondaryIndex};
pub use statistics::Statistics;
pub use status::{IndexStatus, TableStatus};
pub use throughput::{BillingMode, OnDemandThroughput, ProvisionedThroughput, WarmThroughput};
pub use time_to_live::{ExpiryIndex, TimeToLive, TimeToLiveStatus};
pub use view::{COLLECTION_LIMIT, Table};
