//! What the operations on streams have in common.

use std::sync::Arc;

use super::RequestContext;
use crate::{
    stator::Stator,
    store::Fault,
    streams::{Stream, StreamName},
    table::Namespace,
    wire::{Arn, Error},
};

/// Table and label in the ARN of a stream.
pub(super) fn parse_arn(arn: &str) -> Result<(Arn<'_>, &str), Error> {
    let parsed = Arn::parse(arn).ok();
    parsed
        .and_then(|parsed| {
            let label = parsed.below?.strip_prefix("stream/")?;
            Some((parsed, label))
        })
        .ok_or_else(|| Error::validation(format!("Invalid StreamArn: {arn}")))
}

/// The stream that `arn` names, with shards as they are to be by now.
///
/// # Errors
/// `ResourceNotFoundException` (SeanRoy/lambda-maven-plugin, issue 121, has AWS's words).
pub(super) async fn find(
    stator: &Stator,
    context: &RequestContext,
    arn: &str,
) -> Result<Arc<Stream>, Error> {
    let (parsed, label) = parse_arn(arn)?;
    let namespace = stator.namespace_of(context, &parsed);
    let name = StreamName {
        account: (&*namespace.account).into(),
        region: (&*namespace.region).into(),
        table: parsed.table.into(),
        label: label.into(),
    };
    let now_ms = context.now_ms;
    let stream = stator.streams().find(&name, now_ms).ok_or_else(|| {
        let message = format!("Requested resource not found: Stream: {arn} not found");
        Error::ResourceNotFound(message.into())
    })?;
    if stream.is_due(now_ms) {
        let due = Arc::clone(&stream);
        let work = move || Ok(due.roll(now_ms)?);
        stator.store().run_blocking(work).await?;
    }
    Ok(stream)
}

impl Stator {
    /// Splits the open shards of the stream that `arn` names, or one of them, in the middle of their
    /// ranges, and returns how many, once that is durable. No operation of DynamoDB: it does so by
    /// itself, where a test cannot wait for it.
    ///
    /// # Errors
    /// `ResourceNotFoundException` if there is no such stream, or no such open shard.
    pub async fn split_shards(&self, arn: &str, shard: Option<String>) -> Result<usize, Error> {
        let context = self.context();
        let stream = find(self, &context, arn).await?;
        let named = shard.is_some();
        let splitting = Arc::clone(&stream);
        let work = move || Ok(splitting.split(shard.as_deref(), context.now_ms)?);
        let count = self.store().run_blocking(work).await?;
        settled(self, stream.definition().1).await?;
        if named && count == 0 {
            return Err(no_shard());
        }
        Ok(count)
    }
}

/// The answer for a shard that is not there, in AWS's words (ironSource/node-dynamodb-stream,
/// issue 16).
pub(super) fn no_shard() -> Error {
    Error::ResourceNotFound("Requested resource not found: Shard does not exist".into())
}

/// The namespace of a stream.
pub(super) fn namespace(name: &StreamName) -> Namespace {
    Namespace::new(&*name.account, &*name.region)
}

/// Waits until what a stream is seen to be is durable: the commit that made it so.
pub(super) async fn settled(stator: &Stator, changed: u64) -> Result<(), Error> {
    let durable = stator.store().wait_durable(changed);
    durable
        .await
        .map_err(Fault::from)
        .map_err(Fault::into_error)
}
