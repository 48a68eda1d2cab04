//! Expression text to tokens: one lexer for all five kinds of expression.
//!
//! A token is a kind and the bytes it covers; keywords are identifiers here, since which words are
//! keywords depends on the grammar. The lexer never fails: what is no token of the language (a stray
//! `!`, a lone `#`, an underscore that begins a name, a letter outside ASCII) becomes a token of kind
//! [`Kind::Other`], so that an error in front of it is reported before it, as DynamoDB does.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A letter, then letters, digits and underscores.
    Identifier,
    /// `#` and at least one letter, digit or underscore.
    Name,
    /// `:` and at least one letter, digit or underscore.
    Value,
    /// Digits.
    Number,
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// One character that begins no token.
    Other,
    /// Behind the last token.
    End,
}

/// A token and where it stands: `start..end` in the text's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Splits the text. The last token is always [`Kind::End`].
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len() / 3 + 2);
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let start = text.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            tokens.push(Token {
                kind: Kind::End,
                start,
                end: start,
            });
            return tokens;
        };
        let (kind, length) = token(first, rest);
        tokens.push(Token {
            kind,
            start,
            end: start + length,
        });
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// The token at the start of `rest`, and its length in bytes.
fn token(first: char, rest: &str) -> (Kind, usize) {
    let second = rest.as_bytes().get(1).copied();
    match first {
        'a'..='z' | 'A'..='Z' => (Kind::Identifier, run(rest, is_word)),
        '0'..='9' => (Kind::Number, run(rest, |b| b.is_ascii_digit())),
        '#' | ':' => match run(rest.get(1..).unwrap_or_default(), is_word) {
            0 => (Kind::Other, 1),
            length if first == '#' => (Kind::Name, 1 + length),
            length => (Kind::Value, 1 + length),
        },
        '=' => (Kind::Equal, 1),
        '<' if second == Some(b'>') => (Kind::NotEqual, 2),
        '<' if second == Some(b'=') => (Kind::LessOrEqual, 2),
        '<' => (Kind::Less, 1),
        '>' if second == Some(b'=') => (Kind::GreaterOrEqual, 2),
        '>' => (Kind::Greater, 1),
        '+' => (Kind::Plus, 1),
        '-' => (Kind::Minus, 1),
        '(' => (Kind::Open, 1),
        ')' => (Kind::Close, 1),
        '[' => (Kind::OpenBracket, 1),
        ']' => (Kind::CloseBracket, 1),
        ',' => (Kind::Comma, 1),
        '.' => (Kind::Dot, 1),
        other => (Kind::Other, other.len_utf8()),
    }
}

/// The bytes of names and placeholders behind their first.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many bytes at the start satisfy the predicate.
fn run(text: &str, predicate: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| predicate(*byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(Kind, &str)> {
        tokens(text)
            .into_iter()
            .map(|t| (t.kind, &text[t.start..t.end]))
            .collect()
    }

    #[test]
    fn splits_what_the_language_has() {
        assert_eq!(
            split("a_1.#b[02]<>:c"),
            [
                (Kind::Identifier, "a_1"),
                (Kind::Dot, "."),
                (Kind::Name, "#b"),
                (Kind::OpenBracket, "["),
                (Kind::Number, "02"),
                (Kind::CloseBracket, "]"),
                (Kind::NotEqual, "<>"),
                (Kind::Value, ":c"),
                (Kind::End, ""),
            ]
        );
        assert_eq!(
            split("<=>=< > =")
                .into_iter()
                .map(|(kind, _)| kind)
                .collect::<Vec<_>>(),
            [
                Kind::LessOrEqual,
                Kind::GreaterOrEqual,
                Kind::Less,
                Kind::Greater,
                Kind::Equal,
                Kind::End
            ]
        );
    }

    /// `set _something = :x` and `ADD hits : incr` fail at these tokens (aws-sdk-js issue 1691,
    /// aws-cdk issue 7591).
    #[test]
    fn keeps_what_it_does_not_know_as_single_characters() {
        assert_eq!(
            split("_a")[..2],
            [(Kind::Other, "_"), (Kind::Identifier, "a")]
        );
        assert_eq!(
            split(": incr")[..2],
            [(Kind::Other, ":"), (Kind::Identifier, "incr")]
        );
        assert_eq!(split("#,")[..2], [(Kind::Other, "#"), (Kind::Comma, ",")]);
        assert_eq!(split("é!")[..2], [(Kind::Other, "é"), (Kind::Other, "!")]);
        assert_eq!(
            split("2017-10")[..2],
            [(Kind::Number, "2017"), (Kind::Minus, "-")]
        );
        assert_eq!(split(" \t\r\n"), [(Kind::End, "")]);
    }
}
