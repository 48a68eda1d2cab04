//! What the front itself refuses, before any operation sees the request.

use bytes::Bytes;
use hyper::StatusCode;

use crate::wire::json::Writer;

/// A request that does not reach an operation, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// The body is not JSON, or the connection ended in the middle of it.
    Malformed,
    /// No operation has that target.
    UnknownOperation,
    /// Neither an `Authorization` header nor a signature in the query string.
    MissingToken,
    /// A signature in both places.
    SignedTwice,
    /// A signature of which a part is missing; the text names it.
    IncompleteSignature(String),
    /// The access key is empty.
    UnrecognizedClient,
    /// The request comes from a web page that is not this machine's.
    ForeignOrigin(String),
    /// The operation panicked; the log has the details.
    InternalFailure,
}

impl Rejection {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::ForeignOrigin(_) => StatusCode::FORBIDDEN,
            Self::InternalFailure => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Malformed => "com.amazon.coral.service#SerializationException",
            Self::UnknownOperation => "com.amazon.coral.service#UnknownOperationException",
            Self::MissingToken => "com.amazon.coral.service#MissingAuthenticationTokenException",
            Self::SignedTwice => "com.amazon.coral.service#InvalidSignatureException",
            Self::IncompleteSignature(_) => "com.amazon.coral.service#IncompleteSignatureException",
            Self::UnrecognizedClient => "com.amazon.coral.service#UnrecognizedClientException",
            Self::ForeignOrigin(_) => "com.amazon.coral.service#AccessDeniedException",
            Self::InternalFailure => "com.amazonaws.dynamodb.v20120810#InternalServerError",
        }
    }

    /// The message, or nothing for the two errors that DynamoDB sends without one.
    fn message(&self) -> Option<&str> {
        match self {
            Self::Malformed | Self::UnknownOperation => None,
            Self::MissingToken => Some("Request is missing Authentication Token"),
            Self::SignedTwice => Some(
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as \
                 HTTP header.",
            ),
            Self::IncompleteSignature(message) | Self::ForeignOrigin(message) => Some(message),
            Self::UnrecognizedClient => {
                Some("The security token included in the request is invalid.")
            }
            Self::InternalFailure => Some("Internal server error"),
        }
    }

    /// The JSON envelope.
    pub(super) fn body(&self) -> Bytes {
        let mut writer = Writer::new();
        writer.begin_object();
        writer.key("__type");
        writer.string(self.type_name());
        if let Some(message) = self.message() {
            writer.key("message");
            writer.string(message);
        }
        writer.end_object();
        writer.into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_a_message_has_only_its_type() {
        assert_eq!(
            Rejection::UnknownOperation.body(),
            r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#
        );
    }

    #[test]
    fn what_came_from_the_request_is_escaped() {
        let body = Rejection::IncompleteSignature("a\"b\\c\td".to_owned()).body();
        let parsed: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(parsed["message"], "a\"b\\c\td");
    }
}
