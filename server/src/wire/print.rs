//! Prints parts of a request the way DynamoDB's validation messages show them.
//!
//! Most are in the form of Java's `toString`, as in `[KeySchemaElement(attributeName=pk,
//! keyType=HASH)]`; the newer layer shows some as the JSON they came as.

use super::item::{ItemInput, ValueInput};
use super::json::Writer;
use crate::item::{Item, Kind, ValueRef};

/// Something that a message can show.
pub(crate) trait Print {
    /// Appends the value to `printer`.
    fn print(&self, printer: &mut Printer);
}

/// How values are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Java's `toString`.
    Java,
    /// The request's JSON, without white space.
    Json,
}

/// Where the text is put together.
pub(crate) struct Printer {
    text: String,
    form: Form,
    /// Whether the current structure has a member already.
    comma: bool,
}

impl Printer {
    /// The text of `value`.
    pub(crate) fn show(value: &(impl Print + ?Sized), form: Form) -> String {
        let mut printer = Self {
            text: String::new(),
            form,
            comma: false,
        };
        value.print(&mut printer);
        printer.text
    }

    pub(super) fn structure(&mut self, name: &str, members: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.comma, false);
        if self.form == Form::Java {
            self.text.push_str(name);
        }
        self.text.push_str(self.either("(", "{"));
        members(self);
        self.text.push_str(self.either(")", "}"));
        self.comma = outer;
    }

    /// A member, by its name in the API. JSON leaves out what is not there, Java shows it.
    pub(super) fn member(&mut self, name: &str, value: Option<&impl Print>) {
        if self.form == Form::Json && value.is_none() {
            return;
        }
        if std::mem::replace(&mut self.comma, true) {
            self.text.push_str(self.either(", ", ","));
        }
        match self.form {
            Form::Java => {
                self.text.push_str(&lower_first(name));
                self.text.push('=');
            }
            Form::Json => {
                self.json(|writer| writer.string(name));
                self.text.push(':');
            }
        }
        match value {
            Some(value) => value.print(self),
            None => self.text.push_str("null"),
        }
    }

    fn list<T>(&mut self, elements: impl Iterator<Item = T>, mut print: impl FnMut(&mut Self, T)) {
        self.text.push('[');
        for (place, element) in elements.enumerate() {
            if place > 0 {
                self.text.push_str(self.either(", ", ","));
            }
            print(self, element);
        }
        self.text.push(']');
    }

    fn map<'k, T>(
        &mut self,
        entries: impl Iterator<Item = (&'k str, T)>,
        mut print: impl FnMut(&mut Self, T),
    ) {
        self.text.push('{');
        for (place, (key, value)) in entries.enumerate() {
            if place > 0 {
                self.text.push_str(self.either(", ", ","));
            }
            match self.form {
                Form::Java => self.text.push_str(key),
                Form::Json => self.json(|writer| writer.string(key)),
            }
            self.text.push_str(self.either("=", ":"));
            print(self, value);
        }
        self.text.push('}');
    }

    fn either(&self, java: &'static str, json: &'static str) -> &'static str {
        match self.form {
            Form::Java => java,
            Form::Json => json,
        }
    }

    fn json(&mut self, write: impl FnOnce(&mut Writer)) {
        let mut writer = Writer::new();
        write(&mut writer);
        self.text
            .push_str(&String::from_utf8_lossy(writer.as_bytes()));
    }

    fn item(&mut self, item: &Item) {
        match self.form {
            Form::Java => self.map(item.iter(), Self::value),
            Form::Json => self.json(|writer| item.write_json(writer)),
        }
    }

    fn value(&mut self, value: ValueRef<'_>) {
        match self.form {
            Form::Java => self.java_value(value),
            Form::Json => self.json(|writer| value.write_json(writer)),
        }
    }

    /// `AttributeValue(s=…, n=null, …)`: the types in the order of DynamoDB's own class, six of which
    /// the API does not have (captures/cross-region-latest.json, `c_bw_over25`).
    fn java_value(&mut self, value: ValueRef<'_>) {
        const TYPES: [(&str, Option<Kind>); 16] = [
            ("s", Some(Kind::S)),
            ("n", Some(Kind::N)),
            ("b", Some(Kind::B)),
            ("iNT", None),
            ("dECIMAL", None),
            ("dOUBLE", None),
            ("sS", Some(Kind::SS)),
            ("nS", Some(Kind::NS)),
            ("bS", Some(Kind::BS)),
            ("iNTSET", None),
            ("dECIMALSET", None),
            ("dOUBLESET", None),
            ("m", Some(Kind::M)),
            ("l", Some(Kind::L)),
            ("nULL", Some(Kind::Null)),
            ("bOOL", Some(Kind::Bool)),
        ];
        self.text.push_str("AttributeValue(");
        for (place, (name, kind)) in TYPES.into_iter().enumerate() {
            if place > 0 {
                self.text.push_str(", ");
            }
            self.text.push_str(name);
            self.text.push('=');
            if kind == Some(value.kind()) {
                self.java_content(value);
            } else {
                self.text.push_str("null");
            }
        }
        self.text.push(')');
    }

    fn java_content(&mut self, value: ValueRef<'_>) {
        if let Some(text) = value.as_str() {
            self.text.push_str(text);
        } else if let Some(number) = value.as_number() {
            self.text.push_str(&number.to_string());
        } else if let Some(bytes) = value.as_binary() {
            let length = bytes.len();
            self.text.push_str(&format!(
                "java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]"
            ));
        } else if let Some(value) = value.as_bool() {
            self.text.push_str(if value { "true" } else { "false" });
        } else if let Some(map) = value.as_map() {
            self.map(map.iter(), Self::value);
        } else if let Some(list) = value.as_list() {
            self.list(list.iter(), Self::value);
        } else if let Some(set) = value.as_set() {
            self.list(set.iter(), Self::java_content);
        } else {
            self.text.push_str("true");
        }
    }
}

