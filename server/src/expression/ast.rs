//! The trees that all expressions are parsed into, and that legacy parameters and PartiQL are
//! lowered to.
//!
//! A tree holds no values and no resolved names: `#name` and `:value` are numbers of slots in its
//! [`Slots`]. So a parsed expression depends on its text alone, can be cached by it, and is bound to
//! a request's names and values for each use. Names in a tree ([`Element::Attribute`]) were checked
//! against the reserved words by the parser; trees that are built by hand may name anything.

use std::fmt::{self, Display};

/// The placeholders a tree uses, each once, in order of appearance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    names: Vec<Box<str>>,
    values: Vec<Box<str>>,
}

/// A `#name` of a tree: an index into its [`Slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameSlot(pub(super) u16);

/// A `:value` of a tree: an index into its [`Slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueSlot(pub(super) u16);

impl Slots {
    /// The slot of a `#name`, added if it is new.
    ///
    /// An expression of 4 KB cannot have 2^16 placeholders; whoever builds a tree by hand must stay
    /// below that too (further ones all fall on the last slot).
    pub fn name(&mut self, placeholder: &str) -> NameSlot {
        NameSlot(intern(&mut self.names, placeholder))
    }

    /// The slot of a `:value`, added if it is new. See [`Slots::name`].
    pub fn value(&mut self, placeholder: &str) -> ValueSlot {
        ValueSlot(intern(&mut self.values, placeholder))
    }

    /// The `#name`s, in order of their slots.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    /// The `:value`s, in order of their slots.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &str> {
        self.values.iter().map(AsRef::as_ref)
    }

    /// The placeholder of a slot.
    pub(super) fn name_of(&self, slot: NameSlot) -> &str {
        self.names
            .get(usize::from(slot.0))
            .map_or("#", AsRef::as_ref)
    }

    /// The placeholder of a slot.
    pub(super) fn value_of(&self, slot: ValueSlot) -> &str {
        self.values
            .get(usize::from(slot.0))
            .map_or(":", AsRef::as_ref)
    }
}

/// The index of a placeholder in a list that grows by it if it is new.
fn intern(known: &mut Vec<Box<str>>, placeholder: &str) -> u16 {
    let index = known
        .iter()
        .position(|name| &**name == placeholder)
        .unwrap_or_else(|| {
            known.push(placeholder.into());
            known.len() - 1
        });
    u16::try_from(index).unwrap_or(u16::MAX)
}

/// One step of a document path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// An attribute of the item or of a map, by name.
    Attribute(Box<str>),
    /// The same, by placeholder.
    Name(NameSlot),
    /// An element of a list, counted from zero.
    Index(u32),
}

/// A document path: at least one element, the first of which is no index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(pub Vec<Element>);

impl Path {
    /// The path to a top-level attribute.
    #[must_use]
    pub fn attribute(name: &str) -> Self {
        Self(vec![Element::Attribute(name.into())])
    }
}

/// A function of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `attribute_exists(path)`
    AttributeExists,
    /// `attribute_not_exists(path)`
    AttributeNotExists,
    /// `attribute_type(path, :type)`
    AttributeType,
    /// `begins_with(path, :prefix)`
    BeginsWith,
    /// `contains(path, operand)`
    Contains,
    /// `size(path)`: an operand, where the others are conditions.
    Size,
    /// `if_not_exists(path, operand)`, in SET only.
    IfNotExists,
    /// `list_append(operand, operand)`, in SET only.
    ListAppend,
}

impl Function {
    /// The function's name, as written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AttributeExists => "attribute_exists",
            Self::AttributeNotExists => "attribute_not_exists",
            Self::AttributeType => "attribute_type",
            Self::BeginsWith => "begins_with",
            Self::Contains => "contains",
            Self::Size => "size",
            Self::IfNotExists => "if_not_exists",
            Self::ListAppend => "list_append",
        }
    }

    /// How many operands it takes.
    #[must_use]
    pub fn arity(self) -> usize {
        match self {
            Self::AttributeExists | Self::AttributeNotExists | Self::Size => 1,
            _ => 2,
        }
    }

    /// The function of conditions by that name. Case matters.
    #[must_use]
    pub fn of_conditions(name: &str) -> Option<Self> {
        [
            Self::AttributeExists,
            Self::AttributeNotExists,
            Self::AttributeType,
            Self::BeginsWith,
            Self::Contains,
            Self::Size,
        ]
        .into_iter()
        .find(|function| function.name() == name)
    }

    /// The function of updates by that name. Case matters.
    #[must_use]
    pub fn of_updates(name: &str) -> Option<Self> {
        [Self::IfNotExists, Self::ListAppend]
            .into_iter()
            .find(|function| function.name() == name)
    }
}

/// A function and its operands, of whatever number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The function.
    pub function: Function,
    /// Its operands. Their number is checked when the tree is bound.
    pub operands: Vec<Operand>,
}

/// What conditions compare and updates compute with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// What the item has at a path.
    Path(Path),
    /// A value of the request.
    Value(ValueSlot),
    /// What a function makes of its operands.
    Call(Call),
}

/// `=`, `<>`, `<`, `<=`, `>`, `>=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
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
}

