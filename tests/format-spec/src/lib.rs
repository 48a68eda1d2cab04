//! The worked examples of `format-spec/`, held against what the code writes.
//!
//! An example is a fenced block of a chapter, with the word `hex` and a name behind the fence. Its
//! lines are offset, bytes and meaning:
//!
//! ```text
//! 0000  00 00 00 10                                      keyspace 16
//! ```
//!
//! The tests of engine and server build each example with the real writers and compare the whole
//! text. With `STATOR_REWRITE=1` they put what they built into the chapter instead; read the
//! difference before you commit it, since a difference is a change of the format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Bytes on one line.
const WIDTH: usize = 16;

/// Where the bytes begin on a line.
const HEX_COLUMN: usize = 6;

/// Bytes taken apart into fields, in order.
pub struct Dump {
    bytes: Vec<u8>,
    at: usize,
    text: String,
}

impl Dump {
    /// Begins with the first byte.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            at: 0,
            text: String::new(),
        }
    }

    /// The next `len` bytes and what they mean.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    #[must_use]
    pub fn field(mut self, len: usize, meaning: &str) -> Self {
        let end = self.at + len;
        assert!(end <= self.bytes.len(), "no {len} bytes for: {meaning}");
        let mut meaning = meaning;
        while self.at < end {
            let line = self.bytes.get(self.at..end.min(self.at + WIDTH));
            let hex: Vec<String> = line
                .unwrap_or_default()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let line = format!("{:04x}  {:<48} {meaning}", self.at, hex.join(" "));
            let _infallible = writeln!(self.text, "{}", line.trim_end());
            self.at += hex.len();
            meaning = "";
        }
        self
    }

    /// The text of the example.
    ///
    /// # Panics
    ///
    /// If bytes are left over.
    #[must_use]
    pub fn finish(self) -> String {
        assert_eq!(self.at, self.bytes.len(), "bytes without a meaning");
        self.text
    }
}

/// Holds a table of a chapter, which begins with `head` (its first two lines), against the rows that it
/// has to have.
///
/// # Panics
///
/// If it has others, and `STATOR_REWRITE` does not ask to write it anew.
pub fn check_table(chapter: &str, head: &str, rows: &str) {
    let path = path(chapter);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let parts = text.split_once(head);
    assert!(parts.is_some(), "{} has no table {head:?}", path.display());
    let (before, rest) = parts.unwrap_or_default();
    let old = rest.lines().take_while(|line| line.starts_with('|'));
    let behind: String = rest.split_inclusive('\n').skip(old.count()).collect();
    let expected = format!("{before}{head}{rows}{behind}");
    if std::env::var_os("STATOR_REWRITE").is_some() {
        let written = std::fs::write(&path, expected);
        assert!(written.is_ok(), "{}: {written:?}", path.display());
    } else {
        assert!(
            text == expected,
            "STATOR_REWRITE=1 rewrites {}",
            path.display()
        );
    }
}

fn path(chapter: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("../../format-spec").join(format!("{chapter}.md"))
}

/// Compares the examples of a chapter with these, each with its name; or rewrites them.
///
/// # Panics
///
/// If one differs, or is in the chapter or in `examples` alone.
pub fn check(chapter: &str, examples: &[(&str, String)]) {
    let path = path(chapter);
    let read = std::fs::read_to_string(&path);
    assert!(read.is_ok(), "{}: {read:?}", path.display());
    let text = read.unwrap_or_default();
    let mut expected: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, example) in examples {
        expected.insert(name, example);
    }
    let mut rebuilt = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        rebuilt.push_str(line);
        rebuilt.push('\n');
        let Some(name) = line.strip_prefix("```hex ") else {
            continue;
        };
        let example = expected.remove(name);
        assert!(
            example.is_some(),
            "{chapter}: no code writes example {name}"
        );
        rebuilt.push_str(example.unwrap_or_default());
        rebuilt.push_str("```\n");
        for line in lines.by_ref() {
            if line == "```" {
                break;
            }
        }
    }
    assert!(
        expected.is_empty(),
        "{chapter}: not in the chapter: {:?}",
        expected.keys()
    );
    if std::env::var_os("STATOR_REWRITE").is_some() {
        let written = std::fs::write(&path, rebuilt);
        assert!(written.is_ok(), "{}: {written:?}", path.display());
        return;
    }
    if rebuilt != text {
        let differences: Vec<String> = text
            .lines()
            .zip(rebuilt.lines())
            .filter(|(left, right)| left != right)
            .map(|(left, right)| format!("- {left}\n+ {right}"))
            .take(10)
            .collect();
        assert!(
            rebuilt == text,
            "{} is not what the code writes (STATOR_REWRITE=1 rewrites it):\n{}",
            path.display(),
            differences.join("\n")
        );
    }
}

/// The bytes of an example, as the chapter has them: for readers.
///
/// # Panics
///
/// If the chapter has no such example.
#[must_use]
pub fn bytes(chapter: &str, name: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(path(chapter)).unwrap_or_default();
    let fence = format!("```hex {name}");
    let bytes: Vec<u8> = text
        .lines()
        .skip_while(|line| *line != fence)
        .skip(1)
        .take_while(|line| *line != "```")
        .flat_map(|line| {
            let columns = HEX_COLUMN..line.len().min(HEX_COLUMN + 3 * WIDTH);
            line.get(columns).unwrap_or_default().split_whitespace()
        })
        .filter_map(|byte| u8::from_str_radix(byte, 16).ok())
        .collect();
    assert!(!bytes.is_empty(), "{chapter} has no example {name}");
    bytes
}
