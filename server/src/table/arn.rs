//! Namespaces, and the Amazon resource names of what is in them.

use std::{fmt, ops::Deref, sync::Arc};

/// Where a table name is unique: one account in one Region. A clone is the same one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace(Arc<Owner>);

/// Whose tables those of a namespace are.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// Account id, twelve digits by default.
    pub account: Arc<str>,
    /// Region, for instance `us-east-1`.
    pub region: Arc<str>,
}

impl Deref for Namespace {
    type Target = Owner;

    fn deref(&self) -> &Owner {
        &self.0
    }
}

impl Namespace {
    /// The namespace of `account` in `region`.
    pub fn new(account: impl Into<Arc<str>>, region: impl Into<Arc<str>>) -> Self {
        Self(Arc::new(Owner {
            account: account.into(),
            region: region.into(),
        }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Arn;

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
}
