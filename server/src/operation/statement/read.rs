//! SELECT: which table or index it reads, which ranges of it, and reading them.
//!
//! What names the partition is a Query, whatever else is in the WHERE clause, and everything else a
//! Scan (developer guide, "PartiQL select statements"). A clause that names several partitions, or
//! several values of the sort key, is as many Queries one after the other.

use std::sync::Arc;

use super::{Position, Prepared, Refused, key, names};
use crate::{
    Stator,
    expression::{BoundCondition, ExpressionError},
    item::{Item, Value},
    operation::{RequestContext, key_range, page_request::Source},
    partiql::{
        Body, Columns, Direction as Sorted, Order, Select, StatementError,
        keys::{self, Branch, Keyed},
    },
    plan::{
        Rejection,
        capacity::{Consistency, Usage},
        key as plan_key,
        page::{self, Output, PAGE_BYTES, PagePlan},
        select::{self, Fetch},
    },
    store::{Direction, Key, KeyRange, layout},
    table::{IndexKind, Table},
    wire::Error,
};

/// The most partitions of one statement (developer guide, "PartiQL arithmetic, comparison, and
/// logical operators", IN: "at max 50 hash attribute values").
const MAX_PARTITIONS: usize = 50;
/// The most ranges that one page reads (ibid.: "Results are returned in pages of up to 10 items").
const PAGE_RANGES: usize = 10;

/// A SELECT against its table.
pub(in crate::operation) struct Read {
    source: Source,
    ranges: Vec<KeyRange>,
    direction: Direction,
    filter: Option<BoundCondition>,
    columns: Option<Columns>,
    consistency: Consistency,
    /// Whether it names one item, so that there is no next page.
    single: bool,
}

/// A page of a SELECT.
pub(in crate::operation) struct Rows {
    pub(in crate::operation) items: Vec<Item>,
    pub(in crate::operation) usage: Usage,
    /// Where the next page begins, if there may be one.
    pub(in crate::operation) next: Option<Position>,
}

/// One range and the partition it is in.
struct Part {
    partition: Vec<Value>,
    range: KeyRange,
    negated: bool,
}

/// Plans a SELECT. Checks in DynamoDB's order, as far as it is known: the index, its kind of key, its
/// consistency; the columns; what they need of an index; the key; the filter
/// (error-messages/partiqlMultiAttributeIndex).
pub(in crate::operation) fn plan(
    stator: &Stator,
    context: &RequestContext,
    select: &Select,
    prepared: &mut Prepared,
    consistency: Consistency,
) -> Result<Read, Refused> {
    let placeholders = &mut prepared.bound.placeholders;
    let filter = select
        .condition
        .as_ref()
        .map(|condition| condition.bind(placeholders))
        .transpose()?;
    let table = super::table(stator, context, &select.table)?;
    let mut source = source(table, select, consistency)?;
    let columns = select.columns.clone()?;
    if let Some(index) = source.secondary_index() {
        let (wanted, names) = match &columns {
            Some(columns) => (select::Select::SpecificAttributes, columns.attributes()),
            None => (select::Select::AllProjectedAttributes, Vec::new()),
        };
        source.fetch = select::fetch(index, wanted, &names)?;
    }
    let (hash, sort) = key_names(&source);
    let keyed = select
        .condition
        .as_ref()
        .and_then(|condition| keys::keyed(condition, hash, sort));
    check_order(select, keyed.as_ref(), hash, sort)?;
    let Some(keyed) = keyed else {
        return Ok(Read {
            ranges: vec![KeyRange::keyspace(source.keyspace())],
            direction: Direction::Forward,
            single: false,
            source,
            filter,
            columns,
            consistency,
        });
    };
    if !keyed.alternatives {
        source.check_filter(filter.as_ref())?;
    }
    let parts = keyed
        .branches
        .iter()
        .map(|branch| part(&source, branch, prepared))
        .collect::<Result<Vec<Part>, Refused>>()?;
    let (ranges, direction) = arrange(&source, &select.order, parts)?;
    let table_key = names(source.table.key_schema());
    let whole = select
        .condition
        .as_ref()
        .is_some_and(|condition| keys::whole(condition, &table_key).is_some());
    Ok(Read {
        single: whole && source.index.is_none() && ranges.len() == 1,
        source,
        ranges,
        direction,
        filter,
        columns,
        consistency,
    })
}

/// The table or index that is read. What an index is fetched from is not decided yet.
fn source(
    table: Arc<Table>,
    select: &Select,
    consistency: Consistency,
) -> Result<Source, StatementError> {
    let mut source = Source {
        table,
        index: None,
        fetch: Fetch::Entries,
    };
    let Some(name) = &select.index else {
        return Ok(source);
    };
    let indexes = source.table.indexes();
    let position = indexes.iter().position(|index| *index.name() == **name);
    source.index = Some(position.ok_or(StatementError::NoSuchIndex)?);
    let schema = source.key_schema();
    if schema.partition().len() > 1 || schema.sort().len() > 1 {
        return Err(StatementError::MultiAttributeKey);
    }
    let global = source
        .secondary_index()
        .is_some_and(|index| index.kind() == IndexKind::Global);
    if global && consistency == Consistency::Strong {
        return Err(StatementError::ConsistentGlobalIndex);
    }
    Ok(source)
}

