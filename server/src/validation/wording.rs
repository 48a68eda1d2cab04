//! Which words DynamoDB has for what, today and before.
//!
//! Between June and October 2026 AWS put a new validation layer in front of some operations. It stops
//! at the first thing it finds, names members as the API spells them, and shows no values; what it
//! passes on meets the older layer, which lists everything. Which layer reports what is data here:
//! the rows of [`EARLY`]. Source: AWS's recorded answers in `paritysuite/dynamodb-conformance`
//! (`registry/splits.json`, `captures/cross-region-latest.json`, and what its tests in
//! `tests/tier3/` say of us-east-1 in October 2026).

use std::fmt;

use super::violations::{Constraint, Violation};
use crate::item::{self, ValueError};
use crate::wire::error::{Error, Message};
use crate::wire::operation::Operation::{self, *};

/// Whose words an answer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wording {
    /// us-east-1 today (November 2026).
    #[default]
    Current,
    /// All Regions until May 2026, and the two that have not changed since (eu-south-2,
    /// me-central-1).
    Older,
}

impl Wording {
    /// The refusal of a request of `operation` by a rule that looks at the request alone: today's
    /// layer puts it into the envelope of a violation in the operations that write one item
    /// (error-messages/putItem and deleteItem, "request validation envelope").
    pub fn refusal(self, operation: Operation, message: impl Into<Message>) -> Error {
        let message = message.into();
        if self == Self::Current && matches!(operation, PutItem | UpdateItem | DeleteItem) {
            return enveloped(&message);
        }
        Error::Validation(message)
    }

    /// The refusal of a `Select` that contradicts other parameters: Query looks at it with the
    /// constraints of the model, and has since before May 2026; Scan in us-east-1 does not
    /// (error-messages/query and scan, "Select SPECIFIC_ATTRIBUTES without ProjectionExpression", of
    /// the one contradiction that is recorded).
    pub fn select(self, operation: Operation, message: impl Into<Message>) -> Error {
        let message = message.into();
        match operation {
            Query => enveloped(&message),
            _ => Error::Validation(message),
        }
    }

    /// The layer that looks at the values of `operation`'s items, keys and expressions
    /// (error-messages/valueLayers).
    pub fn of_values(self, operation: Operation) -> item::Wording {
        let current = matches!(
            operation,
            PutItem | UpdateItem | DeleteItem | GetItem | BatchGetItem | Query
        );
        match self {
            Self::Current if current => item::Wording::Current,
            _ => item::Wording::Older,
        }
    }

    /// The refusal of a value in an item or key.
    pub fn value(self, operation: Operation, error: &ValueError) -> Error {
        self.refusal(operation, error.message(self.of_values(operation)))
    }

    /// The refusal of a value in `ExpressionAttributeValues`: the older layer says which.
    pub fn expression_value(self, operation: Operation, key: &str, error: &ValueError) -> Error {
        self.placeholder("ExpressionAttributeValues", operation, key, error)
    }

    /// The refusal of a name in `ExpressionAttributeNames`. Of today's layer it is measured in
    /// UpdateItem (ExtendDB/extenddb#365); of the older one, users saw it.
    pub fn expression_name(self, operation: Operation, key: &str, error: &ValueError) -> Error {
        self.placeholder("ExpressionAttributeNames", operation, key, error)
    }

    fn placeholder(self, map: &str, operation: Operation, key: &str, error: &ValueError) -> Error {
        let layer = self.of_values(operation);
        let message = error.message(layer);
        match layer {
            item::Wording::Current => self.refusal(operation, message),
            item::Wording::Older => Error::validation(format!(
                "{map} contains invalid value: {message} for key {key}"
            )),
        }
    }
}

/// A refusal that is no violation of the model's and yet stands in the envelope of one.
fn enveloped(message: &Message) -> Error {
    Error::validation(format!("1 validation error detected: {message}"))
}

