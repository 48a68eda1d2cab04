//! What is made of a right request.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

use crate::corpus::{Corpus, Request};
use crate::json::Json;

/// The choices of one round.
pub(crate) struct Mutator<'a> {
    pub(crate) corpus: &'a Corpus,
    pub(crate) rng: ChaCha8Rng,
}

/// What is longer is cut off. It is too large long before, and the front hangs up on a client that
/// does not stop sending.
const LONGEST: usize = 32 * 1024 * 1024;

/// What expressions, names and numbers are broken with.
const TOKENS: &[&str] = &[
    " AND ",
    " OR ",
    "NOT ",
    "(",
    ")",
    "((",
    "))",
    ":x",
    "#y",
    ".",
    "[0]",
    "[-1]",
    "[99999999999]",
    " = ",
    "<>",
    ",",
    "+",
    "-",
    "SET ",
    "REMOVE ",
    "ADD ",
    "DELETE ",
    "size(",
    "if_not_exists(",
    "attribute_exists(",
    "contains(",
    "\0",
    "é",
    "𝕏",
    "\u{202e}",
    "'",
    "\"",
    "\\",
    " ",
    "\n",
    "e",
    "E+999",
    "0",
    "1",
    ":",
    "#",
    "/",
    "arn:aws:dynamodb:::table/",
    "%",
    "=",
    "==",
];

/// Bytes that are no JSON, or not where they are put.
const BYTES: &[&[u8]] = &[
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x00",
    b"\\ud800",
    b"\\udc00\\ud800",
    b"\\u0000",
    b"\\x",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\t\n",
    b"\xef\xbb\xbf",
    b"-",
    b"null",
    b"1e5",
    b"//",
];

/// Numbers in which something overflows somewhere.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1",
    "0.5",
    "2147483647",
    "2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1e308",
    "1e309",
    "-1e999",
    "1E-400",
    "1e38",
    "123456789012345678901234567890123456789",
];

