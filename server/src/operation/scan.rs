//! Scan: the items of a table or index, all of them or one segment.

use crate::{
    Stator,
    operation::{
        RequestContext,
        layer::Layer,
        page_request::{Own, PageParameters, PageRequest, Source},
    },
    plan::Rejection,
    store::{Direction, KeyRange},
    wire::{
        Error, Operation,
        shapes::{ScanInput, ScanOutput},
    },
};

/// A part of a parallel scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    /// Counted from zero.
    number: u32,
    /// How many there are.
    total: u32,
}

/// A request that is right by itself.
struct Request {
    page: PageRequest,
    segment: Option<Segment>,
}

/// Executes a Scan request.
///
/// # Errors
/// What the request breaks, `ResourceNotFoundException`, and failures of the store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: ScanInput,
) -> Result<ScanOutput, Error> {
    let layer = Layer::new(Operation::Scan, context.wording);
    let request = validate(stator, layer, input)?;
    let table = stator.table(context, &request.page.table_name)?;
    let source = Source::of(table, &request.page, context.now_ms)?;
    let range = range(&source, &request)?;
    let answer = source
        .read(stator, request.page, range, Direction::Forward)
        .await?;
    Ok(ScanOutput {
        items: answer.items,
        count: answer.count,
        scanned_count: answer.scanned_count,
        last_evaluated_key: answer.last_evaluated_key,
        consumed_capacity: answer.consumed_capacity,
    })
}

/// Checks the request alone.
fn validate(stator: &Stator, layer: Layer, input: ScanInput) -> Result<Request, Error> {
    let segment = segment(input.segment, input.total_segments)
        .map_err(|rejection| layer.refuse(rejection))?;
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
        legacy_filter: input.scan_filter,
        conditional_operator: input.conditional_operator,
    };
    let own = Own {
        legacy_filter: "ScanFilter",
        legacy: &[],
        expressions: &[],
    };
    let ((), page) = parameters.validate(layer, stator.expressions(), &own, |_| Ok(()))?;
    Ok(Request { page, segment })
}

/// `Segment` and `TotalSegments` come together, and in order. Their limits are the model's.
fn segment(number: Option<i64>, total: Option<i64>) -> Result<Option<Segment>, Rejection> {
    match (number, total) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(Rejection::SegmentAlone),
        (None, Some(_)) => Err(Rejection::TotalSegmentsAlone),
        (Some(segment), Some(total)) => match (u32::try_from(segment), u32::try_from(total)) {
            (Ok(number), Ok(total)) if number < total => Ok(Some(Segment { number, total })),
            _ => Err(Rejection::SegmentRange { segment, total }),
        },
    }
}

/// The entries of the segment, without those of earlier pages.
fn range(source: &Source, request: &Request) -> Result<KeyRange, Rejection> {
    let range = match request.segment {
        None => KeyRange::keyspace(source.keyspace()),
        Some(segment) => KeyRange::segment(source.keyspace(), segment.number, segment.total),
    };
    let Some(start) = &request.page.start else {
        return Ok(range);
    };
    let start = source
        .start_key(start.as_ref())
        .ok_or(Rejection::ScanStartKey)?;
    match request.segment {
        Some(segment) if !range.contains(start.as_bytes()) => Err(Rejection::StartKeySegment {
            total: segment.total,
            segment: segment.number,
        }),
        _ => Ok(range.after(&start)),
    }
}
