//! The pull parser.

use std::borrow::Cow;

use super::base64::decode_base64_append;
use super::error::{Expected, SerializationError, Token};
use super::scan::{number_length, plain_length};

/// How deep arrays and objects may nest. An item's 32 levels take 64, and the request around them a
/// few more; what is far beyond has no meaning in any operation.
pub const MAX_DEPTH: u32 = 512;

type Result<T> = std::result::Result<T, SerializationError>;

/// Reads one JSON text, value by value, in the order of the input.
///
/// The caller asks for what the shape has next; [`Reader::peek`] looks without consuming. After an
/// error the reader stands where the error was found and is of no further use.
///
/// ```
/// use stator::wire::json::Reader;
/// let mut reader = Reader::new(br#"{"Limit": 12, "TableName": "Music"}"#);
/// reader.begin_object()?;
/// while let Some(key) = reader.next_key()? {
///     match key.as_ref() {
///         "TableName" => assert_eq!(reader.string()?, "Music"),
///         _ => reader.skip()?,
///     }
/// }
/// reader.finish()?;
/// # Ok::<(), stator::wire::json::SerializationError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    /// The input up to its first byte that is no UTF-8.
    text: &'a str,
    /// Whether the input goes on behind `text`.
    cut: bool,
    position: usize,
    depth: u32,
    deepest: u32,
    /// Whether the current container has been opened and nothing of it been read.
    fresh: bool,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `input`. Input that is no UTF-8 is an error where the reader gets to
    /// that place.
    pub fn new(input: &'a [u8]) -> Self {
        let (text, cut) = match std::str::from_utf8(input) {
            Ok(text) => (text, false),
            Err(error) => {
                let valid = input.get(..error.valid_up_to()).unwrap_or_default();
                (std::str::from_utf8(valid).unwrap_or_default(), true)
            }
        };
        Self {
            text,
            cut,
            position: 0,
            depth: 0,
            deepest: 0,
            fresh: false,
        }
    }

    /// How many bytes are left to be read, of all that follows.
    pub fn remaining(&self) -> usize {
        self.text.len().saturating_sub(self.position)
    }

    /// The offset of the next byte to be read.
    pub fn position(&self) -> usize {
        self.position
    }

    /// How many arrays and objects are open.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// How many were open at once at most so far.
    pub fn deepest(&self) -> u32 {
        self.deepest
    }

    /// The kind of the value that comes next.
    pub fn peek(&mut self) -> Result<Token> {
        match self.next_byte() {
            Some(b'"') => Ok(Token::String),
            Some(b'{') => Ok(Token::Object),
            Some(b'[') => Ok(Token::Array),
            Some(b't') => Ok(Token::True),
            Some(b'f') => Ok(Token::False),
            Some(b'n') => Ok(Token::Null),
            Some(b'-' | b'0'..=b'9') => Ok(Token::Number),
            _ => Err(self.malformed()),
        }
    }

    /// Opens an object of which nothing more is known.
    pub fn begin_object(&mut self) -> Result<()> {
        self.begin_object_as(Expected::Structure("Object"))
    }

    /// Opens an object that holds what `expected` says; the error names it.
    pub fn begin_object_as(&mut self, expected: Expected) -> Result<()> {
        self.begin(b'{', expected)
    }

    /// Opens an array of which nothing more is known.
    pub fn begin_array(&mut self) -> Result<()> {
        self.begin_array_as(Expected::List("java.util.List"))
    }

    /// Opens an array that holds what `expected` says; the error names it.
    pub fn begin_array_as(&mut self, expected: Expected) -> Result<()> {
        self.begin(b'[', expected)
    }

    /// The next member's name, with the colon behind it read; `None` closes the object.
    pub fn next_key(&mut self) -> Result<Option<Cow<'a, str>>> {
        match self.next_byte() {
            Some(b'}') => {
                self.end();
                return Ok(None);
            }
            Some(b',') if !self.fresh => self.position += 1,
            Some(b'"') if self.fresh => {}
            _ => return Err(self.malformed()),
        }
        if self.next_byte() != Some(b'"') {
            return Err(self.malformed());
        }
        self.fresh = false;
        let key = self.quoted()?;
        if self.next_byte() != Some(b':') {
            return Err(self.malformed());
        }
        self.position += 1;
        Ok(Some(key))
    }

    /// Whether another element follows; `false` closes the array.
    pub fn next_element(&mut self) -> Result<bool> {
        match self.next_byte() {
            Some(b']') => {
                self.end();
                return Ok(false);
            }
            Some(b',') if !self.fresh => {
                self.position += 1;
                // A trailing comma.
                if self.next_byte() == Some(b']') {
                    return Err(self.malformed());
                }
            }
            Some(_) if self.fresh => {}
            _ => return Err(self.malformed()),
        }
        self.fresh = false;
        Ok(true)
    }

    /// A string: borrowed from the input when it holds no escape.
    pub fn string(&mut self) -> Result<Cow<'a, str>> {
        match self.peek()? {
            Token::String => self.quoted(),
            found => Err(self.unexpected(Expected::String, found)),
        }
    }

    /// A number, as the text of the input.
    pub fn number(&mut self) -> Result<&'a str> {
        self.number_as(Expected::Double)
    }

    /// A whole number of 64 bits. A fraction is cut off, as DynamoDB does.
    pub fn integer(&mut self, expected: Expected) -> Result<i64> {
        let text = self.number_as(expected)?;
        if let Ok(value) = text.parse::<i64>() {
            return Ok(value);
        }
        match text.parse::<f64>() {
            // Both bounds are powers of two and so exact.
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the value is in range; the fraction is what is cut off"
            )]
            Ok(value)
                if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) =>
            {
                Ok(value as i64)
            }
            _ => Err(SerializationError::OutOfRange(expected)),
        }
    }

    /// A number with a fraction.
    pub fn double(&mut self, expected: Expected) -> Result<f64> {
        let value = self.number_as(expected)?.parse::<f64>().ok();
        value
            .filter(|value| value.is_finite())
            .ok_or(SerializationError::OutOfRange(expected))
    }

    /// `true` or `false`. As in DynamoDB, the strings "true", "yes", "1" and "false", "no", "0" will
    /// do, in any case.
    pub fn boolean(&mut self) -> Result<bool> {
        match self.peek()? {
            Token::True => self.word("true").map(|()| true),
            Token::False => self.word("false").map(|()| false),
            Token::String => {
                let text = self.quoted()?;
                let is =
                    |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
                if is(["true", "yes", "1"]) {
                    Ok(true)
                } else if is(["false", "no", "0"]) {
                    Ok(false)
                } else {
                    Err(self.unexpected(Expected::Boolean, Token::String))
                }
            }
            found => Err(self.unexpected(Expected::Boolean, found)),
        }
    }

    /// `null`. Any other value is malformed: who can take others peeks first.
    pub fn null(&mut self) -> Result<()> {
        match self.peek()? {
            Token::Null => self.word("null"),
            _ => Err(self.malformed()),
        }
    }

    /// Reads a `null` if that is what comes next, and says whether it did.
    pub fn take_null(&mut self) -> Result<bool> {
        if self.peek()? != Token::Null {
            return Ok(false);
        }
        self.word("null").map(|()| true)
    }

    /// A blob: a string in base64.
    pub fn blob(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.blob_append(&mut bytes)?;
        Ok(bytes)
    }

    /// A blob, appended to `out`. On an error `out` is as it was.
    pub fn blob_append(&mut self, out: &mut Vec<u8>) -> Result<()> {
        match self.peek()? {
            Token::String => decode_base64_append(&self.quoted()?, out),
            found => Err(self.unexpected(Expected::Blob, found)),
        }
    }

    /// Reads over one value of any kind, checking that it is JSON.
    pub fn skip(&mut self) -> Result<()> {
        // One bit per open container: whether it is an object. MAX_DEPTH bounds it.
        let mut objects = [0_u64; (MAX_DEPTH as usize).div_ceil(64)];
        let base = self.depth;
        loop {
            let opened = match self.peek()? {
                Token::Object => Some(true),
                Token::Array => Some(false),
                Token::String => self.skip_quoted().map(|()| None)?,
                Token::Number | Token::Decimal => self.number().map(|_| None)?,
                Token::True | Token::False => self.boolean().map(|_| None)?,
                Token::Null => self.null().map(|()| None)?,
            };
            if let Some(object) = opened {
                if object {
                    self.begin_object()?
                } else {
                    self.begin_array()?
                }
                let (word, bit) = place(self.depth - base - 1);
                if let Some(word) = objects.get_mut(word) {
                    *word = if object { *word | bit } else { *word & !bit };
                }
            }
            // Close what ends here; stop at the next value, or when the one asked for is complete.
            loop {
                if self.depth == base {
                    return Ok(());
                }
                let (word, bit) = place(self.depth - base - 1);
                let object = objects.get(word).is_some_and(|word| word & bit != 0);
                let more = if object {
                    self.skip_key()?
                } else {
                    self.next_element()?
                };
                if more {
                    break;
                }
            }
        }
    }

    /// Ends the text: only white space may follow.
    pub fn finish(mut self) -> Result<()> {
        match self.next_byte() {
            None if !self.cut && self.depth == 0 => Ok(()),
            _ => Err(self.malformed()),
        }
    }

    fn begin(&mut self, open: u8, expected: Expected) -> Result<()> {
        let found = self.peek()?;
        if self.byte() != Some(open) {
            return Err(self.unexpected(expected, found));
        }
        if self.depth >= MAX_DEPTH {
            return Err(SerializationError::TooDeep);
        }
        self.position += 1;
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        self.fresh = true;
        Ok(())
    }

    fn end(&mut self) {
        self.position += 1;
        self.depth = self.depth.saturating_sub(1);
        self.fresh = false;
    }

    /// The error of a value of another kind than was expected, which is the next.
    fn unexpected(&self, expected: Expected, found: Token) -> SerializationError {
        let rest = self.rest();
        let number = rest
            .get(..number_length(rest).unwrap_or_default())
            .unwrap_or_default();
        let decimal =
            found == Token::Number && number.iter().any(|b| matches!(b, b'.' | b'e' | b'E'));
        let found = if decimal { Token::Decimal } else { found };
        SerializationError::Unexpected { expected, found }
    }

    fn malformed(&self) -> SerializationError {
        SerializationError::Malformed {
            offset: self.position,
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text
            .as_bytes()
            .get(self.position..)
            .unwrap_or_default()
    }

    /// The next byte that is no white space, not consumed.
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte()?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.position += 1;
        }
    }

    fn word(&mut self, word: &str) -> Result<()> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.malformed());
        }
        self.position += word.len();
        // "nullx" is no JSON; what may follow a value is for the container to say.
        match self.byte() {
            Some(byte) if byte.is_ascii_alphanumeric() || byte == b'_' => Err(self.malformed()),
            _ => Ok(()),
        }
    }

    fn number_as(&mut self, expected: Expected) -> Result<&'a str> {
        let found = self.peek()?;
        if found != Token::Number {
            return Err(self.unexpected(expected, found));
        }
        let start = self.position;
        let length = number_length(self.rest());
        self.position += length.unwrap_or_default();
        match (length, self.byte()) {
            (None, _) => Err(self.malformed()),
            // "01" and "1x" are no JSON.
            (_, Some(byte))
                if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-') =>
            {
                Err(self.malformed())
            }
            _ => Ok(self.text.get(start..self.position).unwrap_or_default()),
        }
    }

    /// The string whose opening quote is the next byte.
    fn quoted(&mut self) -> Result<Cow<'a, str>> {
        self.position += 1;
        let start = self.position;
        self.position += plain_length(self.rest());
        let head = self.text.get(start..self.position).unwrap_or_default();
        if self.byte() == Some(b'"') {
            self.position += 1;
            return Ok(Cow::Borrowed(head));
        }
        self.escaped(head).map(Cow::Owned)
    }

    /// The rest of a string that has an escape, or an error, at the position.
    fn escaped(&mut self, head: &str) -> Result<String> {
        let mut text = String::with_capacity(head.len() + 32);
        text.push_str(head);
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.position += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                // The end, or a control character, which JSON forbids.
                _ => return Err(self.malformed()),
            }
            let start = self.position;
            self.position += plain_length(self.rest());
            text.push_str(self.text.get(start..self.position).unwrap_or_default());
        }
    }

    /// One escape sequence, from its backslash.
    fn escape(&mut self) -> Result<char> {
        let kind = self.rest().get(1).copied();
        self.position += 2;
        Ok(match kind {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => {
                self.position -= 2;
                return Err(self.malformed());
            }
        })
    }

    /// The character of `\uXXXX`, or of a pair of them. Half a pair is no character: it could only be
    /// kept by changing it, so it is refused.
    fn unicode(&mut self) -> Result<char> {
        let first = self.hexadecimal()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.malformed());
        }
        if !self.rest().starts_with(b"\\u") {
            return Err(self.malformed());
        }
        self.position += 2;
        let second = self.hexadecimal()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(self.malformed());
        }
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        char::from_u32(code).ok_or_else(|| self.malformed())
    }

    fn hexadecimal(&mut self) -> Result<u32> {
        let Some(digits) = self.rest().first_chunk::<4>() else {
            return Err(self.malformed());
        };
        let mut code = 0;
        for digit in digits {
            let Some(value) = char::from(*digit).to_digit(16) else {
                return Err(self.malformed());
            };
            code = code << 4 | value;
        }
        self.position += 4;
        Ok(code)
    }

    /// Like [`Reader::next_key`], without making the key.
    fn skip_key(&mut self) -> Result<bool> {
        Ok(self.next_key()?.is_some())
    }

    fn skip_quoted(&mut self) -> Result<()> {
        self.quoted().map(drop)
    }
}

/// The word and the bit in it that stand for the container at `depth`.
fn place(depth: u32) -> (usize, u64) {
    ((depth / 64) as usize, 1 << (depth % 64))
}