impl Comparator {
    /// The operator, as written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether it orders its operands, which only strings, numbers and binary have.
    #[must_use]
    pub fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// The comparator for the operands the other way round: `a < b` is `b > a`.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

/// A condition: true or false of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// All of at least two.
    And(Vec<Predicate>),
    /// Any of at least two.
    Or(Vec<Predicate>),
    /// Not.
    Not(Box<Predicate>),
    /// `left comparator right`.
    Compare {
        /// The operator.
        comparator: Comparator,
        /// Its first operand.
        left: Operand,
        /// Its second operand.
        right: Operand,
    },
    /// `operand BETWEEN lower AND upper`, both included.
    Between {
        /// What is compared.
        operand: Operand,
        /// The lower bound.
        lower: Operand,
        /// The upper bound.
        upper: Operand,
    },
    /// `operand IN (candidates)`.
    In {
        /// What is compared.
        operand: Operand,
        /// At least one.
        candidates: Vec<Operand>,
    },
    /// A function that is true or false.
    Call(Call),
}

/// What SET computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetValue {
    /// `operand`
    Operand(Operand),
    /// `operand + operand`
    Sum(Operand, Operand),
    /// `operand - operand`
    Difference(Operand, Operand),
}

/// One clause of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `SET path = value`
    Set(Path, SetValue),
    /// `REMOVE path`
    Remove(Path),
    /// `ADD path :value`
    Add(Path, ValueSlot),
    /// `DELETE path :value`
    Delete(Path, ValueSlot),
}

impl Action {
    /// The path that the clause changes.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Set(path, _)
            | Self::Remove(path)
            | Self::Add(path, _)
            | Self::Delete(path, _) => path,
        }
    }
}

/// A tree with the slots it uses, for printing.
pub(super) struct Printed<'a, T>(pub(super) &'a T, pub(super) &'a Slots);

impl Display for Printed<'_, Path> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, element) in self.0.0.iter().enumerate() {
            if position > 0 && !matches!(element, Element::Index(_)) {
                f.write_str(".")?;
            }
            match element {
                Element::Attribute(name) => f.write_str(name)?,
                Element::Name(slot) => f.write_str(self.1.name_of(*slot))?,
                Element::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Display for Printed<'_, Operand> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Operand::Path(path) => Printed(path, self.1).fmt(f),
            Operand::Value(slot) => f.write_str(self.1.value_of(*slot)),
            Operand::Call(call) => Printed(call, self.1).fmt(f),
        }
    }
}

impl Display for Printed<'_, Call> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.function.name())?;
        list(f, &self.0.operands, self.1)
    }
}

/// `(a, b)`.
fn list(f: &mut fmt::Formatter<'_>, operands: &[Operand], slots: &Slots) -> fmt::Result {
    f.write_str("(")?;
    for (position, operand) in operands.iter().enumerate() {
        if position > 0 {
            f.write_str(", ")?;
        }
        Printed(operand, slots).fmt(f)?;
    }
    f.write_str(")")
}

impl Printed<'_, Predicate> {
    /// Writes a part of AND, OR or NOT, in parentheses where it binds no tighter than they do.
    fn part(&self, f: &mut fmt::Formatter<'_>, part: &Predicate, alone: bool) -> fmt::Result {
        if alone {
            Printed(part, self.1).fmt(f)
        } else {
            write!(f, "({})", Printed(part, self.1))
        }
    }

    /// Writes the parts of AND or OR.
    fn joined(
        &self,
        f: &mut fmt::Formatter<'_>,
        parts: &[Predicate],
        word: &str,
        alone: impl Fn(&Predicate) -> bool,
    ) -> fmt::Result {
        for (position, part) in parts.iter().enumerate() {
            if position > 0 {
                write!(f, " {word} ")?;
            }
            self.part(f, part, alone(part))?;
        }
        Ok(())
    }
}

impl Display for Printed<'_, Predicate> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = self.1;
        match self.0 {
            Predicate::And(parts) => self.joined(f, parts, "AND", |part| {
                !matches!(part, Predicate::And(_) | Predicate::Or(_))
            }),
            Predicate::Or(parts) => {
                self.joined(f, parts, "OR", |part| !matches!(part, Predicate::Or(_)))
            }
            Predicate::Not(part) => {
                f.write_str("NOT ")?;
                self.part(
                    f,
                    part,
                    !matches!(**part, Predicate::And(_) | Predicate::Or(_)),
                )
            }
            Predicate::Compare {
                comparator,
                left,
                right,
            } => {
                let (left, right) = (Printed(left, slots), Printed(right, slots));
                write!(f, "{left} {} {right}", comparator.name())
            }
            Predicate::Between {
                operand,
                lower,
                upper,
            } => {
                let (lower, upper) = (Printed(lower, slots), Printed(upper, slots));
                write!(f, "{} BETWEEN {lower} AND {upper}", Printed(operand, slots))
            }
            Predicate::In {
                operand,
                candidates,
            } => {
                write!(f, "{} IN ", Printed(operand, slots))?;
                list(f, candidates, slots)
            }
            Predicate::Call(call) => Printed(call, slots).fmt(f),
        }
    }
}

impl Display for Printed<'_, SetValue> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = self.1;
        match self.0 {
            SetValue::Operand(operand) => Printed(operand, slots).fmt(f),
            SetValue::Sum(left, right) => {
                write!(f, "{} + {}", Printed(left, slots), Printed(right, slots))
            }
            SetValue::Difference(left, right) => {
                write!(f, "{} - {}", Printed(left, slots), Printed(right, slots))
            }
        }
    }
}
