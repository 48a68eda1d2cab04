//! Resource policies: kept, checked, shown and not enforced.
//!
//! A table has one slot for a policy, and each of its streams another. What is in a slot has a
//! revision id: the time of its last change, which also a deletion leaves behind (DDB-TABLE-205,
//! -207, -213 of the source named in [`super::definition`]).

mod document;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{RequestContext, definition::check_rested, resource::Resource};
use crate::{
    stator::{Stator, table_not_found},
    store::Fault,
    streams::StreamName,
    table::{Change, Namespace, Table, TableStatus, record::Policy, root_arn},
    wire::{Arn, Error},
};
use document::Document;

/// Longest document, in bytes as it is sent (developer guide, "Resource-based policy
/// considerations").
const SIZE_LIMIT: usize = 20_480;
/// `ExpectedRevisionId` for that there is no policy (API reference, `PutResourcePolicy`).
const NO_POLICY: &str = "NO_POLICY";

/// What DynamoDB has against a document, in its words (DDB-TABLE-211, -356, -457; a user's report in
/// aws/aws-cdk issue 37273). Those of [`Self::Effect`], [`Self::Resource`] and of a missing Principal
/// or Action are those in which S3 refuses the same document, since IAM's own reader is behind both.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Invalid {
    #[error("Maximum policy size of {SIZE_LIMIT} bytes exceeded")]
    Size,
    #[error("Invalid policy document: This policy contains invalid Json")]
    Json,
    #[error("Invalid policy document: This text appears not to be a policy")]
    NoPolicy,
    #[error("Invalid policy document: Syntax error at position ({line},{column})")]
    Syntax { line: usize, column: usize },
    #[error("Invalid policy document: Could not parse the policy: Statement is empty!")]
    NoStatement,
    #[error("Invalid policy document: Missing required field {field}")]
    Missing { field: &'static str },
    #[error("Invalid policy document: Invalid effect: {effect}")]
    Effect { effect: String },
    #[error("Invalid policy document: The Statement Ids in the policy are not unique")]
    SidTwice,
    #[error("Invalid policy document: The following action names are invalid: {names}")]
    Actions { names: String },
    #[error("Invalid policy document: Policy has invalid resource")]
    Resource,
    #[error("Invalid policy document: The relative-id \"{relative}\" is invalid for ARN \"{arn}\"")]
    RelativeId { relative: String, arn: String },
    #[error("Invalid policy document: Policy contains invalid service principal")]
    ServicePrincipal,
    #[error("Invalid principal in policy document.")]
    Principal,
    #[error(
        "Resource-based policy grants unbounded access in one or more elements. Please revise the policy to ensure least-privilege form of access"
    )]
    Unbounded,
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::Unbounded => Self::validation(invalid.to_string()),
            _ => Self::validation(format!(
                "One or more parameter values were invalid: {invalid}"
            )),
        }
    }
}

/// A document that may be attached.
pub(super) struct Checked {
    /// Its one form.
    pub(super) canonical: String,
    /// Whether it would deny its owner to replace it.
    pub(super) locks_out: bool,
}

/// What becomes of a slot.
pub(super) struct Edit<'a> {
    /// The policy that comes into it; with none it is emptied.
    pub(super) document: Option<&'a Checked>,
    /// `ExpectedRevisionId`.
    pub(super) expected: Option<&'a str>,
    /// Whether a policy is wanted that denies its owner to replace it.
    pub(super) confirmed: bool,
}

/// The revisions of a slot, before and after a change: also of a deletion, and none where there never
/// was a policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Revisions {
    pub(super) before: Option<u64>,
    pub(super) after: Option<u64>,
}

/// A slot for a policy, by the ARN of its table or stream.
#[derive(Clone, Debug)]
pub(super) struct Slot<'a> {
    pub(super) arn: &'a str,
    pub(super) namespace: Namespace,
    pub(super) table: &'a str,
    /// Label of the stream; `None` is the table's own slot.
    pub(super) stream: Option<&'a str>,
}

