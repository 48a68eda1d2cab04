//! The regular expressions of the API model.
//!
//! There are eleven, and each is a line of code here: no engine, and no surprise in how long one
//! takes on a client's text. The text of the expression is what messages show.

/// A pattern of the model: how it is shown, and which texts it matches as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    /// The expression, as Java has it.
    pub text: &'static str,
    matches: fn(&str) -> bool,
}

impl Pattern {
    /// Whether all of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        (self.matches)(text)
    }
}

/// Names of tables, indexes and backups.
pub static NAME: Pattern = Pattern {
    text: "[a-zA-Z0-9_.-]+",
    matches: |text| {
        some_of(text, |b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')
        })
    },
};

/// Names of auto scaling policies.
pub static PRINTABLE: Pattern = Pattern {
    text: r"\p{Print}+",
    matches: |text| some_of(text, |b| matches!(b, b' '..=b'~')),
};

/// ARNs of auto scaling roles: the characters that XML allows.
pub static TEXT: Pattern = Pattern {
    text: "[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*",
    matches: |text| {
        text.chars()
            .all(|c| matches!(c, '\r' | '\n' | '\t' | '\u{20}'..='\u{fffd}') || c > '\u{ffff}')
    },
};

/// Tokens of pages of imports and bulk operations.
pub static HEX_WORDS: Pattern = Pattern {
    text: "([0-9a-f]{16})+",
    matches: |text| some_of(text, hexadecimal) && text.len().is_multiple_of(16),
};

/// Client tokens.
pub static NO_DOLLAR: Pattern = Pattern {
    text: r"^[^\$]+$",
    matches: |text| some_of(text, |b| b != b'$'),
};

/// Names of Contributor Insights rules.
pub static INSIGHTS_RULE: Pattern = Pattern {
    text: r"[A-Za-z0-9][A-Za-z0-9\-\_\.]{0,126}[A-Za-z0-9]",
    matches: |text| {
        (2..=128).contains(&text.len())
            && (NAME.matches)(text)
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
    },
};

/// What separates the fields of an import.
pub static CSV_DELIMITER: Pattern = Pattern {
    text: r"[,;:|\t ]",
    matches: |text| matches!(text, "," | ";" | ":" | "|" | "\t" | " "),
};

/// Names of an import's columns.
pub static CSV_HEADER: Pattern = Pattern {
    text: r"[\x20-\x21\x23-\x2B\x2D-\x7E]*",
    matches: |text| {
        text.bytes()
            .all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x2b | 0x2d..=0x7e))
    },
};

/// Names of S3 buckets.
pub static BUCKET: Pattern = Pattern {
    text: r"^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$",
    matches: |text| {
        text.len() >= 2
            && (NAME.matches)(text)
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
    },
};

/// Account ids.
pub static ACCOUNT: Pattern = Pattern {
    text: "[0-9]{12}",
    matches: |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()),
};

/// Ids of tables.
pub static UUID: Pattern = Pattern {
    text: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    matches: |text| {
        let mut lengths = [8, 4, 4, 4, 12].into_iter();
        let part = |part: &str| lengths.next() == Some(part.len()) && part.bytes().all(hexadecimal);
        text.len() == 36 && text.split('-').all(part)
    },
};

fn hexadecimal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// At least one byte, and all of a kind.
fn some_of(text: &str, kind: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_matches_what_its_expression_says() {
        let cases: [(&Pattern, &[&str], &[&str]); 11] = [
            (&NAME, &["a", "Music-2_b.c"], &["", "a b", "é", "arn:x"]),
            (&PRINTABLE, &[" ", "a~"], &["", "\n", "é"]),
            (&TEXT, &["", "é\r\n\t", "\u{1f600}"], &["\u{1}", "\u{fffe}"]),
            (
                &HEX_WORDS,
                &["0123456789abcdef"],
                &["", "0123456789abcde", "0123456789ABCDEF"],
            ),
            (&NO_DOLLAR, &["a", "é\n"], &["", "a$"]),
            (&INSIGHTS_RULE, &["ab", "a-._b"], &["a", "-a", "a-", ""]),
            (&CSV_DELIMITER, &[",", "\t", " "], &["", ",,", "x"]),
            (&CSV_HEADER, &["", "a b"], &["a,b", "a\"b", "é"]),
            (&BUCKET, &["ab", "my.bucket-1"], &["a", ".a", "a.", "a b"]),
            (
                &ACCOUNT,
                &["123456789012"],
                &["12345678901", "1234567890123", "12345678901a"],
            ),
            (
                &UUID,
                &["01234567-89ab-cdef-0123-456789abcdef"],
                &[
                    "",
                    "01234567-89ab-cdef-0123-456789abcdeg",
                    "0123456789ab-cdef-0123-4567-89abcdef",
                ],
            ),
        ];
        for (pattern, matching, others) in cases {
            for text in matching {
                assert!(
                    pattern.matches(text),
                    "{} does not match {text:?}",
                    pattern.text
                );
            }
            for text in others {
                assert!(!pattern.matches(text), "{} matches {text:?}", pattern.text);
            }
        }
    }
}
