//! The broken constraints of one request, in the order in which the service reports them.

use super::pattern::{NAME, Pattern};
use super::wording::{self, Wording};
use crate::wire::{Arn, ArnError, Error, Form, Operation, Print, Printer, lower_first};

/// How many violations one answer lists.
const MOST: usize = 10;

/// Collects what the generated checks find.
///
/// A request that breaks nothing costs a push and a pop per member that could; texts are made where
/// something is broken.
#[derive(Debug)]
pub struct Violations<'a> {
    operation: Operation,
    path: Vec<Segment<'a>>,
    found: Vec<Violation<'a>>,
}

/// One step from a structure, list or map to something in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    /// A member, by its name in the API.
    Member(&'static str),
    /// An element of a list, counted from zero.
    Element(usize),
    /// An entry of a map.
    Entry(&'a str),
}

/// A constraint that is broken somewhere.
#[derive(Debug)]
pub(super) struct Violation<'a> {
    pub(super) path: Vec<Segment<'a>>,
    /// What stands there, as messages show it. `None` where nothing does.
    value: Option<String>,
    pub(super) constraint: Constraint,
}

/// What was to hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Constraint {
    NotNull,
    MinLength(i64),
    MaxLength(i64),
    MinValue(i64),
    MaxValue(i64),
    Pattern(&'static Pattern),
    OneOf(&'static [&'static str]),
    /// An ARN names what it has to.
    Arn(ArnFault),
    /// A map's keys are table names.
    TableKeys,
    /// The lengths of a map's values.
    ValueLengths(Option<i64>, Option<i64>),
}

/// What is wrong with the ARN that stands for a table's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ArnFault {
    /// It does not have the parts of an ARN, or no name of a table at its end: there is an index, a
    /// stream or a backup of a table, for instance.
    Form,
    /// It names no table and nothing below one.
    ResourceType,
}

impl ArnFault {
    /// What is wrong with `arn` where the ARN of a table may stand. Its account and Region are not
    /// looked at here: who shares tables is not a matter of the request alone.
    fn of(arn: &str) -> Option<Self> {
        match Arn::parse(arn) {
            Ok(parsed) if parsed.below.is_none() && is_table_name(parsed.table) => None,
            Err(ArnError::Resource { typed: true }) => Some(Self::ResourceType),
            _ => Some(Self::Form),
        }
    }
}

/// Whether a table may have this name.
fn is_table_name(name: &str) -> bool {
    NAME.matches(name) && (3..=255).contains(&name.len())
}

