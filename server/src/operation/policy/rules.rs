//! What a policy may say, and whether it locks out whoever attaches it.

use super::{
    Invalid,
    document::{Document, Principal, Statement, is_account},
};

/// Operations on a table that a policy may name (developer guide, "DynamoDB API operations supported
/// by resource-based policies"), and the actions of IAM that are no operations of their own (service
/// authorization reference, Amazon DynamoDB).
const TABLE_ACTIONS: &[&str] = &[
    "BatchGetItem",
    "BatchWriteItem",
    "ConditionCheckItem",
    "CreateBackup",
    "DeleteItem",
    "DeleteResourcePolicy",
    "DeleteTable",
    "DescribeContinuousBackups",
    "DescribeContributorInsights",
    "DescribeKinesisStreamingDestination",
    "DescribeTable",
    "DescribeTableReplicaAutoScaling",
    "DescribeTimeToLive",
    "DisableKinesisStreamingDestination",
    "EnableKinesisStreamingDestination",
    "ExportTableToPointInTime",
    "GetItem",
    "GetResourcePolicy",
    "ListTagsOfResource",
    "PartiQLDelete",
    "PartiQLInsert",
    "PartiQLSelect",
    "PartiQLUpdate",
    "PutItem",
    "PutResourcePolicy",
    "Query",
    "RestoreTableToPointInTime",
    "Scan",
    "TagResource",
    "UntagResource",
    "UpdateContinuousBackups",
    "UpdateContributorInsights",
    "UpdateItem",
    "UpdateKinesisStreamingDestination",
    "UpdateTable",
    "UpdateTableReplicaAutoScaling",
    "UpdateTimeToLive",
    // Replication of global tables.
    "AssociateTableReplica",
    "CreateTableReplica",
    "DeleteTableReplica",
    "ReadDataForReplication",
    "ReplicateSettings",
    "WriteDataForReplication",
];

/// Operations on a stream that a policy may name (ibid.).
const STREAM_ACTIONS: &[&str] = &[
    "DeleteResourcePolicy",
    "DescribeStream",
    "GetRecords",
    "GetResourcePolicy",
    "GetShardIterator",
    "PutResourcePolicy",
];

/// What a policy is to be attached to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    /// ARN of the table or of its stream.
    pub(super) arn: &'a str,
    /// Whether it is a stream.
    pub(super) stream: bool,
}

/// Checks every statement of `document`.
pub(super) fn check(document: &Document, target: Target<'_>) -> Result<(), Invalid> {
    for statement in &document.statements {
        check_fields(statement)?;
    }
    let sids: Vec<&String> = document
        .statements
        .iter()
        .filter_map(|statement| statement.sid.as_ref())
        .collect();
    let twice = |(at, sid): (usize, &&String)| sids.iter().take(at).any(|earlier| earlier == sid);
    if sids.iter().enumerate().any(twice) {
        return Err(Invalid::SidTwice);
    }
    let names: Vec<&String> = document.statements.iter().flat_map(actions).collect();
    let unknown: Vec<&String> = names
        .into_iter()
        .filter(|name| !is_action(name, target.stream))
        .collect();
    if !unknown.is_empty() {
        let quoted: Vec<String> = unknown.iter().map(|name| format!("\"{name}\"")).collect();
        return Err(Invalid::Actions {
            names: quoted.join(", "),
        });
    }
    for statement in &document.statements {
        for resource in resources(statement) {
            check_resource(resource, target)?;
        }
        let principals = [&statement.principal, &statement.not_principal];
        for principal in principals.into_iter().flatten() {
            check_principal(principal)?;
        }
        let open = statement.principal.as_ref().is_some_and(is_everyone);
        if statement.allows() && open && statement.condition.is_none() {
            return Err(Invalid::Unbounded);
        }
    }
    Ok(())
}

/// That a statement has what every statement needs.
fn check_fields(statement: &Statement) -> Result<(), Invalid> {
    let missing = |field| Err(Invalid::Missing { field });
    match statement.effect.as_deref() {
        None => return missing("Effect"),
        Some(effect)
            if !["Allow", "Deny"]
                .iter()
                .any(|e| e.eq_ignore_ascii_case(effect)) =>
        {
            return Err(Invalid::Effect {
                effect: effect.to_owned(),
            });
        }
        Some(_) => {}
    }
    if statement.principal.is_none() && statement.not_principal.is_none() {
        return missing("Principal");
    }
    if statement.action.is_none() && statement.not_action.is_none() {
        return missing("Action");
    }
    if statement.resource.is_none() && statement.not_resource.is_none() {
        return missing("Resource");
    }
    Ok(())
}

fn actions(statement: &Statement) -> impl Iterator<Item = &String> {
    let lists = [&statement.action, &statement.not_action];
    lists.into_iter().flatten().flatten()
}

fn resources(statement: &Statement) -> impl Iterator<Item = &String> {
    let lists = [&statement.resource, &statement.not_resource];
    lists.into_iter().flatten().flatten()
}

/// Whether `name` stands for any action that such a policy may name. Case does not matter
/// (DDB-TABLE-353).
fn is_action(name: &str, stream: bool) -> bool {
    let known = if stream {
        STREAM_ACTIONS
    } else {
        TABLE_ACTIONS
    };
    known.iter().any(|action| covers(name, action))
}

