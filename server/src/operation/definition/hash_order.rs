//! The order in which DynamoDB's messages list attribute names.
//!
//! Two of its messages list sets of names, and they come in the order of a hash set of the JVM that
//! serves DynamoDB: neither as they were sent nor sorted. The order is a function of the names and
//! of the set's capacity, so that it can be had here too. Checked against messages of DynamoDB that
//! were recorded: see the tests.

/// `names` in the order of a hash map that was created for `expected` entries.
pub(super) fn sized_map_order<'a>(names: &[&'a str], expected: usize) -> Vec<&'a str> {
    // The load factor is 3/4: a map created for n entries has the first power of two that holds
    // them without growing, and never fewer than two.
    let mut buckets = 2;
    while buckets * 3 < expected * 4 {
        buckets *= 2;
    }
    order(names, buckets)
}

/// `names` in the order of a hash set of default capacity.
pub(super) fn default_set_order<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut buckets = 16;
    while buckets * 3 < names.len() * 4 {
        buckets *= 2;
    }
    order(names, buckets)
}

/// `names`, each once, by bucket, and within a bucket as they were put in.
fn order<'a>(names: &[&'a str], buckets: usize) -> Vec<&'a str> {
    let mut ordered: Vec<&str> = Vec::with_capacity(names.len());
    for name in names {
        if !ordered.contains(name) {
            ordered.push(name);
        }
    }
    ordered.sort_by_key(|name| spread(name) as usize & (buckets - 1));
    ordered
}

/// Hash of a string on the JVM, over its UTF-16 units, with the high bits mixed in as its hash maps
/// do.
fn spread(name: &str) -> u32 {
    let hash = name.encode_utf16().fold(0u32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    });
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of DynamoDB as users reported them: aws/aws-sdk-java issue 335,
    /// agno-agi/agno issue 4769, DDB-TABLE-127, and others.
    #[test]
    fn recorded_messages_have_this_order() {
        for (definitions, used) in [
            (&["index", "hash", "extra"][..], &["index", "hash"][..]),
            (
                &["my-string", "my-int", "my-hash"],
                &["my-hash", "my-string"],
            ),
            (&["sk", "a", "b", "pk", "c"], &["a", "sk", "pk"]),
        ] {
            let mut sorted = definitions.to_vec();
            sorted.sort_unstable();
            // Within a bucket the order is that of the request, which the reports do not give.
            let reached = [&sorted, &definitions.to_vec()]
                .iter()
                .any(|sent| sized_map_order(sent, sent.len()) == definitions);
            assert!(
                reached,
                "{definitions:?}: {:?}",
                sized_map_order(&sorted, sorted.len())
            );
            assert_eq!(default_set_order(used), used);
        }
        let agno = [
            "status_message",
            "metadata",
            "description",
            "created_at",
            "access_count",
            "external_id",
            "type",
            "size",
            "updated_at",
            "name",
            "id",
            "linked_to",
            "status",
        ];
        assert_eq!(sized_map_order(&agno, agno.len()), agno);
        assert_eq!(
            default_set_order(&["user_id", "created_at"]),
            ["user_id", "created_at"]
        );
    }

    #[test]
    fn a_name_is_listed_once() {
        assert_eq!(default_set_order(&["pk", "pk"]), ["pk"]);
    }
}
