//! What Query and Scan have in common: which table or index a page is read from, what is returned of
//! its items, and where it starts.

use std::sync::Arc;

use crate::{
    Stator,
    expression::{BoundCondition, BoundProjection, ExpressionCache, Placeholders},
    item::{Item, ItemRef},
    operation::{
        layer::{Layer, Parameter},
        legacy, projection,
        respond::ReturnCapacity,
    },
    plan::{
        Rejection,
        capacity::Consistency,
        key,
        page::{self, Output, Page, PagePlan},
        select::{self, Fetch, ProjectionParameter, Select},
    },
    store::{Direction, Key, KeyRange, KeyspaceId},
    table::{IndexKind, KeySchema, SecondaryIndex, Table},
    wire::{
        Error, ItemInput, ValueInput,
        shapes::{Condition, ConsumedCapacity},
    },
};

/// The parameters that Query and Scan share, as they came.
pub(super) struct PageParameters {
    pub(super) table_name: Option<String>,
    pub(super) index_name: Option<String>,
    pub(super) select: Option<String>,
    pub(super) limit: Option<i64>,
    pub(super) consistent_read: Option<bool>,
    pub(super) exclusive_start_key: Option<ItemInput>,
    pub(super) return_consumed_capacity: Option<String>,
    pub(super) projection_expression: Option<String>,
    pub(super) filter_expression: Option<String>,
    pub(super) names: Option<Vec<(String, String)>>,
    pub(super) values: Option<Vec<(String, ValueInput)>>,
    pub(super) attributes_to_get: Option<Vec<String>>,
    /// `QueryFilter` or `ScanFilter`.
    pub(super) legacy_filter: Option<Vec<(String, Condition)>>,
    pub(super) conditional_operator: Option<String>,
}

/// Parameters that only one of the two operations has.
pub(super) struct Own<'a> {
    /// How the operation calls its legacy filter.
    pub(super) legacy_filter: &'static str,
    /// Its other legacy parameters.
    pub(super) legacy: &'a [Parameter],
    /// Its other expressions.
    pub(super) expressions: &'a [Parameter],
}

/// The parameters of a page that are right by themselves.
pub(super) struct PageRequest {
    pub(super) table_name: String,
    pub(super) index_name: Option<String>,
    pub(super) select: Select,
    pub(super) projection: Option<BoundProjection>,
    pub(super) filter: Option<BoundCondition>,
    pub(super) start: Option<Item>,
    pub(super) limit: Option<u64>,
    pub(super) consistency: Consistency,
    pub(super) capacity: ReturnCapacity,
}

impl PageParameters {
    /// Checks the parameters by themselves. `bind` binds the operation's own expressions, which come
    /// before the filter and the projection.
    pub(super) fn validate<T>(
        self,
        layer: Layer,
        cache: &ExpressionCache,
        own: &Own<'_>,
        bind: impl FnOnce(&mut Placeholders) -> Result<T, Error>,
    ) -> Result<(T, PageRequest), Error> {
        let expressions = self.check_mixed(layer, own)?;
        let select = self
            .select()
            .map_err(|rejection| layer.refuse_select(&rejection))?;
        let mut placeholders = layer.placeholders(self.names, self.values, &expressions)?;
        let bound = bind(&mut placeholders)?;
        let filter = self
            .filter_expression
            .map(|text| cache.filter(&text)?.bind(&mut placeholders))
            .transpose()
            .map_err(|error| layer.expression(error))?;
        let projection = projection::bind(
            layer,
            cache,
            self.projection_expression.as_deref(),
            &mut placeholders,
        )?;
        layer.check_used(&placeholders)?;
        let operator = self.conditional_operator.as_deref();
        let request = PageRequest {
            table_name: self.table_name.unwrap_or_default(),
            index_name: self.index_name,
            select,
            filter: match filter {
                Some(filter) => Some(filter),
                None => legacy::filter(layer, self.legacy_filter, operator)?,
            },
            projection: match (projection, self.attributes_to_get) {
                (None, Some(names)) => Some(legacy::attributes_to_get(layer, &names)?),
                (projection, _) => projection,
            },
            start: self
                .exclusive_start_key
                .map(|key| layer.item(Some(key)))
                .transpose()?,
            limit: self.limit.and_then(|limit| u64::try_from(limit).ok()),
            consistency: Consistency::requested(self.consistent_read),
            capacity: ReturnCapacity::requested(self.return_consumed_capacity.as_deref()),
        };
        Ok((bound, request))
    }

    /// Refuses old parameters beside new ones; gives the new ones.
    fn check_mixed(&self, layer: Layer, own: &Own<'_>) -> Result<Vec<Parameter>, Error> {
        let legacy = [
            ("AttributesToGet", self.attributes_to_get.is_some()),
            (own.legacy_filter, self.legacy_filter.is_some()),
            ("ConditionalOperator", self.conditional_operator.is_some()),
        ];
        let expressions = [
            ("ProjectionExpression", self.projection_expression.is_some()),
            ("FilterExpression", self.filter_expression.is_some()),
        ];
        let expressions = [&expressions, own.expressions].concat();
        layer.check_mixed(&[&legacy, own.legacy].concat(), &expressions)?;
        Ok(expressions)
    }

    fn select(&self) -> Result<Select, Rejection> {
        let projection = match (&self.projection_expression, &self.attributes_to_get) {
            (Some(_), _) => Some(ProjectionParameter::Expression),
            (None, Some(_)) => Some(ProjectionParameter::Legacy),
            (None, None) => None,
        };
        Select::requested(
            self.select.as_deref(),
            projection,
            self.index_name.is_some(),
        )
    }
}