impl Mutator<'_> {
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.rng.next_u64() % end.max(1) as u64).unwrap()
    }

    fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A request that is wrong in one to four places; now and then it is right by chance.
    pub(crate) fn request(&mut self) -> (Request, Vec<u8>) {
        let place = self.below(self.corpus.requests.len());
        let mut request = self.corpus.requests[place].clone();
        if self.chance(30) {
            let other = self.below(self.corpus.requests.len());
            request.operation = self.corpus.requests[other].operation;
        }
        if self.chance(6) {
            fail_conditions(&mut request.body);
            return (request.clone(), request.body.to_bytes());
        }
        let more = if self.chance(2) { self.below(4) } else { 0 };
        for _ in 0..=more {
            self.mutate(&mut request.body);
        }
        let mut bytes = request.body.to_bytes();
        if self.chance(6) {
            self.mutate_bytes(&mut bytes);
        }
        bytes.truncate(LONGEST);
        (request, bytes)
    }

    fn mutate(&mut self, body: &mut Json) {
        let place = self.below(body.count());
        let node = body.at(place);
        match self.below(12) {
            0 => *node = self.other_type(),
            1 => self.drop_one(node),
            2 => self.double_one(node),
            3 => self.nest(node),
            4 => self.huge(node),
            5 => self.rename(node),
            6 => *node = self.known(),
            7 => self.add_one(node),
            8 => self.shuffle(node),
            _ => self.tweak(node),
        }
    }

    /// A value that fits somewhere in a request.
    fn known(&mut self) -> Json {
        let place = self.below(self.corpus.values.len());
        self.corpus.values[place].clone()
    }

    fn name(&mut self) -> String {
        let place = self.below(self.corpus.names.len());
        self.corpus.names[place].clone()
    }

    /// A value of any kind, small.
    fn other_type(&mut self) -> Json {
        match self.below(9) {
            0 => Json::raw("null"),
            1 => Json::raw("true"),
            2 => Json::raw("false"),
            3 | 4 => Json::raw(self.pick(NUMBERS)),
            5 => Json::String(self.pick(TOKENS).to_owned()),
            6 => Json::Array(Vec::new()),
            7 => Json::Object(Vec::new()),
            _ => {
                let kind = self.pick(&[
                    "S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL", "X",
                ]);
                let inner = self.known();
                Json::Object(vec![(kind.to_owned(), inner)])
            }
        }
    }

    fn drop_one(&mut self, node: &mut Json) {
        match node {
            Json::Array(elements) if !elements.is_empty() => {
                elements.remove(self.below(elements.len()));
            }
            Json::Object(members) if !members.is_empty() => {
                members.remove(self.below(members.len()));
            }
            Json::String(text) => text.clear(),
            other => *other = Json::raw("null"),
        }
    }

    /// Puts an element or member there twice, the second time perhaps with another value.
    fn double_one(&mut self, node: &mut Json) {
        match node {
            Json::Array(elements) if !elements.is_empty() => {
                let one = elements[self.below(elements.len())].clone();
                elements.push(one);
            }
            Json::Object(members) if !members.is_empty() => {
                let (name, mut value) = members[self.below(members.len())].clone();
                if self.chance(2) {
                    value = self.known();
                }
                let place = self.below(members.len() + 1);
                members.insert(place, (name, value));
            }
            Json::String(text) => *text = text.repeat(2),
            other => *other = Json::Array(vec![other.clone(), other.clone()]),
        }
    }

    fn add_one(&mut self, node: &mut Json) {
        let (name, value) = (self.name(), self.known());
        match node {
            Json::Array(elements) => elements.push(value),
            Json::Object(members) => members.push((name, value)),
            other => *other = Json::Object(vec![(name, value)]),
        }
    }

    /// Wraps the value, once or as deep as nobody means it.
    fn nest(&mut self, node: &mut Json) {
        let levels = self.pick(&[1, 1, 1, 2, 16, 31, 32, 33, 64, 300, 600, 50_000]);
        let (open, close) = self.pick(&[
            ("[", "]"),
            ("{\"a\":", "}"),
            ("{\"L\":[", "]}"),
            ("{\"M\":{\"a\":", "}}"),
            ("[", ""),
        ]);
        let inner = node.to_bytes();
        *node = Json::Raw(
            [
                open.repeat(levels).into_bytes(),
                inner,
                close.repeat(levels).into(),
            ]
            .concat(),
        );
    }

    fn huge(&mut self, node: &mut Json) {
        let length = self.pick(&[256, 1025, 2049, 4097, 8193, 70_000, 420_000]);
        match node {
            Json::String(text) => {
                let letters = if text.is_empty() { "x" } else { text.as_str() };
                *text = letters.repeat(length / letters.len() + 1);
            }
            Json::Array(elements) if !elements.is_empty() => {
                let one = elements[self.below(elements.len())].clone();
                let more = copies(length, &one);
                elements.resize(elements.len() + more, one);
            }
            Json::Object(members) => {
                let value = self.known();
                let more = copies(length, &value);
                members.extend((0..more).map(|place| (format!("k{place}"), value.clone())));
            }
            other => *other = Json::Raw(b"7".repeat(length)),
        }
    }

    fn rename(&mut self, node: &mut Json) {
        if let Json::Object(members) = node
            && !members.is_empty()
        {
            let place = self.below(members.len());
            let old = members[place].0.clone();
            members[place].0 = match self.below(4) {
                0 => old.to_lowercase(),
                1 => String::new(),
                2 => format!("{old}{}", self.pick(TOKENS)),
                _ => self.name(),
            };
        }
    }

    fn shuffle(&mut self, node: &mut Json) {
        match node {
            Json::Array(elements) => elements.reverse(),
            Json::Object(members) if members.len() > 1 => {
                let (one, other) = (self.below(members.len()), self.below(members.len()));
                let value = members[one].1.clone();
                members[one].1 = std::mem::replace(&mut members[other].1, value);
            }
            other => *other = self.other_type(),
        }
    }

    /// Breaks a text or number in one place.
    fn tweak(&mut self, node: &mut Json) {
        match node {
            Json::String(text) => {
                let mut letters: Vec<char> = text.chars().collect();
                let place = self.below(letters.len() + 1);
                match self.below(3) {
                    0 if place < letters.len() => {
                        letters.remove(place);
                    }
                    1 => letters.truncate(place),
                    _ => {
                        let token = self.pick(TOKENS);
                        letters.splice(place..place, token.chars());
                    }
                }
                *text = letters.into_iter().collect();
            }
            Json::Raw(_) => *node = Json::raw(self.pick(NUMBERS)),
            _ => {
                let place = self.below(node.count());
                let inner = node.at(place);
                *inner = self.other_type();
            }
        }
    }

    fn mutate_bytes(&mut self, bytes: &mut Vec<u8>) {
        let (one, other) = (self.below(bytes.len() + 1), self.below(bytes.len() + 1));
        let (start, end) = (one.min(other), one.max(other));
        match self.below(6) {
            0 => bytes.truncate(start),
            1 if start < bytes.len() => bytes[start] ^= 1 << self.below(8),
            2 => drop(bytes.drain(start..end)),
            3 => {
                let piece = bytes[start..end].to_vec();
                bytes.splice(end..end, piece);
            }
            4 => bytes.extend_from_slice(self.pick(BYTES)),
            _ => {
                let inserted = self.pick(BYTES);
                bytes.splice(start..start, inserted.iter().copied());
            }
        }
    }
}

/// How many copies of a value are many, and still end.
fn copies(wanted: usize, value: &Json) -> usize {
    wanted
        .min(2000)
        .min(LONGEST / value.to_bytes().len().max(1))
}

/// Gives every write within a request a condition that no item fulfils: most are right but for that.
fn fail_conditions(node: &mut Json) {
    let Json::Object(members) = node else {
        if let Json::Array(elements) = node {
            elements.iter_mut().for_each(fail_conditions);
        }
        return;
    };
    if members
        .iter()
        .any(|(name, _)| name == "Item" || name == "Key")
    {
        members.retain(|(name, _)| name != "ConditionExpression" && name != "Expected");
        let condition = "attribute_exists(nowhere)".to_owned();
        members.push(("ConditionExpression".to_owned(), Json::String(condition)));
        return;
    }
    for (_, member) in members {
        fail_conditions(member);
    }
}
