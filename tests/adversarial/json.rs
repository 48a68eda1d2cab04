//! JSON that may be wrong: objects with a name twice, and bytes that are none.

use serde_json::Value;

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    /// Written as it is: numbers, words, and what is no JSON at all.
    Raw(Vec<u8>),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::String(text.clone()),
            Value::Array(elements) => Self::Array(elements.iter().map(Self::from).collect()),
            Value::Object(members) => {
                let members = members.iter();
                Self::Object(
                    members
                        .map(|(name, value)| (name.clone(), value.into()))
                        .collect(),
                )
            }
            other => Self::raw(other.to_string()),
        }
    }
}

impl Json {
    pub(crate) fn raw(text: impl Into<Vec<u8>>) -> Self {
        Self::Raw(text.into())
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Raw(bytes) => out.extend_from_slice(bytes),
            Self::String(text) => write_string(text, out),
            Self::Array(elements) => {
                out.push(b'[');
                for (place, element) in elements.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    element.write(out);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (place, (name, value)) in members.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    write_string(name, out);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }

    /// How many values there are, this one included.
    pub(crate) fn count(&self) -> usize {
        1 + match self {
            Self::Array(elements) => elements.iter().map(Self::count).sum(),
            Self::Object(members) => members.iter().map(|(_, value)| value.count()).sum(),
            Self::Raw(_) | Self::String(_) => 0,
        }
    }

    /// The value that [`Json::count`] counts at `place`, which is less than the count.
    pub(crate) fn at(&mut self, place: usize) -> &mut Self {
        let mut place = place;
        let mut value = self;
        while place > 0 {
            place -= 1;
            let inner: Vec<&mut Self> = match value {
                Self::Array(elements) => elements.iter_mut().collect(),
                Self::Object(members) => members.iter_mut().map(|(_, value)| value).collect(),
                Self::Raw(_) | Self::String(_) => Vec::new(),
            };
            let mut next = None;
            for one in inner {
                let count = one.count();
                if place < count {
                    next = Some(one);
                    break;
                }
                place -= count;
            }
            value = next.expect("the place is within the count");
        }
        value
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(serde_json::to_string(text).unwrap().as_bytes());
}
