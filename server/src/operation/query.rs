//! Query: the items of one partition of a table or index, in the order of the sort key.

use crate::{
    Stator,
    expression::KeyClause,
    operation::{
        RequestContext, key_range,
        layer::Layer,
        legacy,
        page_request::{Own, PageParameters, PageRequest, Source},
    },
    plan::Rejection,
    store::{Direction, KeyRange},
    wire::{
        Error, Operation,
        shapes::{QueryInput, QueryOutput},
    },
};

/// A request that is right by itself.
struct Request {
    page: PageRequest,
    clauses: Vec<KeyClause>,
    has_legacy_filter: bool,
    direction: Direction,
}

/// Executes a Query request.
///
/// # Errors
/// What the request breaks, `ResourceNotFoundException`, and failures of the store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: QueryInput,
) -> Result<QueryOutput, Error> {
    let layer = Layer::new(Operation::Query, context.wording);
    let request = validate(stator, layer, input)?;
    let table = stator.table(context, &request.page.table_name)?;
    let source = Source::of(table, &request.page, context.now_ms)?;
    let range = range(layer, &source, &request)?;
    check_filter(layer, &source, &request)?;
    let answer = source
        .read(stator, request.page, range, request.direction)
        .await?;
    Ok(QueryOutput {
        items: answer.items,
        count: answer.count,
        scanned_count: answer.scanned_count,
        last_evaluated_key: answer.last_evaluated_key,
        consumed_capacity: answer.consumed_capacity,
    })
}

/// Checks the request alone.
fn validate(stator: &Stator, layer: Layer, input: QueryInput) -> Result<Request, Error> {
    let own = Own {
        legacy_filter: "QueryFilter",
        legacy: &[("KeyConditions", input.key_conditions.is_some())],
        expressions: &[(
            "KeyConditionExpression",
            input.key_condition_expression.is_some(),
        )],
    };
    let has_legacy_filter = input.query_filter.is_some();
    let parameters = PageParameters {
        table_name: input.table_name,
        index_name: input.index_name,
        select: input.select,
        limit: input.limit,
        consistent_read: input.consistent_read,
        exclusive_start_key: input.exclusive_start_key,
        return_consumed_capacity: input.return_consumed_capacity,
        projection_expression: input.projection_expression,
        filter_expression: input.filter_expression,
        names: input.expression_attribute_names,
        values: input.expression_attribute_values,
        attributes_to_get: input.attributes_to_get,
        legacy_filter: input.query_filter,
        conditional_operator: input.conditional_operator,
    };
    let cache = stator.expressions();
    let (clauses, page) = parameters.validate(layer, cache, &own, |placeholders| {
        match (input.key_condition_expression, input.key_conditions) {
            (Some(text), _) => cache
                .key_condition(&text)
                .and_then(|condition| condition.bind(placeholders))
                .map_err(|error| layer.expression(error)),
            (None, Some(conditions)) => legacy::key_conditions(layer, conditions),
            (None, None) => Err(layer.refuse(Rejection::NoKeyCondition)),
        }
    })?;
    let direction = match input.scan_index_forward {
        Some(false) => Direction::Backward,
        _ => Direction::Forward,
    };
    Ok(Request {
        page,
        clauses,
        has_legacy_filter,
        direction,
    })
}

/// The entries that the key condition selects, without those of earlier pages.
fn range(layer: Layer, source: &Source, request: &Request) -> Result<KeyRange, Error> {
    let selection = key_range::select(&request.clauses, source.key_schema())
        .map_err(|error| layer.expression(error))?;
    key_range::check_sizes(&selection)?;
    let range = key_range::entries(source.keyspace(), &selection).ok_or(Rejection::KeyMismatch)?;
    let Some(start) = &request.page.start else {
        return Ok(range);
    };
    let start = source
        .start_key(start.as_ref())
        .ok_or(Rejection::StartKey)?;
    if !range.contains(start.as_bytes()) {
        return Err(Rejection::StartKeyOutside.into());
    }
    Ok(match request.direction {
        Direction::Forward => range.after(&start),
        Direction::Backward => range.before(&start),
    })
}

/// A filter may not read the key that is queried, nor what an index does not carry.
fn check_filter(layer: Layer, source: &Source, request: &Request) -> Result<(), Error> {
    let Some(filter) = &request.page.filter else {
        return Ok(());
    };
    let keys = source.key_schema().names();
    if request.has_legacy_filter {
        if let Some(name) = filter.attributes().find(|name| keys.contains(name)) {
            return Err(Rejection::LegacyFilterOnKey(name.into()).into());
        }
    } else {
        filter
            .check_filter(&keys)
            .map_err(|error| layer.expression(error))?;
    }
    Ok(source.check_filter(Some(filter))?)
}
