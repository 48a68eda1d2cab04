//! The writer: appends JSON to a `Vec<u8>`, without white space.

/// Appends one JSON text to its own buffer.
///
/// The caller writes in order; commas are put by the writer. Nothing checks that the calls nest
/// properly, which the callers' structure gives for free.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    /// Whether what comes next in the current container has something before it.
    comma: bool,
}

impl Writer {
    /// A writer with an empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer that reuses `buffer`, and appends to what is in it.
    pub fn over(buffer: Vec<u8>) -> Self {
        Self {
            out: buffer,
            comma: false,
        }
    }

    /// A writer with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self::over(Vec::with_capacity(bytes))
    }

    /// The bytes written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// The bytes written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// How many bytes have been written.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Opens an object.
    pub fn begin_object(&mut self) {
        self.separate();
        self.out.push(b'{');
        self.comma = false;
    }

    /// Opens an object with its first member's name: `opening` is that much JSON, like `{"S":`. The
    /// member's value has to follow.
    pub fn begin_object_with(&mut self, opening: &'static str) {
        self.separate();
        self.out.extend_from_slice(opening.as_bytes());
        self.comma = false;
    }

    /// Closes the current object.
    pub fn end_object(&mut self) {
        self.out.push(b'}');
        self.comma = true;
    }

    /// Opens an array.
    pub fn begin_array(&mut self) {
        self.separate();
        self.out.push(b'[');
        self.comma = false;
    }

    /// Closes the current array.
    pub fn end_array(&mut self) {
        self.out.push(b']');
        self.comma = true;
    }

    /// The name of the next member; its value has to follow.
    pub fn key(&mut self, name: &str) {
        self.key_bytes(name.as_bytes());
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        self.string_bytes(text.as_bytes());
    }

    /// [`Writer::key`] of a name whose bytes were found to be UTF-8 when they came in.
    pub fn key_bytes(&mut self, name: &[u8]) {
        self.separate();
        self.quoted(name);
        self.out.push(b':');
        self.comma = false;
    }

    /// [`Writer::string`] of a text whose bytes were found to be UTF-8 when they came in: what is
    /// stored is not looked at once more each time that it is read.
    pub fn string_bytes(&mut self, text: &[u8]) {
        self.separate();
        self.quoted(text);
        self.comma = true;
    }

    /// A value that is JSON already, taken over as it is.
    pub fn raw(&mut self, json: &[u8]) {
        self.separate();
        self.out.extend_from_slice(json);
        self.comma = true;
    }

    /// A whole number.
    pub fn integer(&mut self, value: i64) {
        self.raw(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A number with a fraction: `1` is written `1.0`, as DynamoDB does. JSON has no infinities, and
    /// nothing that we compute is one.
    pub fn double(&mut self, value: f64) {
        debug_assert!(value.is_finite(), "JSON has no infinities");
        self.raw(format!("{value:?}").as_bytes());
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) {
        self.raw(if value { b"true" } else { b"false" });
    }

    /// `null`.
    pub fn null(&mut self) {
        self.raw(b"null");
    }

    /// Bytes, as a string in base64.
    pub fn base64(&mut self, bytes: &[u8]) {
        self.separate();
        self.out.push(b'"');
        base64_simd::STANDARD.encode_append(bytes, &mut self.out);
        self.out.push(b'"');
        self.comma = true;
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
    }

    /// Writes `text` between quotes. Only what JSON demands is escaped, so that almost every string
    /// is one copy.
    fn quoted(&mut self, text: &[u8]) {
        self.out.reserve(text.len() + 2);
        self.out.push(b'"');
        let mut rest = text;
        loop {
            let clean = super::scan::plain_length(rest);
            let (head, tail) = rest.split_at(clean);
            self.out.extend_from_slice(head);
            let Some((&byte, after)) = tail.split_first() else {
                break;
            };
            self.escape(byte);
            rest = after;
        }
        self.out.push(b'"');
    }

    fn escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            _ => {
                let hex = |nibble: u8| {
                    if nibble < 10 {
                        b'0' + nibble
                    } else {
                        b'A' + nibble - 10
                    }
                };
                self.out.extend_from_slice(b"\\u00");
                self.out.push(hex(byte >> 4));
                self.out.push(hex(byte & 0xf));
                return;
            }
        };
        self.out.push(b'\\');
        self.out.push(short);
    }
}
