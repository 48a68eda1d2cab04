//! A policy document: read, and written in the one form in which DynamoDB shows it.
//!
//! DynamoDB keeps no document as it was sent. What GetResourcePolicy gives has no white space and
//! a fixed order of members; a list of one is a string; the id of an account is its root's ARN
//! (DDB-TABLE-208, -351 to -355). Two documents with the same form are the same policy, and putting
//! one over the other changes nothing (DDB-TABLE-207).

use super::Invalid;
use crate::wire::json::{Reader, SerializationError, Token, Writer};

/// The version of a document that does not say (DDB-TABLE-354).
const DEFAULT_VERSION: &str = "2008-10-17";

/// A document that has the form of a policy. What its parts say is checked in
/// [`super::rules`].
#[derive(Debug)]
pub(super) struct Document {
    version: Option<String>,
    id: Option<String>,
    pub(super) statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Default)]
pub(super) struct Statement {
    pub(super) sid: Option<String>,
    pub(super) effect: Option<String>,
    pub(super) principal: Option<Principal>,
    pub(super) not_principal: Option<Principal>,
    pub(super) action: Option<Vec<String>>,
    pub(super) not_action: Option<Vec<String>>,
    pub(super) resource: Option<Vec<String>>,
    pub(super) not_resource: Option<Vec<String>>,
    pub(super) condition: Option<Condition>,
}

/// Whom a statement is about.
#[derive(Debug)]
pub(super) enum Principal {
    /// `"*"`.
    Everyone,
    /// Lists by kind: `AWS`, `Service` and so on.
    Listed(Vec<(String, Vec<String>)>),
}

/// Operators, keys, and their values as they are in the JSON.
type Condition = Vec<(String, Vec<(String, Vec<String>)>)>;

type Result<T> = std::result::Result<T, Invalid>;

impl Document {
    /// Reads a document.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut whole = Reader::new(text.as_bytes());
        let kind = whole.peek().map_err(|_| Invalid::Json)?;
        whole
            .skip()
            .and_then(|()| whole.finish())
            .map_err(|_| Invalid::Json)?;
        match kind {
            Token::Object => {}
            Token::Null => return Err(Invalid::NoPolicy),
            _ => return Err(Invalid::Json),
        }
        Parser {
            text,
            reader: Reader::new(text.as_bytes()),
        }
        .document()
    }

    /// The document in its one form, without a version if none was given: a document without one
    /// is another than the same one with the default (DDB-TABLE-354).
    pub(super) fn canonical(&self, root: impl Fn(&str) -> String) -> String {
        let mut writer = Writer::new();
        writer.begin_object();
        if let Some(version) = &self.version {
            member(&mut writer, "Version", version);
        }
        if let Some(id) = &self.id {
            member(&mut writer, "Id", id);
        }
        writer.key("Statement");
        writer.begin_array();
        for statement in &self.statements {
            statement.write(&mut writer, &root);
        }
        writer.end_array();
        writer.end_object();
        String::from_utf8_lossy(writer.as_bytes()).into_owned()
    }
}

/// What GetResourcePolicy shows of a document in its one form.
pub(super) fn shown(canonical: &str) -> String {
    match canonical.strip_prefix('{') {
        Some(rest) if !rest.starts_with("\"Version\"") => {
            format!("{{\"Version\":\"{DEFAULT_VERSION}\",{rest}")
        }
        _ => canonical.to_owned(),
    }
}

impl Statement {
    /// `Allow`, in whatever case it was written (DDB-TABLE-355).
    pub(super) fn allows(&self) -> bool {
        self.effect
            .as_deref()
            .is_some_and(|effect| effect.eq_ignore_ascii_case("Allow"))
    }