/// Where a page is read: the table, or one of its indexes.
pub(super) struct Source {
    pub(super) table: Arc<Table>,
    pub(super) index: Option<usize>,
    pub(super) fetch: Fetch,
}

impl Source {
    /// The source that a request names, if it can serve what the request asks for.
    pub(super) fn of(
        table: Arc<Table>,
        request: &PageRequest,
        now_ms: u64,
    ) -> Result<Self, Rejection> {
        let Some(name) = &request.index_name else {
            return Ok(Self {
                table,
                index: None,
                fetch: Fetch::Entries,
            });
        };
        let position = table
            .indexes()
            .iter()
            .position(|index| index.name() == name)
            .ok_or_else(|| Rejection::NoSuchIndex(name.as_str().into()))?;
        let mut source = Self {
            table,
            index: Some(position),
            fetch: Fetch::Entries,
        };
        if let Some(index) = source.secondary_index() {
            if index.backfilling(now_ms).is_some() {
                return Err(Rejection::Backfilling(name.as_str().into()));
            }
            if index.kind() == IndexKind::Global && request.consistency == Consistency::Strong {
                return Err(Rejection::ConsistentGlobalIndex);
            }
            let wanted = names(
                request
                    .projection
                    .iter()
                    .flat_map(BoundProjection::attributes),
            );
            source.fetch = select::fetch(index, request.select, &wanted)?;
        }
        Ok(source)
    }

    /// The index, if it is one.
    pub(super) fn secondary_index(&self) -> Option<&SecondaryIndex> {
        self.index
            .and_then(|position| self.table.indexes().get(position))
    }

    /// The key that orders what is read.
    pub(super) fn key_schema(&self) -> &KeySchema {
        self.secondary_index()
            .map_or(self.table.key_schema(), SecondaryIndex::key_schema)
    }

    /// Where it is stored.
    pub(super) fn keyspace(&self) -> KeyspaceId {
        self.secondary_index()
            .map_or(self.table.keyspace(), SecondaryIndex::keyspace)
    }

    /// Refuses a filter on what entries of an index do not carry and are not fetched for (AWS's
    /// answer to such a Query; a Scan sees the attributes as missing).
    pub(super) fn check_filter(&self, filter: Option<&BoundCondition>) -> Result<(), Rejection> {
        let (Some(index), Fetch::Entries) = (self.secondary_index(), self.fetch) else {
            return Ok(());
        };
        let read = names(filter.into_iter().flat_map(BoundCondition::attributes));
        let attributes = select::not_carried(index, &read);
        if attributes.is_empty() {
            return Ok(());
        }
        Err(Rejection::FilterNotProjected {
            index: index.name().into(),
            attributes,
        })
    }

    /// Where the entry stands that an `ExclusiveStartKey` names. It must have exactly the key
    /// attributes of table and index, of their types.
    pub(super) fn start_key(&self, start: ItemRef<'_>) -> Option<Key> {
        let index = self.secondary_index();
        let expected = names(
            self.table
                .key_schema()
                .attributes()
                .chain(
                    index
                        .into_iter()
                        .flat_map(|index| index.key_schema().attributes()),
                )
                .map(|attribute| &*attribute.name),
        );
        if !start
            .iter()
            .map(|(name, _)| name)
            .eq(expected.iter().map(AsRef::as_ref))
        {
            return None;
        }
        key::check_item_key(self.table.key_schema(), start).ok()?;
        match index {
            None => key::primary_key(&self.table, start),
            Some(index) => {
                key::check_item_key(index.key_schema(), start).ok()?;
                key::index_key(&self.table, index, start)
            }
        }
    }

    /// Reads a page of `range`.
    pub(super) async fn read(
        self,
        stator: &Stator,
        request: PageRequest,
        range: KeyRange,
        direction: Direction,
    ) -> Result<Answer, Error> {
        let (table, select) = (Arc::clone(&self.table), request.select);
        let (name, capacity) = (request.table_name.clone(), request.capacity);
        let plan = self.plan(request, range, direction);
        let page = page::read(stator.store(), plan).await?;
        Ok(Answer::new(page, &table, &name, select, capacity))
    }

    fn plan(self, request: PageRequest, range: KeyRange, direction: Direction) -> PagePlan {
        PagePlan {
            table: self.table,
            index: self.index,
            range,
            direction,
            limit: request.limit,
            filter: request.filter,
            output: match (request.select, request.projection) {
                (Select::Count, _) => Output::Count,
                (_, Some(projection)) => Output::Projected(projection),
                (_, None) => Output::Whole,
            },
            fetch: self.fetch,
            consistency: request.consistency,
        }
    }
}

/// Names, sorted as an item's are, each once.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = names.map(Into::into).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The members that both answers have.
pub(super) struct Answer {
    pub(super) items: Option<Vec<Item>>,
    pub(super) count: Option<i64>,
    pub(super) scanned_count: Option<i64>,
    pub(super) last_evaluated_key: Option<Item>,
    pub(super) consumed_capacity: Option<ConsumedCapacity>,
}

impl Answer {
    fn new(
        page: Page,
        table: &Table,
        name: &str,
        select: Select,
        capacity: ReturnCapacity,
    ) -> Self {
        let wide = |count: u64| Some(i64::try_from(count).unwrap_or(i64::MAX));
        Self {
            items: (select != Select::Count).then_some(page.items),
            count: wide(page.count),
            scanned_count: wide(page.scanned),
            last_evaluated_key: page.last_evaluated_key,
            consumed_capacity: capacity.of(name, table, &page.usage),
        }
    }
}