/// The names of the partition key and of the sort key.
fn key_names(source: &Source) -> (&str, Option<&str>) {
    let schema = source.key_schema();
    let hash = schema.partition().first();
    let sort = schema.sort().first();
    (hash.map_or("", |key| &key.name), sort.map(|key| &*key.name))
}

/// ORDER BY is of the key that a WHERE clause names.
fn check_order(
    select: &Select,
    keyed: Option<&Keyed>,
    hash: &str,
    sort: Option<&str>,
) -> Result<(), StatementError> {
    if select.order.is_empty() {
        return Ok(());
    }
    if select.condition.is_none() {
        return Err(StatementError::OrderWithoutWhere);
    }
    if keyed.is_none() {
        return Err(StatementError::OrderWithoutKey);
    }
    let other = select
        .order
        .iter()
        .find(|order| *order.attribute != *hash && Some(&*order.attribute) != sort);
    match other {
        Some(order) => Err(StatementError::OrderByOther(order.attribute.clone())),
        None => Ok(()),
    }
}

/// The range of a branch.
fn part(source: &Source, branch: &Branch, prepared: &mut Prepared) -> Result<Part, Refused> {
    let mut found: Option<Part> = None;
    for condition in &branch.conditions {
        let clauses = condition.bind(&mut prepared.bound.placeholders)?;
        let selection = key_range::select(&clauses, source.key_schema())?;
        let range =
            key_range::entries(source.keyspace(), &selection).ok_or(Rejection::KeyMismatch)?;
        found = Some(Part {
            range: match found {
                None => range,
                Some(part) => part.range.intersection(range),
            },
            partition: selection.partition,
            negated: branch.negated,
        });
    }
    found.ok_or_else(|| Rejection::KeyMismatch.into())
}

/// The ranges in the order they are read: that of ORDER BY, else that of the statement. Of ranges
/// that share items one is left.
///
/// # Errors
/// Ranges that may not share items; too many partitions; an order that does not say which partition
/// is first.
fn arrange(
    source: &Source,
    order: &[Order],
    parts: Vec<Part>,
) -> Result<(Vec<KeyRange>, Direction), Refused> {
    let mut partitions: Vec<Vec<Part>> = Vec::new();
    for part in parts {
        let same = |known: &&mut Vec<Part>| {
            let first = known.first();
            first.is_some_and(|known| known.partition == part.partition)
        };
        match partitions.iter_mut().find(same) {
            Some(known) => known.push(part),
            None => partitions.push(vec![part]),
        }
    }
    if partitions.len() > MAX_PARTITIONS {
        return Err(StatementError::HashValues(partitions.len()).into());
    }
    let (hash, sort) = key_names(source);
    let direction_of = |name: Option<&str>| {
        let found = order.iter().find(|order| Some(&*order.attribute) == name);
        found.map(|order| order.direction)
    };
    let by_hash = direction_of(Some(hash));
    if !order.is_empty() && by_hash.is_none() && partitions.len() > 1 {
        return Err(StatementError::OrderWithoutHash.into());
    }
    if let Some(sorted) = by_hash {
        let first = |parts: &Vec<Part>| {
            parts
                .first()
                .and_then(|part| part.partition.first().cloned())
        };
        partitions.sort_by(|one, two| {
            let (one, two) = (first(one), first(two));
            let ordering = match (&one, &two) {
                (Some(one), Some(two)) => one.as_ref().partial_cmp(&two.as_ref()),
                _ => None,
            };
            let ordering = ordering.unwrap_or(std::cmp::Ordering::Equal);
            match sorted {
                Sorted::Ascending => ordering,
                Sorted::Descending => ordering.reverse(),
            }
        });
    }
    let direction = match direction_of(sort) {
        Some(Sorted::Descending) => Direction::Backward,
        _ => Direction::Forward,
    };
    let mut ranges = Vec::new();
    for mut parts in partitions {
        if share_items(&parts)? {
            let partition = parts.first().map_or(&[][..], |part| &part.partition);
            let partition = partition.iter().map(Value::as_ref);
            let all = layout::partition_range(source.keyspace(), partition, [], None);
            ranges.push(all.ok_or(Rejection::KeyMismatch)?);
            continue;
        }
        if !order.is_empty() {
            parts.sort_by(|one, two| one.range.start().cmp(two.range.start()));
            if direction == Direction::Backward {
                parts.reverse();
            }
        }
        ranges.extend(parts.into_iter().map(|part| part.range));
    }
    Ok((ranges, direction))
}