/// Whether the action or pattern `name` covers `action`.
fn covers(name: &str, action: &str) -> bool {
    if name == "*" {
        return true;
    }
    let name = name.to_ascii_lowercase();
    let pattern = name.strip_prefix("dynamodb:");
    pattern.is_some_and(|pattern| matches(pattern, &action.to_ascii_lowercase()))
}

/// Whether `text` matches `pattern`, in which `*` is any text and `?` any one byte.
fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.as_bytes(), text.as_bytes());
    // Where to go on if what follows the last star does not match.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (Some((b'*', rest)), _) => {
                retry = Some((rest, text));
                pattern = rest;
            }
            (Some((wanted, rest)), Some((found, others))) if wanted == found || *wanted == b'?' => {
                (pattern, text) = (rest, others);
            }
            (None, None) => return true,
            _ => {
                let Some((after, [_, others @ ..])) = retry else {
                    return false;
                };
                retry = Some((after, others));
                (pattern, text) = (after, others);
            }
        }
    }
}

/// A policy of a table may name any table and index, and one of a stream any stream, whichever it is
/// attached to (DDB-TABLE-211, -212).
fn check_resource(resource: &str, target: Target<'_>) -> Result<(), Invalid> {
    if resource == "*" {
        return Ok(());
    }
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    let ["arn", _, "dynamodb", _, _, relative] = parts.as_slice() else {
        return Err(Invalid::Resource);
    };
    let mut path = relative.split('/');
    let is_table = path.next() == Some("table") && path.next().is_some_and(|name| !name.is_empty());
    let below = path.next();
    // A star in the name of a table may stand for what is below it too.
    let starred = relative.contains('*');
    let fits = match below {
        None => !target.stream || starred,
        Some("index") => !target.stream,
        Some("stream") => target.stream,
        Some(_) => starred,
    };
    if relative.starts_with('*') || (is_table && fits) {
        return Ok(());
    }
    Err(Invalid::RelativeId {
        relative: (*relative).to_owned(),
        arn: resource.to_owned(),
    })
}

fn check_principal(principal: &Principal) -> Result<(), Invalid> {
    let Principal::Listed(kinds) = principal else {
        return Ok(());
    };
    for (kind, names) in kinds {
        for name in names {
            let valid = match kind.as_str() {
                "AWS" => is_identity(name),
                "Service" if !name.contains(".amazonaws.com") => {
                    return Err(Invalid::ServicePrincipal);
                }
                _ => true,
            };
            if !valid {
                return Err(Invalid::Principal);
            }
        }
    }
    Ok(())
}

/// Whether `name` has the form of an identity of IAM. Whether there is one, nobody here knows.
fn is_identity(name: &str) -> bool {
    if name == "*" || is_account(name) {
        return true;
    }
    // The id that IAM puts in place of a user or role that was deleted.
    if name.len() >= 16 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return name.starts_with("AIDA") || name.starts_with("AROA");
    }
    let parts: Vec<&str> = name.splitn(6, ':').collect();
    let ["arn", partition, "iam" | "sts", "", account, resource] = parts.as_slice() else {
        return false;
    };
    let kinds = ["user/", "role/", "assumed-role/", "federated-user/"];
    partition.starts_with("aws")
        && is_account(account)
        && (*resource == "root" || kinds.iter().any(|kind| resource.starts_with(kind)))
}

fn is_everyone(principal: &Principal) -> bool {
    match principal {
        Principal::Everyone => true,
        Principal::Listed(kinds) => kinds
            .iter()
            .any(|(kind, names)| kind == "AWS" && names.iter().any(|name| name == "*")),
    }
}

/// Whether, once it is attached, the policy denies the account that owns the target to attach
/// another (DDB-TABLE-210). A statement with a condition is not held against it: what conditions ask
/// of the caller is not known.
pub(super) fn locks_out(document: &Document, target: Target<'_>, account: &str) -> bool {
    document.statements.iter().any(|statement| {
        let is_about =
            |list: &Option<Vec<String>>, not: &Option<Vec<String>>, test: &dyn Fn(&str) -> bool| {
                match (list, not) {
                    (Some(list), _) => list.iter().any(|one| test(one)),
                    (None, Some(not)) => !not.iter().any(|one| test(one)),
                    (None, None) => false,
                }
            };
        let own = |principal: &Principal| {
            is_everyone(principal)
                || match principal {
                    Principal::Everyone => true,
                    Principal::Listed(kinds) => kinds.iter().any(|(kind, names)| {
                        let root = format!(":iam::{account}:root");
                        let is_own = |name: &String| name == account || name.ends_with(&root);
                        kind == "AWS" && names.iter().any(is_own)
                    }),
                }
        };
        let principal = match (&statement.principal, &statement.not_principal) {
            (Some(principal), _) => own(principal),
            (None, Some(not)) => !own(not),
            (None, None) => false,
        };
        !statement.allows()
            && statement.condition.is_none()
            && principal
            && is_about(&statement.action, &statement.not_action, &|name| {
                covers(name, "PutResourcePolicy")
            })
            && is_about(&statement.resource, &statement.not_resource, &|resource| {
                matches(resource, target.arn)
            })
    })
}
