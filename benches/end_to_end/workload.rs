//! The workloads: the rows of the comparison.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::requests::{self, Prepared};
use crate::server::{Kind, Server};

/// One kind of request, asked as fast as answers come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// GetItem of one of a thousand items that are in memory.
    Get,
    /// PutItem over one of a thousand items, with another content.
    Put,
    /// The same on one connection: nobody to share a sync with.
    PutAlone,
    /// UpdateItem that adds one to a number, on a thousand items.
    UpdateSpread,
    /// The same, all on one item.
    UpdateHot,
    /// Query of 25 items of a partition of a hundred.
    Query,
    /// BatchGetItem of 25 items.
    BatchGet,
    /// TransactWriteItems of two puts.
    Transact,
    /// Scan of a page of 1 MB.
    Scan,
}

/// All of them, in the order in which they run and are shown.
const ALL: [Workload; 9] = [
    Workload::Get,
    Workload::Put,
    Workload::PutAlone,
    Workload::UpdateSpread,
    Workload::UpdateHot,
    Workload::Query,
    Workload::BatchGet,
    Workload::Transact,
    Workload::Scan,
];

impl Workload {
    /// Those of these names; all if there is none.
    pub(crate) fn chosen(names: &[String]) -> Result<Vec<Self>, String> {
        if names.is_empty() {
            return Ok(ALL.to_vec());
        }
        let known = ALL.map(Self::name).join(", ");
        names
            .iter()
            .map(|name| {
                let found = ALL.into_iter().find(|workload| workload.name() == name);
                found.ok_or_else(|| format!("there is no workload '{name}', but {known}"))
            })
            .collect()
    }

    /// Its name in options and tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::PutAlone => "put-alone",
            Self::UpdateSpread => "update",
            Self::UpdateHot => "update-hot",
            Self::Query => "query-25",
            Self::BatchGet => "batch-get-25",
            Self::Transact => "transact-2",
            Self::Scan => "scan-1mb",
        }
    }

    /// Whether it makes sense for a server. Those that do nothing are there for what is compared with
    /// them: answers of the size of an item, and empty ones.
    pub(crate) fn is_for(self, server: &Server) -> bool {
        match server.kind {
            Kind::NothingOfAnItem => self == Self::Get,
            Kind::NothingEmpty => matches!(self, Self::Put | Self::PutAlone),
            Kind::Verifying => matches!(self, Self::Get | Self::Put),
            Kind::Endpoint => true,
        }
    }

    /// How many connections it has, of those that were asked for.
    pub(crate) fn connections(self, asked: usize) -> usize {
        match self {
            Self::PutAlone => 1,
            _ => asked,
        }
    }

    /// The operation, and the bodies of its requests. What is written differs from all that was prepared
    /// before: to put what is there already is no write.
    pub(crate) fn prepare(self) -> Prepared {
        static VERSION: AtomicUsize = AtomicUsize::new(2);
        let version = VERSION.fetch_add(2, Ordering::Relaxed);
        let (operation, bodies): (_, Vec<String>) = match self {
            Self::Get => ("GetItem", (0..requests::ITEMS).map(requests::get).collect()),
            Self::Put | Self::PutAlone => ("PutItem", requests::puts(version)),
            Self::UpdateSpread => (
                "UpdateItem",
                (0..requests::ITEMS).map(requests::update).collect(),
            ),
            Self::UpdateHot => ("UpdateItem", vec![requests::update(0)]),
            Self::Query => ("Query", vec![requests::query()]),
            Self::BatchGet => (
                "BatchGetItem",
                (0..40).map(|n| requests::batch_get(n * 25)).collect(),
            ),
            Self::Transact => ("TransactWriteItems", requests::transactions(version)),
            Self::Scan => ("Scan", vec![requests::scan()]),
        };
        Prepared::new(operation, bodies)
    }

    /// Bytes of items in an answer, where that is what counts.
    pub(crate) fn item_bytes(self) -> Option<u64> {
        // A page ends with the item that takes it over 1 MB.
        (self == Self::Scan).then_some(1 << 20)
    }
}

/// Shared bodies.
pub(crate) type Bodies = Arc<[Vec<u8>]>;