/// A violation that one operation reports before, or otherwise than, the rest.
struct Early {
    operations: &'static [Operation],
    wordings: &'static [Wording],
    /// The members on the way to it.
    members: &'static [&'static str],
    broken: Kind,
    /// Whether it is the newer layer's, which a request without all required members does not reach:
    /// the older one answers it in full (validation-ordering/updateItem, "member errors beside a
    /// missing Key").
    newer: bool,
    reply: Reply,
}

/// A kind of constraint.
#[derive(PartialEq)]
enum Kind {
    NotNull,
    Empty,
    MaxLength,
    MinValue,
    OneOf,
}

/// What is answered.
enum Reply {
    /// Nothing but this sentence, as the one violation.
    Alone(Form),
    /// This sentence among those of the others.
    Among(Form),
    /// Nothing but this text, without the violations' envelope.
    Bare(&'static str),
}

/// How a violation is put.
enum Form {
    /// Where it is, but not what stands there.
    Named,
    /// Neither; the set of values is the newer layer's own.
    Values(&'static str),
}

const BOTH: &[Wording] = &[Wording::Current, Wording::Older];
const CURRENT: &[Wording] = &[Wording::Current];
const OLDER: &[Wording] = &[Wording::Older];

/// `UPDATE_NEW` is AWS's own slip.
const RETURN_VALUES: Form = Form::Values("[ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]");
/// So is `ALL`.
const ALL_OR: Form = Form::Values("[ALL, OR]");

/// In the order in which they win over one another.
static EARLY: &[Early] = &[
    // error-messages/createTable, "missing TableName".
    Early {
        operations: &[CreateTable, UpdateTable, DeleteTable, DescribeTable],
        wordings: BOTH,
        members: &["TableName"],
        broken: Kind::NotNull,
        newer: false,
        reply: Reply::Bare(
            "The parameter 'TableName' is required but was not present in the request",
        ),
    },
    // splits.json, put-item-validation-error-aggregation; captures o_put_empty_table…, o_del_…,
    // o_upd_…. GetItem and Query run the same layer; their answer to this was not recorded.
    Early {
        operations: &[PutItem, UpdateItem, DeleteItem, GetItem, Query],
        wordings: CURRENT,
        members: &["TableName"],
        broken: Kind::Empty,
        newer: true,
        reply: Reply::Alone(Form::Named),
    },
    // validation-ordering/deepRequests: XOR beside an Expected value nested 33 or 40 levels.
    Early {
        operations: &[PutItem, UpdateItem, DeleteItem],
        wordings: CURRENT,
        members: &["ConditionalOperator"],
        broken: Kind::OneOf,
        newer: true,
        reply: Reply::Alone(ALL_OR),
    },
    // validation-ordering/query, "ConditionalOperator beside Select".
    Early {
        operations: &[Query],
        wordings: CURRENT,
        members: &["ConditionalOperator"],
        broken: Kind::OneOf,
        newer: true,
        reply: Reply::Bare(
            "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]",
        ),
    },
    // Measured on AWS in UpdateItem (ExtendDB/extenddb#365); the others run the same layer.
    Early {
        operations: &[PutItem, UpdateItem, DeleteItem],
        wordings: CURRENT,
        members: &["ExpressionAttributeNames"],
        broken: Kind::MaxLength,
        newer: true,
        reply: Reply::Bare(
            "1 validation error detected: Attribute name is too large, must be less than 65536 bytes",
        ),
    },
    // splits.json, update-item-validation-error-aggregation.
    Early {
        operations: &[UpdateItem],
        wordings: CURRENT,
        members: &["ReturnValues"],
        broken: Kind::OneOf,
        newer: true,
        reply: Reply::Alone(RETURN_VALUES),
    },
    // captures o_put_three_bad_enums and o_del_two_bad_enums.
    Early {
        operations: &[PutItem, DeleteItem],
        wordings: CURRENT,
        members: &["ReturnValues"],
        broken: Kind::OneOf,
        newer: true,
        reply: Reply::Among(RETURN_VALUES),
    },
    // error-messages/query, "Limit of 0": so since before May 2026.
    Early {
        operations: &[Query],
        wordings: BOTH,
        members: &["Limit"],
        broken: Kind::MinValue,
        newer: true,
        reply: Reply::Alone(Form::Named),
    },
    // splits.json, batch-get-item-empty-request-items-message.
    Early {
        operations: &[BatchGetItem],
        wordings: CURRENT,
        members: &["RequestItems"],
        broken: Kind::Empty,
        newer: true,
        reply: Reply::Alone(Form::Named),
    },
    Early {
        operations: &[BatchGetItem],
        wordings: OLDER,
        members: &["RequestItems"],
        broken: Kind::Empty,
        newer: false,
        reply: Reply::Bare("The requestItems parameter is required for BatchGetItem"),
    },
    // captures/2026-10-07-batch-empty-request-items.json: not changed in us-east-1.
    Early {
        operations: &[BatchWriteItem],
        wordings: BOTH,
        members: &["RequestItems"],
        broken: Kind::Empty,
        newer: false,
        reply: Reply::Bare("The requestItems parameter is required for BatchWriteItem"),
    },
    // error-messages/batchGetItem, "> 100 keys" and "empty Keys list".
    Early {
        operations: &[BatchGetItem],
        wordings: BOTH,
        members: &["RequestItems", "Keys"],
        broken: Kind::MaxLength,
        newer: true,
        reply: Reply::Alone(Form::Named),
    },
    Early {
        operations: &[BatchGetItem],
        wordings: BOTH,
        members: &["RequestItems", "Keys"],
        broken: Kind::Empty,
        newer: true,
        reply: Reply::Alone(Form::Named),
    },
];

impl Early {
    fn is_about(&self, operation: Operation, wording: Wording, violation: &Violation<'_>) -> bool {
        self.operations.contains(&operation)
            && self.wordings.contains(&wording)
            && kind(&violation.constraint) == Some(&self.broken)
            && violation.members().eq(self.members.iter().copied())
    }
}

fn kind(constraint: &Constraint) -> Option<&'static Kind> {
    Some(match constraint {
        Constraint::NotNull => &Kind::NotNull,
        // The newer layer only looks for what is empty: a table name of two characters is the older
        // one's to refuse, beside everything else (validation-ordering/putItem, "invalid table name
        // pattern").
        Constraint::MinLength(1) => &Kind::Empty,
        Constraint::MaxLength(_) => &Kind::MaxLength,
        Constraint::MinValue(_) => &Kind::MinValue,
        Constraint::OneOf(_) => &Kind::OneOf,
        _ => return None,
    })
}

/// The message for `found`, which is not empty.
pub(super) fn answer(operation: Operation, wording: Wording, found: &[Violation<'_>]) -> Message {
    let missing = |violation: &Violation<'_>| {
        matches!(violation.constraint, Constraint::NotNull) && violation.path.len() == 1
    };
    let incomplete = found.iter().any(missing);
    let rows = || EARLY.iter().filter(|early| !(early.newer && incomplete));
    for early in rows() {
        let first = found
            .iter()
            .find(|one| early.is_about(operation, wording, one));
        match (first, &early.reply) {
            (Some(_), Reply::Bare(text)) => return (*text).into(),
            (Some(one), Reply::Alone(form)) => return List(&[form.put(one)]).to_string().into(),
            _ => {}
        }
    }
    let put = |one: &Violation<'_>| {
        let row = rows().find(|early| early.is_about(operation, wording, one));
        match row.map(|early| &early.reply) {
            Some(Reply::Among(form)) => form.put(one),
            _ => one.full(),
        }
    };
    List(&found.iter().map(put).collect::<Vec<_>>())
        .to_string()
        .into()
}

impl Form {
    fn put(&self, violation: &Violation<'_>) -> String {
        match self {
            Self::Named => violation.named(),
            Self::Values(values) => format!(
                "Failed to satisfy constraint: Member must satisfy enum value set: {values}"
            ),
        }
    }
}

/// The envelope around violations.
struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "" } else { "s" };
        write!(
            f,
            "{} validation error{plural} detected: {}",
            self.0.len(),
            self.0.join("; ")
        )
    }
}