    fn write(&self, writer: &mut Writer, root: &impl Fn(&str) -> String) {
        writer.begin_object();
        if let Some(sid) = &self.sid {
            member(writer, "Sid", sid);
        }
        member(
            writer,
            "Effect",
            if self.allows() { "Allow" } else { "Deny" },
        );
        for (name, principal) in [
            ("Principal", &self.principal),
            ("NotPrincipal", &self.not_principal),
        ] {
            if let Some(principal) = principal {
                writer.key(name);
                principal.write(writer, root);
            }
        }
        for (name, list) in [
            ("Action", &self.action),
            ("NotAction", &self.not_action),
            ("Resource", &self.resource),
            ("NotResource", &self.not_resource),
        ] {
            if let Some(list) = list {
                writer.key(name);
                one_or_many(writer, list, |writer, text| writer.string(text));
            }
        }
        if let Some(condition) = &self.condition {
            writer.key("Condition");
            writer.begin_object();
            for (operator, keys) in condition {
                writer.key(operator);
                writer.begin_object();
                for (key, values) in keys {
                    writer.key(key);
                    one_or_many(writer, values, |writer, value| writer.raw(value.as_bytes()));
                }
                writer.end_object();
            }
            writer.end_object();
        }
        writer.end_object();
    }
}

impl Principal {
    fn write(&self, writer: &mut Writer, root: &impl Fn(&str) -> String) {
        let Self::Listed(kinds) = self else {
            writer.string("*");
            return;
        };
        writer.begin_object();
        for (kind, listed) in kinds {
            let mut names: Vec<String> = Vec::with_capacity(listed.len());
            for name in listed {
                let name = match kind.as_str() {
                    "AWS" if is_account(name) => root(name),
                    _ => name.clone(),
                };
                // Alone of all lists this one loses what is in it twice (DDB-TABLE-352, -353).
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            writer.key(kind);
            one_or_many(writer, &names, |writer, name| writer.string(name));
        }
        writer.end_object();
    }
}

/// Whether `name` is the id of an account.
pub(super) fn is_account(name: &str) -> bool {
    name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit())
}

fn member(writer: &mut Writer, name: &str, text: &str) {
    writer.key(name);
    writer.string(text);
}

/// A list, or what is in it if that is one.
fn one_or_many(writer: &mut Writer, list: &[String], write: impl Fn(&mut Writer, &str)) {
    if let [one] = list {
        write(writer, one);
        return;
    }
    writer.begin_array();
    for element in list {
        write(writer, element);
    }
    writer.end_array();
}

/// Reads a text that is known to be JSON. What is left that can be wrong is its structure.
struct Parser<'a> {
    text: &'a str,
    reader: Reader<'a>,
}

impl<'a> Parser<'a> {
    fn document(&mut self) -> Result<Document> {
        let (mut version, mut id, mut statements) = (None, None, None);
        self.object(|parser, key| {
            match key {
                "Version" => version = Some(parser.string()?),
                "Id" => id = Some(parser.string()?),
                "Statement" => statements = Some(parser.statements()?),
                _ => return Err(parser.past_value()),
            }
            Ok(())
        })?;
        let statements = statements.ok_or_else(|| self.here())?;
        if statements.is_empty() {
            return Err(Invalid::NoStatement);
        }
        Ok(Document {
            version,
            id,
            statements,
        })
    }

    /// A list of statements, or one.
    fn statements(&mut self) -> Result<Vec<Statement>> {
        let mut statements = Vec::new();
        self.one_or_many(|parser| {
            statements.push(parser.statement()?);
            Ok(())
        })?;
        Ok(statements)
    }

    fn statement(&mut self) -> Result<Statement> {
        let mut statement = Statement::default();
        self.object(|parser, key| {
            match key {
                "Sid" => statement.sid = Some(parser.string()?),
                "Effect" => statement.effect = Some(parser.string()?),
                "Principal" => statement.principal = Some(parser.principal()?),
                "NotPrincipal" => statement.not_principal = Some(parser.principal()?),
                "Action" => statement.action = Some(parser.strings()?),
                "NotAction" => statement.not_action = Some(parser.strings()?),
                "Resource" => statement.resource = Some(parser.strings()?),
                "NotResource" => statement.not_resource = Some(parser.strings()?),
                "Condition" => statement.condition = Some(parser.condition()?),
                _ => return Err(parser.past_value()),
            }
            Ok(())
        })?;
        Ok(statement)
    }