/// Whether ranges of one partition share items, where they may: DynamoDB refuses them but where
/// something negated is said of the sort key (tier2/partiql/whereOverlap).
fn share_items(parts: &[Part]) -> Result<bool, StatementError> {
    let mut sharing = false;
    for (place, one) in parts.iter().enumerate() {
        for two in parts.iter().skip(place + 1) {
            if one.range.clone().intersection(two.range.clone()).is_empty() {
                continue;
            }
            if !one.negated && !two.negated {
                return Err(StatementError::Overlap);
            }
            sharing = true;
        }
    }
    Ok(sharing)
}

impl Read {
    /// The table.
    pub(in crate::operation) fn table(&self) -> &Arc<Table> {
        &self.source.table
    }

    /// Reads a page from a position.
    ///
    /// # Errors
    /// A position that is none of this statement; failures of the store.
    pub(in crate::operation) async fn page(
        mut self,
        stator: &Stator,
        limit: Option<u64>,
        from: Option<Position>,
    ) -> Result<Rows, Error> {
        let from = from.unwrap_or_default();
        if from.range >= self.ranges.len() {
            return Err(StatementError::NextToken.into());
        }
        let mut rows = Rows {
            items: Vec::new(),
            usage: Usage::new(),
            next: None,
        };
        let mut left = limit;
        let mut bytes = 0;
        let ranges = std::mem::take(&mut self.ranges);
        let count = ranges.len();
        let mut start = from.key;
        for (place, range) in ranges.into_iter().enumerate().skip(from.range) {
            if place >= from.range + PAGE_RANGES || left == Some(0) || bytes >= PAGE_BYTES {
                rows.next = Some(Position {
                    range: place,
                    key: None,
                });
                break;
            }
            let range = match start.take() {
                Some(key) => self.after(range, &key)?,
                None => range,
            };
            let page = page::read(stator.store(), self.page_plan(range, left)).await?;
            rows.usage.merge(&page.usage);
            rows.items.extend(page.items);
            left = left.map(|left| left.saturating_sub(page.scanned));
            bytes += page.bytes;
            if let Some(key) = page.last_evaluated_key
                && !self.single
            {
                rows.next = Some(Position {
                    range: place,
                    key: Some(key),
                });
                break;
            }
        }
        debug_assert!(rows.next.as_ref().is_none_or(|next| next.range < count));
        if let Some(columns) = &self.columns {
            for item in &mut rows.items {
                *item = columns.apply(item.as_ref());
            }
        }
        Ok(rows)
    }

    /// What of a range comes behind a key.
    fn after(&self, range: KeyRange, key: &Item) -> Result<KeyRange, StatementError> {
        let key = self.source.start_key(key.as_ref());
        let key = key.ok_or(StatementError::NextToken)?;
        if !range.contains(key.as_bytes()) {
            return Err(StatementError::NextToken);
        }
        Ok(match self.direction {
            Direction::Forward => range.after(&key),
            Direction::Backward => range.before(&key),
        })
    }

    fn page_plan(&self, range: KeyRange, limit: Option<u64>) -> PagePlan {
        PagePlan {
            table: Arc::clone(&self.source.table),
            index: self.source.index,
            range,
            direction: self.direction,
            limit,
            filter: self.filter.clone(),
            output: Output::Whole,
            fetch: self.source.fetch,
            consistency: self.consistency,
        }
    }
}

/// A SELECT of one item by its key and nothing else, as batches and transactions have them.
pub(in crate::operation) struct Single {
    pub(in crate::operation) table: Arc<Table>,
    pub(in crate::operation) key: Result<Key, Rejection>,
    columns: Option<Columns>,
}

impl Single {
    /// What is returned of the item.
    pub(in crate::operation) fn apply(&self, item: Item) -> Item {
        match &self.columns {
            Some(columns) => columns.apply(item.as_ref()),
            None => item,
        }
    }
}

/// Plans a SELECT of one item. What reads more is `several`, which is reported after what is wrong
/// with an index.
pub(in crate::operation) fn single(
    stator: &Stator,
    context: &RequestContext,
    prepared: &mut Prepared,
    several: StatementError,
) -> Result<Single, Refused> {
    let Body::Select(select) = prepared.statement.body() else {
        return Err(several.into());
    };
    let bound = &mut prepared.bound;
    if let Some(condition) = &select.condition {
        condition.bind(&mut bound.placeholders)?;
    }
    let table = super::table(stator, context, &select.table)?;
    let source = source(table, select, Consistency::Eventual)?;
    if source.index.is_some() {
        return Err(several.into());
    }
    let columns = select.columns.clone()?;
    let table = source.table;
    let whole = select
        .condition
        .as_ref()
        .and_then(|condition| keys::whole(condition, &names(table.key_schema())))
        .filter(|whole| whole.alone);
    let Some(whole) = whole else {
        return Err(several.into());
    };
    let key = key(&table, &whole, bound).map_err(|error: ExpressionError| Refused::from(error))?;
    Ok(Single {
        key: plan_key::lookup_key(&table, key.as_ref()),
        table,
        columns,
    })
}
