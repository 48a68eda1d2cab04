//! `StreamSpecification`, and the names of streams.

use super::{Refusal, time::label};
use crate::{
    stator::Stator,
    streams::{StreamName, View},
    table::{Namespace, Table, record::LatestStream, table_arn},
    wire::shapes::StreamSpecification,
};

/// The label of a new stream of the table `name`: the time it is enabled, or as soon after that as no
/// stream of a table of that name has.
pub(crate) fn stream_label(
    stator: &Stator,
    namespace: &Namespace,
    name: &str,
    now_ms: u64,
) -> String {
    let mut ms = now_ms;
    loop {
        let stream = StreamName {
            account: (&*namespace.account).into(),
            region: (&*namespace.region).into(),
            table: name.into(),
            label: label(ms).into(),
        };
        if !stator.streams().contains(&stream) {
            return stream.label.into();
        }
        ms += 1;
    }
}

/// `StreamArn`.
pub(crate) fn stream_arn(namespace: &Namespace, table: &str, label: &str) -> String {
    format!("{}/stream/{label}", table_arn(namespace, table))
}

/// What an UpdateTable makes of the stream of `table`: the one to be written down, without a label if
/// it is a new one.
///
/// What cannot be enabled or disabled, because it is already, is answered with a ValidationException
/// (aws-controllers-k8s/community, issue 1000; hashicorp/terraform-provider-aws, issue 18402), and not
/// with the ResourceInUseException that the API reference tells of.
pub(crate) fn change_stream(
    given: &StreamSpecification,
    table: &Table,
) -> Result<LatestStream, Refusal> {
    let view = given.stream_view_type.as_deref().and_then(View::from_name);
    let latest = table.record().stream.as_ref();
    let enabled = latest.filter(|stream| stream.enabled);
    let name = || table.name().to_owned();
    match (given.stream_enabled == Some(true), view) {
        (true, None) => Err(Refusal::UpdateStreamWithoutView),
        (false, Some(_)) => Err(Refusal::UpdateViewWithoutStream),
        (true, Some(_)) if enabled.is_some() => Err(Refusal::StreamEnabled { table: name() }),
        (true, Some(view)) => Ok(LatestStream {
            label: String::new(),
            view,
            enabled: true,
        }),
        (false, None) => {
            let stream = enabled.ok_or_else(|| Refusal::NoStreamToDisable { table: name() })?;
            Ok(LatestStream {
                enabled: false,
                ..stream.clone()
            })
        }
    }
}