    /// `"*"`, or names by kind. The id of an account by itself is none (DDB-TABLE-352).
    fn principal(&mut self) -> Result<Principal> {
        if self.peek()? == Token::String {
            return match self.string()?.as_str() {
                "*" => Ok(Principal::Everyone),
                _ => Err(self.here()),
            };
        }
        let mut kinds: Vec<(String, Vec<String>)> = Vec::new();
        self.object(|parser, key| {
            if !["AWS", "Service", "Federated", "CanonicalUser"].contains(&key) {
                return Err(parser.past_value());
            }
            kinds.push((key.to_owned(), parser.strings()?));
            Ok(())
        })?;
        Ok(Principal::Listed(kinds))
    }

    fn condition(&mut self) -> Result<Condition> {
        let mut operators: Condition = Vec::new();
        self.object(|parser, operator| {
            let mut keys = Vec::new();
            parser.object(|parser, key| {
                let mut values = Vec::new();
                parser.one_or_many(|parser| {
                    values.push(parser.scalar()?);
                    Ok(())
                })?;
                keys.push((key.to_owned(), values));
                Ok(())
            })?;
            operators.push((operator.to_owned(), keys));
            Ok(())
        })?;
        Ok(operators)
    }

    /// A string, number or boolean, as it is to be written.
    fn scalar(&mut self) -> Result<String> {
        if self.peek()? == Token::String {
            let mut writer = Writer::new();
            writer.string(&self.string()?);
            return Ok(String::from_utf8_lossy(writer.as_bytes()).into_owned());
        }
        match self.peek()? {
            Token::Object | Token::Array | Token::Null => Err(self.past_value()),
            _ => {
                let start = self.reader.position();
                self.reader.skip().map_err(|error| self.broken(&error))?;
                let raw = self.text.get(start..self.reader.position());
                Ok(raw.unwrap_or_default().trim().to_owned())
            }
        }
    }

    /// A list of strings, or one.
    fn strings(&mut self) -> Result<Vec<String>> {
        let mut strings = Vec::new();
        self.one_or_many(|parser| {
            strings.push(parser.string()?);
            Ok(())
        })?;
        Ok(strings)
    }

    fn string(&mut self) -> Result<String> {
        if self.peek()? != Token::String {
            return Err(self.past_value());
        }
        let text = self.reader.string();
        text.map(Into::into).map_err(|error| self.broken(&error))
    }

    fn one_or_many(&mut self, mut read: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        if self.peek()? != Token::Array {
            return read(self);
        }
        self.reader
            .begin_array()
            .map_err(|error| self.broken(&error))?;
        loop {
            match self.reader.next_element() {
                Ok(true) => read(self)?,
                Ok(false) => return Ok(()),
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }

    fn object(&mut self, mut read: impl FnMut(&mut Self, &str) -> Result<()>) -> Result<()> {
        if self.peek()? != Token::Object {
            return Err(self.past_value());
        }
        self.reader
            .begin_object()
            .map_err(|error| self.broken(&error))?;
        loop {
            match self.reader.next_key() {
                Ok(Some(key)) => read(self, &key)?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }

    fn peek(&mut self) -> Result<Token> {
        self.reader.peek().map_err(|error| self.broken(&error))
    }

    /// The error of a value that cannot be where it is: it is reported behind it.
    fn past_value(&mut self) -> Invalid {
        match self.reader.skip() {
            Ok(()) => self.here(),
            Err(error) => self.broken(&error),
        }
    }

    /// A syntax error where the reader stands, by line and column.
    fn here(&self) -> Invalid {
        let before = self.text.get(..self.reader.position()).unwrap_or_default();
        let last = before.rsplit('\n').next().unwrap_or_default();
        Invalid::Syntax {
            line: 1 + before.matches('\n').count(),
            column: 1 + last.chars().count(),
        }
    }

    /// The text was read over once as JSON, so that this is not met.
    fn broken(&self, _: &SerializationError) -> Invalid {
        self.here()
    }
}