impl<'a> Violations<'a> {
    /// For a request of `operation`, which has no violation yet.
    pub fn new(operation: Operation) -> Self {
        Self {
            operation,
            path: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Whether nothing is broken.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The answer, if anything is broken.
    pub fn finish(self, wording: Wording) -> Result<(), Error> {
        if self.found.is_empty() {
            return Ok(());
        }
        Err(Error::validation(wording::answer(
            self.operation,
            wording,
            &self.found,
        )))
    }

    /// A required member that is not there.
    pub fn missing(&mut self, name: &'static str) {
        self.within(Segment::Member(name), |violations| {
            violations.report(Constraint::NotNull, || None);
        });
    }

    /// Checks a member.
    pub fn member(&mut self, name: &'static str, check: impl FnOnce(&mut Self)) {
        self.within(Segment::Member(name), check);
    }

    /// Checks an element of a list, counted from zero.
    pub fn element(&mut self, place: usize, check: impl FnOnce(&mut Self)) {
        self.within(Segment::Element(place), check);
    }

    /// Checks an entry of a map.
    pub fn entry(&mut self, key: &'a str, check: impl FnOnce(&mut Self)) {
        self.within(Segment::Entry(key), check);
    }

    /// A table's name or ARN. Of a name, the older limits hold that the model no longer has: three to
    /// 255 characters of a name's alphabet; but of an empty one, nothing is said than that it is
    /// (error-messages/putItem and createTable of the conformance reference); where a table is the
    /// subject, both are (DDB-TABLE-457 of the source named in `operation/definition`).
    pub(crate) fn table(&mut self, value: &str) {
        let whole = [
            Operation::DescribeTable,
            Operation::UpdateTable,
            Operation::DeleteTable,
        ];
        if value.is_empty() && whole.contains(&self.operation) {
            self.length(value, Some(3), None);
            self.pattern(value, &NAME);
        } else if value.is_empty() {
            self.length(value, Some(1), None);
        } else if value.starts_with("arn:") {
            self.length(value, None, Some(1024));
            self.arn(value);
        } else {
            self.pattern(value, &NAME);
            self.length(value, Some(3), Some(255));
        }
    }

    /// Where an ARN stands for a table's name, it has to be that of a table.
    pub(crate) fn arn(&mut self, value: &str) {
        if value.starts_with("arn:")
            && let Some(fault) = ArnFault::of(value)
        {
            self.report(Constraint::Arn(fault), || Some(value.to_owned()));
        }
    }

    /// The length of a text, in UTF-16 units as Java counts.
    pub(crate) fn length(&mut self, value: &str, min: Option<i64>, max: Option<i64>) {
        let length = if value.is_ascii() {
            value.len()
        } else {
            value.encode_utf16().count()
        };
        self.limits(length, min, max, || value.to_owned());
    }

    /// The length of a list or map.
    pub(crate) fn count(
        &mut self,
        length: usize,
        min: Option<i64>,
        max: Option<i64>,
        value: &(impl Print + ?Sized),
    ) {
        self.limits(length, min, max, || Printer::show(value, Form::Java));
    }

    /// A whole number.
    pub(crate) fn range(&mut self, value: i64, min: Option<i64>, max: Option<i64>) {
        if let Some(min) = min.filter(|min| value < *min) {
            self.report(Constraint::MinValue(min), || Some(value.to_string()));
        }
        if let Some(max) = max.filter(|max| value > *max) {
            self.report(Constraint::MaxValue(max), || Some(value.to_string()));
        }
    }

    /// A text that a pattern has to match.
    pub(crate) fn pattern(&mut self, value: &str, pattern: &'static Pattern) {
        if !pattern.matches(value) {
            self.report(Constraint::Pattern(pattern), || Some(value.to_owned()));
        }
    }

    /// A value of an enumeration.
    pub(crate) fn one_of(&mut self, value: &str, values: &'static [&'static str]) {
        if !values.contains(&value) {
            self.report(Constraint::OneOf(values), || Some(value.to_owned()));
        }
    }

    /// The keys of a map from tables. BatchWriteItem looks at them only where nothing else is wrong,
    /// and shows the map in another form (validation-ordering/batchOperations, "malformed table
    /// name").
    pub(crate) fn table_keys<T: Print>(&mut self, map: &[(String, T)]) {
        for (name, _) in map {
            self.arn(name);
        }
        let legal = |name: &str| name.starts_with("arn:") || is_table_name(name);
        if map.iter().all(|(name, _)| legal(name)) {
            return;
        }
        let form = match self.operation {
            Operation::BatchGetItem => Form::Json,
            _ => Form::Java,
        };
        if self.operation == Operation::BatchGetItem || self.found.is_empty() {
            self.report(Constraint::TableKeys, || Some(Printer::show(map, form)));
        }
    }

    /// The lengths of the lists that are a map's values: one violation however many are broken.
    pub(crate) fn value_counts<T: Print>(
        &mut self,
        map: &[(String, Vec<T>)],
        min: Option<i64>,
        max: Option<i64>,
    ) {
        let legal = |list: &Vec<T>| {
            let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
            min.is_none_or(|min| length >= min) && max.is_none_or(|max| length <= max)
        };
        if !map.iter().all(|(_, list)| legal(list)) {
            self.report(Constraint::ValueLengths(min, max), || {
                Some(Printer::show(map, Form::Java))
            });
        }
    }

    fn limits(
        &mut self,
        length: usize,
        min: Option<i64>,
        max: Option<i64>,
        show: impl Fn() -> String,
    ) {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        if let Some(min) = min.filter(|min| length < *min) {
            self.report(Constraint::MinLength(min), || Some(show()));
        }
        if let Some(max) = max.filter(|max| length > *max) {
            self.report(Constraint::MaxLength(max), || Some(show()));
        }
    }

    fn within(&mut self, segment: Segment<'a>, check: impl FnOnce(&mut Self)) {
        self.path.push(segment);
        check(self);
        self.path.pop();
    }

    fn report(&mut self, constraint: Constraint, value: impl FnOnce() -> Option<String>) {
        if self.found.len() < MOST {
            let path = self.path.clone();
            self.found.push(Violation {
                path,
                value: value(),
                constraint,
            });
        }
    }
}

impl Violation<'_> {
    /// The names of the members on the way, without what stands between them.
    pub(super) fn members(&self) -> impl Iterator<Item = &'static str> {
        self.path.iter().filter_map(|segment| match segment {
            Segment::Member(name) => Some(*name),
            _ => None,
        })
    }

    /// The older layer's sentence: value, and members with a small first letter.
    pub(super) fn full(&self) -> String {
        if let Constraint::Arn(fault) = self.constraint {
            return self.arn_text(fault);
        }
        let value = match &self.value {
            Some(value) => format!("Value '{value}'"),
            None => "Value null".to_owned(),
        };
        format!(
            "{value} at '{}' {}",
            self.place(lower_first),
            self.failure()
        )
    }

    /// The newer layer's sentence: no value, and members as the API spells them.
    pub(super) fn named(&self) -> String {
        if let Constraint::Arn(fault) = self.constraint {
            return self.arn_text(fault);
        }
        format!(
            "Value at '{}' {}",
            self.place(str::to_owned),
            self.failure()
        )
    }

    /// What is said of an ARN stands without its place (DDB-TABLE-011 and -442 of the source named in
    /// `operation/definition`; ExtendDB/extenddb#200 has the form in full).
    fn arn_text(&self, fault: ArnFault) -> String {
        match fault {
            ArnFault::Form => self.constraint.text(),
            ArnFault::ResourceType => {
                let arn = self.value.as_deref().unwrap_or_default();
                format!("{} in '{arn}'", self.constraint.text())
            }
        }
    }

    fn failure(&self) -> String {
        format!("failed to satisfy constraint: {}", self.constraint.text())
    }

    fn place(&self, name: impl Fn(&str) -> String) -> String {
        let mut place = String::new();
        for segment in &self.path {
            match segment {
                Segment::Member(member) => {
                    if !place.is_empty() {
                        place.push('.');
                    }
                    place.push_str(&name(member));
                }
                Segment::Element(number) => place.push_str(&format!(".{}.member", number + 1)),
                Segment::Entry(key) => place.push_str(&format!(".{key}.member")),
            }
        }
        place
    }
}

