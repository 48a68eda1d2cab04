//! `DescribeEndpoints`: where clients with endpoint discovery go on.

use super::RequestContext;
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{DescribeEndpointsRequest, DescribeEndpointsResponse, Endpoint},
    },
};

/// Minutes for which a client may keep the answer, as DynamoDB has them (API reference, `Endpoint`).
const CACHE_PERIOD_MINUTES: i64 = 1440;

/// Answers with the address that the request came to. AWS's own name for the Region would send the
/// client, with its credentials, to AWS.
pub(super) async fn execute(
    _: &Stator,
    context: &RequestContext,
    _: DescribeEndpointsRequest,
) -> Result<DescribeEndpointsResponse, Error> {
    let address = if context.host.is_empty() {
        "localhost"
    } else {
        &*context.host
    };
    Ok(DescribeEndpointsResponse {
        endpoints: Some(vec![Endpoint {
            address: Some(address.to_owned()),
            cache_period_in_minutes: Some(CACHE_PERIOD_MINUTES),
        }]),
    })
}
