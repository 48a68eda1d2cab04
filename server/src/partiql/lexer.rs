//! Text to tokens.

use std::borrow::Cow;

use super::{ast::Position, error::StatementError, keywords::is_keyword};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word of the language. The token's text is in lower case.
    Keyword,
    /// A bare name.
    Identifier,
    /// A name in double quotes, without them.
    Quoted,
    /// A string in single quotes, without them.
    String,
    /// A number without its sign, as written.
    Number,
    /// `=`, `<`, `+`, `.`, `(`, `<<` and so on. `!=` reads `<>`.
    Symbol,
    /// The end of the text.
    End,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: Cow<'a, str>,
    pub(super) at: Position,
}

/// Longer symbols before those they begin with.
const SYMBOLS: &[&str] = &[
    "<<", ">>", "<=", ">=", "<>", "!=", "||", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")",
    "[", "]", "{", "}", ",", ".", ":", ";", "?",
];

/// All tokens of a text, the last of which is its end.
///
/// # Errors
/// What is no token, answered without any detail.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, StatementError> {
    let mut lexer = Lexer {
        rest: text,
        line: 1,
        column: 1,
    };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        let end = token.kind == Kind::End;
        tokens.push(token);
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    rest: &'a str,
    /// Both count characters, from 1.
    line: u32,
    column: u32,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Result<Token<'a>, StatementError> {
        self.skip_blanks()?;
        let (line, column, before) = (self.line, self.column, self.rest);
        let (kind, text) = self.token()?;
        let read = before.len() - self.rest.len();
        let written = before.get(..read).unwrap_or_default();
        let length = u32::try_from(written.chars().count()).unwrap_or(u32::MAX);
        let at = Position {
            line,
            column,
            length,
        };
        Ok(Token { kind, text, at })
    }

    /// Steps over that many bytes.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        for character in taken.chars() {
            if character == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.rest = rest;
        taken
    }

    /// Steps over the bytes up to the first that is none of these.
    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a str {
        let length = self.rest.bytes().position(|byte| !accept(byte));
        self.take(length.unwrap_or(self.rest.len()))
    }

    /// Steps over spaces and comments.
    fn skip_blanks(&mut self) -> Result<(), StatementError> {
        loop {
            self.take_while(|byte| byte.is_ascii_whitespace());
            if self.rest.starts_with("--") {
                self.take_while(|byte| byte != b'\n');
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                let end = comment.find("*/").ok_or(StatementError::Unreadable)?;
                self.take(end + 4);
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<(Kind, Cow<'a, str>), StatementError> {
        let mut bytes = self.rest.bytes();
        let (Some(first), second) = (bytes.next(), bytes.next()) else {
            return Ok((Kind::End, Cow::Borrowed("")));
        };
        match first {
            b'\'' => Ok((Kind::String, self.quoted('\'')?)),
            b'"' => Ok((Kind::Quoted, self.quoted('"')?)),
            b'0'..=b'9' => self.number(),
            b'.' if second.is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            _ if is_word(first) => Ok(self.word()),
            _ => self.symbol(),
        }
    }

    /// Text in quotes, which stand doubled within it.
    fn quoted(&mut self, quote: char) -> Result<Cow<'a, str>, StatementError> {
        self.take(1);
        let mut text = Cow::Borrowed("");
        loop {
            let end = self.rest.find(quote).ok_or(StatementError::Unreadable)?;
            let part = self.take(end);
            self.take(1);
            if text.is_empty() {
                text = Cow::Borrowed(part);
            } else {
                text.to_mut().push_str(part);
            }
            if !self.rest.starts_with(quote) {
                return Ok(text);
            }
            self.take(1);
            text.to_mut().push(quote);
        }
    }

    /// Digits, a point and an exponent. The scale that they come to has 32 bits.
    fn number(&mut self) -> Result<(Kind, Cow<'a, str>), StatementError> {
        let start = self.rest;
        self.take_while(|byte| byte.is_ascii_digit());
        let mut scale = 0;
        if self.rest.starts_with('.') {
            self.take(1);
            let fraction = self.take_while(|byte| byte.is_ascii_digit());
            scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
        }
        if self.rest.starts_with(['e', 'E']) {
            self.take(1);
            let sign = if self.rest.starts_with(['+', '-']) {
                self.take(1)
            } else {
                ""
            };
            let digits = self.take_while(|byte| byte.is_ascii_digit());
            let exponent: i32 = format!("{sign}{digits}")
                .parse()
                .map_err(|_| StatementError::Unreadable)?;
            scale = scale.saturating_sub(i64::from(exponent));
        }
        let followed = self.rest.bytes().next().is_some_and(is_word);
        if followed || i32::try_from(scale).is_err() {
            return Err(StatementError::Unreadable);
        }
        let text = start.get(..start.len() - self.rest.len());
        Ok((Kind::Number, Cow::Borrowed(text.unwrap_or_default())))
    }

    fn word(&mut self) -> (Kind, Cow<'a, str>) {
        let text = self.take_while(|byte| is_word(byte) || byte.is_ascii_digit());
        let lower = text.to_ascii_lowercase();
        if is_keyword(&lower) {
            (Kind::Keyword, Cow::Owned(lower))
        } else {
            (Kind::Identifier, Cow::Borrowed(text))
        }
    }

    fn symbol(&mut self) -> Result<(Kind, Cow<'a, str>), StatementError> {
        let symbol = SYMBOLS
            .iter()
            .find(|symbol| self.rest.starts_with(**symbol))
            .ok_or(StatementError::Unreadable)?;
        self.take(symbol.len());
        let text = if *symbol == "!=" { "<>" } else { symbol };
        Ok((Kind::Symbol, Cow::Borrowed(text)))
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Kind, String)> {
        let tokens = tokens(text).unwrap();
        let shown = tokens
            .iter()
            .map(|token| (token.kind, token.text.to_string()));
        shown.collect()
    }

    #[test]
    fn quotes_stand_doubled() {
        let expected = [
            (Kind::String, "it's"),
            (Kind::String, "'"),
            (Kind::String, ""),
            (Kind::Quoted, "a\"b"),
            (Kind::End, ""),
        ];
        let expected = expected.map(|(kind, text)| (kind, text.to_owned()));
        assert_eq!(read(r#"'it''s' '''' '' "a""b""#), expected);
    }

    #[test]
    fn comments_are_blanks() {
        let kinds: Vec<Kind> = read("a -- b\n/* c\n */d").iter().map(|(k, _)| *k).collect();
        assert_eq!(kinds, [Kind::Identifier, Kind::Identifier, Kind::End]);
    }

    #[test]
    fn positions_count_characters() {
        let tokens = tokens("'é' x\n  yy").unwrap();
        let at: Vec<String> = tokens.iter().map(|token| token.at.to_string()).collect();
        assert_eq!(at, ["1:1:3", "1:5:1", "2:3:2", "2:5:0"]);
    }

    #[test]
    fn numbers_have_a_scale_of_32_bits() {
        for text in [
            "1e2147483647",
            "1.",
            ".5",
            "1.5e-2147483646",
            "73100000e-1",
            "7.31E+6",
        ] {
            assert_eq!(read(text).first().unwrap().1, text);
        }
        for text in [
            "1e2147483648",
            "1e99999999999",
            "1.5e-2147483647",
            "1e",
            "1x",
            "'a",
            "#",
            "/*",
        ] {
            assert_eq!(tokens(text), Err(StatementError::Unreadable), "{text}");
        }
    }
}
