//! `ListImports`.

use super::{RequestContext, definition::unknown_token};
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{ListImportsInput, ListImportsOutput},
    },
};

/// Lists nothing, since nothing can be imported. There is no second page, so that no token is one.
pub(super) async fn execute(
    _: &Stator,
    _: &RequestContext,
    input: ListImportsInput,
) -> Result<ListImportsOutput, Error> {
    match input.next_token {
        Some(token) => Err(unknown_token(&token)),
        None => Ok(ListImportsOutput {
            import_summary_list: Some(Vec::new()),
            next_token: None,
        }),
    }
}