impl Constraint {
    pub(super) fn text(&self) -> String {
        match self {
            Self::NotNull => "Member must not be null".to_owned(),
            Self::MinLength(min) => {
                format!("Member must have length greater than or equal to {min}")
            }
            Self::MaxLength(max) => format!("Member must have length less than or equal to {max}"),
            Self::MinValue(min) => format!("Member must have value greater than or equal to {min}"),
            Self::MaxValue(max) => format!("Member must have value less than or equal to {max}"),
            Self::Pattern(pattern) => {
                format!(
                    "Member must satisfy regular expression pattern: {}",
                    pattern.text
                )
            }
            Self::OneOf(values) => {
                format!(
                    "Member must satisfy enum value set: [{}]",
                    values.join(", ")
                )
            }
            Self::Arn(ArnFault::ResourceType) => "Invalid resource type".to_owned(),
            Self::Arn(ArnFault::Form) => {
                let parts = [
                    "length less than or equal to 255",
                    "length greater than or equal to 3",
                ]
                .map(|part| format!("Resource name must have {part}"));
                format!(
                    "Valid ARN format is 'arn:<awsPartition>:<vendor>:<region>:<subscriber>:\
                     resourceType/resourceName', where {}, Resource name must satisfy regular \
                     expression pattern: {}",
                    parts.join(", "),
                    NAME.text
                )
            }
            Self::TableKeys => {
                let parts = [
                    Self::MaxLength(255),
                    Self::MinLength(3),
                    Self::Pattern(&NAME),
                ]
                .map(|p| p.text());
                format!("Map keys must satisfy constraint: [{}]", parts.join(", "))
            }
            Self::ValueLengths(min, max) => {
                let parts: Vec<String> = [max.map(Self::MaxLength), min.map(Self::MinLength)]
                    .into_iter()
                    .flatten()
                    .map(|part| part.text())
                    .collect();
                format!("Map value must satisfy constraint: [{}]", parts.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests;
