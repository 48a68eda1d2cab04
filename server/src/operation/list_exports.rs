//! `ListExports`.

use super::{RequestContext, definition::unknown_token};
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{ListExportsInput, ListExportsOutput},
    },
};

/// Lists nothing, since nothing can be exported. There is no second page, so that no token is one.
pub(super) async fn execute(
    _: &Stator,
    _: &RequestContext,
    input: ListExportsInput,
) -> Result<ListExportsOutput, Error> {
    match input.next_token {
        Some(token) => Err(unknown_token(&token)),
        None => Ok(ListExportsOutput {
            export_summaries: Some(Vec::new()),
            next_token: None,
        }),
    }
}
