//! Amazon resource names of tables, and of what is below them.

use thiserror::Error;

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
    Resource {
        /// Whether what it names has a type, `backup/x` for instance, which is not `table`.
        typed: bool,
    },
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
        // Most of what is looked at here is the name of a table.
        if !text.starts_with("arn:") {
            return Err(ArnError::Shape);
        }
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or(ArnError::Shape);
        let (_, partition, service, region, account, resource) =
            (next()?, next()?, next()?, next()?, next()?, next()?);
        if partition.is_empty() {
            return Err(ArnError::Shape);
        }
        if service != "dynamodb" {
            return Err(ArnError::Service);
        }
        let (kind, path) = resource
            .split_once('/')
            .ok_or(ArnError::Resource { typed: false })?;
        if kind != "table" {
            return Err(ArnError::Resource { typed: true });
        }
        let (table, below) = match path.split_once('/') {
            Some((table, below)) => (table, Some(below)),
            None => (path, None),
        };
        if table.is_empty() {
            return Err(ArnError::Resource { typed: false });
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
            Err(ArnError::Resource { typed: true })
        );
        assert_eq!(
            Arn::parse("arn:aws:dynamodb:r:a:table/"),
            Err(ArnError::Resource { typed: false })
        );
    }
}