impl<'a> Slot<'a> {
    /// The slot that `arn` names.
    pub(super) fn of(
        stator: &Stator,
        context: &RequestContext,
        arn: &'a str,
    ) -> Result<Self, Error> {
        let (parsed, stream) = match Resource::parse(arn)? {
            Resource::Table(parsed) => (parsed, None),
            Resource::Stream(parsed, label) => (parsed, Some(label)),
        };
        let namespace = stator.namespace_of(context, &parsed);
        if namespace.account != context.namespace.account {
            return Err(Error::validation(
                "This action is only supported by accounts that match the resource owner’s \
                 account.",
            ));
        }
        if namespace.region != context.namespace.region {
            return Err(Error::validation(format!(
                "One or more parameter values were invalid: Invalid resource Arn: {arn}"
            )));
        }
        Ok(Self {
            arn,
            namespace,
            table: parsed.table,
            stream,
        })
    }

    /// Checks that there is such a slot on `table`. One that is being created has none yet
    /// (DDB-TABLE-234).
    pub(super) fn check<'t>(
        &self,
        stator: &Stator,
        table: Option<&'t Arc<Table>>,
        now_ms: u64,
    ) -> Result<&'t Table, Error> {
        let table = table
            .filter(|table| table.status(now_ms) != TableStatus::Creating)
            .ok_or_else(|| table_not_found(self.table))?;
        match self.stream {
            Some(label) if !self.has_stream(stator, label, now_ms) => {
                let message = format!(
                    "Requested resource not found: Stream: {label} not found for Table: {}",
                    self.table
                );
                Err(Error::ResourceNotFound(message.into()))
            }
            _ => Ok(table),
        }
    }

    /// Whether the table has the stream `label`, or had it and it can still be read.
    fn has_stream(&self, stator: &Stator, label: &str, now_ms: u64) -> bool {
        let name = StreamName {
            account: (&*self.namespace.account).into(),
            region: (&*self.namespace.region).into(),
            table: self.table.into(),
            label: label.into(),
        };
        stator.streams().find(&name, now_ms).is_some()
    }

    /// What is in the slot.
    pub(super) fn policy<'t>(&self, table: &'t Table) -> Option<&'t Policy> {
        let policies = &table.record().policies;
        policies
            .iter()
            .find(|policy| policy.stream.as_deref() == self.stream)
    }

    /// Puts a policy into the slot, or takes it out; blocks.
    pub(super) fn change(
        &self,
        stator: &Stator,
        edit: &Edit<'_>,
        now_ms: u64,
    ) -> Result<Revisions, Fault> {
        let catalog = stator.catalog();
        let changed = catalog.change(&self.namespace, self.table, now_ms, |table| {
            let table = self.check(stator, table, now_ms)?;
            if edit.document.is_some_and(|new| new.locks_out) && !edit.confirmed {
                return Err(Error::AccessDenied(
                    "The new resource policy will not allow you to update the resource policy in \
                     the future."
                        .into(),
                )
                .into());
            }
            let current = self.policy(table);
            let before = current.map(|policy| policy.changed_ms);
            self.check_revision(current, edit.expected)?;
            let new = edit.document.map(|new| &new.canonical);
            if current.and_then(|policy| policy.document.as_ref()) == new {
                let after = before;
                return Ok((Change::Nothing, Revisions { before, after }));
            }
            self.check_changeable(stator, table, current, now_ms)?;
            let mut record = Box::new(table.record().clone());
            let after = Some(self.fill(&mut record.policies, new.cloned(), now_ms));
            let dropped = Vec::new();
            let put = Change::Put { record, dropped };
            Ok((put, Revisions { before, after }))
        })?;
        Ok(changed.outcome)
    }

    /// Puts `document`, or that there is none, into the slot.
    pub(super) fn fill(
        &self,
        policies: &mut Vec<Policy>,
        document: Option<String>,
        now_ms: u64,
    ) -> u64 {
        let before = policies
            .iter()
            .position(|policy| policy.stream.as_deref() == self.stream)
            .map(|at| policies.remove(at));
        // Revisions grow, however fast they follow one another.
        let changed_ms = before.map_or(now_ms, |policy| now_ms.max(policy.changed_ms + 1));
        policies.push(Policy {
            stream: self.stream.map(str::to_owned),
            document,
            changed_ms,
        });
        changed_ms
    }

    /// Reads and checks a document for the slot.
    pub(super) fn document(&self, text: &str) -> Result<Checked, Error> {
        if text.len() > SIZE_LIMIT {
            return Err(Invalid::Size.into());
        }
        let document = Document::parse(text)?;
        rules::check(&document, self.target())?;
        // An ARN of another account or Region means this one's table too, where all share one
        // namespace: the owner is whom it names.
        let owner = Arn::parse(self.arn).map_or(&*self.namespace.account, |arn| arn.account);
        Ok(Checked {
            canonical: document.canonical(|account| root_arn(&self.namespace.region, account)),
            locks_out: rules::locks_out(&document, self.target(), owner),
        })
    }

    fn target(&self) -> rules::Target<'_> {
        rules::Target {
            arn: self.arn,
            stream: self.stream.is_some(),
        }
    }

    /// The answer to who asks for a policy where there is none.
    pub(super) fn not_found(&self) -> Error {
        Error::PolicyNotFound(
            format!(
                "Resource-based policy not found for the provided ResourceArn: {}",
                self.arn
            )
            .into(),
        )
    }

    /// Checks that what is in the slot has the revision that the caller expects (DDB-TABLE-205,
    /// -209).
    fn check_revision(
        &self,
        current: Option<&Policy>,
        expected: Option<&str>,
    ) -> Result<(), Error> {
        let Some(expected) = expected else {
            return Ok(());
        };
        let current = current.filter(|policy| policy.document.is_some());
        let table = self.table;
        let why = match current {
            None if expected == NO_POLICY => return Ok(()),
            None => format!("table {table} has no associated policy"),
            Some(policy) if policy.changed_ms.to_string() == expected => return Ok(()),
            Some(_) => format!("the policy associated to target table {table} did not match"),
        };
        let message = format!(
            "Resource-based policy not found for the provided ResourceArn: Requested update for \
             policy with revision id {expected}, but {why}"
        );
        Err(Error::PolicyNotFound(message.into()))
    }

    /// Checks that the table is not being deleted, and that the last change is not too fresh:
    /// first it is still being applied, then the slot rests (DDB-TABLE-206, -236). Where changes
    /// take no time, neither shows.
    fn check_changeable(
        &self,
        stator: &Stator,
        table: &Table,
        current: Option<&Policy>,
        now_ms: u64,
    ) -> Result<(), Error> {
        let name = self.table;
        if table.status(now_ms) == TableStatus::Deleting {
            let message = format!(
                "Attempt to change a resource which is still in use: Table is being deleted: {name}"
            );
            return Err(Error::ResourceInUse(message.into()));
        }
        let Some(current) = current.filter(|_| stator.table_state_delay_ms() > 0) else {
            return Ok(());
        };
        let (what, which) = match self.stream {
            Some(label) => ("Stream", label),
            None => ("Table", name),
        };
        if is_pending(current, stator.table_state_delay_ms(), now_ms) {
            let message = format!(
                "Attempt to change a resource which is still in use: {what} is pending previous \
                 resource-based policy update: {which}"
            );
            return Err(Error::ResourceInUse(message.into()));
        }
        let what = what.to_ascii_lowercase();
        let what = format!("Resource-based policy for {what} {which}");
        check_rested(&what, current.changed_ms, now_ms, ".")
    }
}

/// What GetResourcePolicy shows of a document that was kept.
pub(super) fn shown(document: &str) -> String {
    document::shown(document)
}

/// Whether a change is still being applied, where that takes `delay_ms`.
pub(super) fn is_pending(policy: &Policy, delay_ms: u64, now_ms: u64) -> bool {
    now_ms < policy.changed_ms.saturating_add(delay_ms)
}