/// `TableName` as `tableName`: the older layer lowers the first letter and no more.
pub(crate) fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

impl Print for String {
    fn print(&self, printer: &mut Printer) {
        match printer.form {
            Form::Java => printer.text.push_str(self),
            Form::Json => printer.json(|writer| writer.string(self)),
        }
    }
}

impl Print for i64 {
    fn print(&self, printer: &mut Printer) {
        printer.json(|writer| writer.integer(*self));
    }
}

impl Print for f64 {
    fn print(&self, printer: &mut Printer) {
        printer.json(|writer| writer.double(*self));
    }
}

impl Print for bool {
    fn print(&self, printer: &mut Printer) {
        printer.json(|writer| writer.boolean(*self));
    }
}

impl<T: Print> Print for Vec<T> {
    fn print(&self, printer: &mut Printer) {
        self.as_slice().print(printer);
    }
}

impl<T: Print> Print for Vec<(String, T)> {
    fn print(&self, printer: &mut Printer) {
        self.as_slice().print(printer);
    }
}

impl<T: Print> Print for [T] {
    fn print(&self, printer: &mut Printer) {
        printer.list(self.iter(), |printer, element| element.print(printer));
    }
}

impl<T: Print> Print for [(String, T)] {
    fn print(&self, printer: &mut Printer) {
        let entries = self.iter().map(|(key, value)| (key.as_str(), value));
        printer.map(entries, |printer, value| value.print(printer));
    }
}

impl Print for ItemInput {
    fn print(&self, printer: &mut Printer) {
        match self.get() {
            Ok(item) => printer.item(item),
            Err(_) => printer.text.push_str("{}"),
        }
    }
}

impl Print for ValueInput {
    fn print(&self, printer: &mut Printer) {
        match self.get() {
            Ok(value) => printer.value(value.as_ref()),
            Err(_) => printer
                .text
                .push_str(printer.either("AttributeValue()", "{}")),
        }
    }
}
