//! The operations of the API model.

include!(concat!(env!("OUT_DIR"), "/operation.rs"));

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_operations_are_found_by_their_target() {
        assert_eq!(Operation::ALL.len(), 66);
        for operation in Operation::ALL {
            assert_eq!(Operation::from_target(&operation.target()), Some(operation));
        }
    }

    #[test]
    fn a_target_has_to_be_whole() {
        for target in [
            "",
            "PutItem",
            "DynamoDB_20120810.",
            "DynamoDB_20120810.PutItems",
            "DynamoDB_20120810.putItem",
            "DynamoDBStreams_20120810.PutItem",
            "DynamoDB_20120810.GetRecords",
            "DynamoDB_20111205.PutItem",
        ] {
            assert_eq!(Operation::from_target(target), None, "{target}");
        }
    }
}
