//! Namespaces and Amazon resource names.

use std::{fmt, sync::Arc};

use thiserror::Error;

/// Where a table name is unique: one account in one Region.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace {
    /// Account id, twelve digits by default.
    pub account: Arc<str>,
    /// Region, for instance `us-east-1`.
    pub region: Arc<str>,
}

impl Namespace {
    /// The namespace of `account` in `region`.
    pub fn new(account: impl Into<Arc<str>>, region: impl Into<Arc<str>>) -> Self {
        Self {
            account: account.into(),
            region: region.into(),
        }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "account {} in Region {}", self.account, self.region)
    }
}

/// ARN of the table `name` in `namespace`.
///
/// The partition of China's and the US government's Regions follows from the Region's name (IAM
/// user guide, "Amazon Resource Names").
pub fn table_arn(namespace: &Namespace, name: &str) -> String {
    let region = &*namespace.region;
    let partition = partition(region);
    format!(
        "arn:{partition}:dynamodb:{region}:{}:table/{name}",
        namespace.account
    )
}

/// ARN of the root of `account`, for whom something in `region` is meant.
pub fn root_arn(region: &str, account: &str) -> String {
    format!("arn:{}:iam::{account}:root", partition(region))
}

fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// Why a text is no ARN of a DynamoDB table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ArnError {
    /// It does not have the six parts of an ARN.
    #[error("it does not have the parts arn:partition:service:region:account:resource")]
    Shape,
    /// It names something of another service.
    #[error("its service is not dynamodb")]
    Service,
    /// It names something else than a table or a part of one.
    #[error("its resource is not a table")]
    Resource,
}

/// A parsed ARN of a table, or of an index, stream, backup or the like below a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// Region.
    pub region: &'a str,
    /// Account id.
    pub account: &'a str,
    /// Name of the table, not checked against the rules for names.
    pub table: &'a str,
    /// What follows the table's name, without the slash: `index/by-date`, for instance.
    pub below: Option<&'a str>,
}

impl<'a> Arn<'a> {
    /// Parses `text`.
    pub fn parse(text: &'a str) -> Result<Self, ArnError> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or(ArnError::Shape);
        let (scheme, partition, service, region, account, resource) =
            (next()?, next()?, next()?, next()?, next()?, next()?);
        if scheme != "arn" || partition.is_empty() {
            return Err(ArnError::Shape);
        }
        if service != "dynamodb" {
            return Err(ArnError::Service);
        }
        let path = resource.strip_prefix("table/").ok_or(ArnError::Resource)?;
        let (table, below) = match path.split_once('/') {
            Some((table, below)) => (table, Some(below)),
            None => (path, None),
        };
        if table.is_empty() {
            return Err(ArnError::Resource);
        }
        Ok(Self {
            region,
            account,
            table,
            below,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_tables_are_built_and_parsed() {
        let namespace = Namespace::new("123456789012", "eu-west-1");
        let arn = table_arn(&namespace, "Movies");
        assert_eq!(arn, "arn:aws:dynamodb:eu-west-1:123456789012:table/Movies");
        let parsed = Arn::parse(&arn).unwrap();
        assert_eq!(
            (parsed.account, parsed.region),
            ("123456789012", "eu-west-1")
        );
        assert_eq!((parsed.table, parsed.below), ("Movies", None));
    }

    #[test]
    fn the_partition_follows_the_region() {
        let china = Namespace::new("1", "cn-north-1");
        assert_eq!(
            table_arn(&china, "t"),
            "arn:aws-cn:dynamodb:cn-north-1:1:table/t"
        );
        let government = Namespace::new("1", "us-gov-west-1");
        assert_eq!(
            table_arn(&government, "t"),
            "arn:aws-us-gov:dynamodb:us-gov-west-1:1:table/t"
        );
    }

    #[test]
    fn what_lies_below_a_table_is_kept() {
        let arn = "arn:aws:dynamodb:us-east-1:1:table/t/stream/2026-11-22T10:00:00.000";
        let parsed = Arn::parse(arn).unwrap();
        assert_eq!(parsed.below, Some("stream/2026-11-22T10:00:00.000"));
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        assert_eq!(Arn::parse("not-a-valid-arn"), Err(ArnError::Shape));
        assert_eq!(Arn::parse("arn:aws:s3:::bucket/x"), Err(ArnError::Service));
        assert_eq!(
            Arn::parse("arn:aws:dynamodb:r:a:backup/x"),
            Err(ArnError::Resource)
        );
        assert_eq!(
            Arn::parse("arn:aws:dynamodb:r:a:table/"),
            Err(ArnError::Resource)
        );
    }
}
