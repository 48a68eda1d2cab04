//! What the slots of one tree stand for, and paths followed with it.

use super::ast::{Element, NameSlot, Path, Slots, ValueSlot};
use super::error::Reason;
use super::placeholders::{Placeholders, Resolved};
use crate::item::{ItemRef, Value, ValueRef};

/// The names and values of a request that a tree uses, by slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bindings {
    names: Box<[Box<str>]>,
    values: Box<[Value]>,
}

/// One step of a path, resolved. Attributes come before indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step<'a> {
    Attribute(&'a str),
    Index(u32),
}

impl Bindings {
    fn name(&self, slot: NameSlot) -> &str {
        self.names
            .get(usize::from(slot.0))
            .map_or("", AsRef::as_ref)
    }

    /// The value of a slot.
    pub(super) fn value(&self, slot: ValueSlot) -> ValueRef<'_> {
        self.values
            .get(usize::from(slot.0))
            .map_or(ValueRef::NULL, Value::as_ref)
    }

    /// The value of a slot, owned: its bytes are shared, not copied.
    pub(super) fn owned_value(&self, slot: ValueSlot) -> Value {
        self.values
            .get(usize::from(slot.0))
            .cloned()
            .unwrap_or_else(Value::null)
    }

    fn step<'a>(&'a self, element: &'a Element) -> Step<'a> {
        match element {
            Element::Attribute(name) => Step::Attribute(name),
            Element::Name(slot) => Step::Attribute(self.name(*slot)),
            Element::Index(index) => Step::Index(*index),
        }
    }

    /// The steps of a path.
    pub(super) fn steps<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = Step<'a>> {
        path.0.iter().map(|element| self.step(element))
    }

    /// The top-level attribute that a path starts at.
    pub(super) fn attribute<'a>(&'a self, path: &'a Path) -> &'a str {
        match path.0.first().map(|element| self.step(element)) {
            Some(Step::Attribute(name)) => name,
            _ => "",
        }
    }

    /// What an item has at a path.
    pub(super) fn get<'i>(&self, path: &Path, item: ItemRef<'i>) -> Option<ValueRef<'i>> {
        let mut steps = self.steps(path);
        let Some(Step::Attribute(first)) = steps.next() else {
            return None;
        };
        steps.try_fold(item.get(first)?, |value, step| match step {
            Step::Attribute(name) => value.get(name),
            Step::Index(index) => value.index(usize::try_from(index).ok()?),
        })
    }

    /// A path as errors show it: `[a, b, [0]]`.
    pub(super) fn show(&self, path: &Path) -> String {
        let steps: Vec<String> = self
            .steps(path)
            .map(|step| match step {
                Step::Attribute(name) => name.to_owned(),
                Step::Index(index) => format!("[{index}]"),
            })
            .collect();
        format!("[{}]", steps.join(", "))
    }

    /// Whether two paths are the same, whatever they are written as.
    pub(super) fn same(&self, one: &Path, two: &Path) -> bool {
        self.steps(one).eq(self.steps(two))
    }
}

/// Which slots a request leaves undefined, while a tree is being bound.
pub(super) struct Undefined<'a> {
    slots: &'a Slots,
    names: Vec<bool>,
    values: Vec<bool>,
}

impl Undefined<'_> {
    /// Checks the placeholders of a path.
    pub(super) fn check_path(&self, path: &Path) -> Result<(), Reason> {
        for element in &path.0 {
            if let Element::Name(slot) = element
                && self
                    .names
                    .get(usize::from(slot.0))
                    .is_none_or(|undefined| *undefined)
            {
                return Err(Reason::UndefinedName {
                    name: self.slots.name_of(*slot).to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Checks the placeholder of a value.
    pub(super) fn check_value(&self, slot: ValueSlot) -> Result<(), Reason> {
        if self
            .values
            .get(usize::from(slot.0))
            .is_none_or(|undefined| *undefined)
        {
            return Err(Reason::UndefinedValue {
                name: self.slots.value_of(slot).to_owned(),
            });
        }
        Ok(())
    }
}

/// Binds the slots of a tree. What is undefined stays unnoticed until the tree is walked, since the
/// order of the walk decides which error is reported.
pub(super) fn bind<'a>(
    slots: &'a Slots,
    placeholders: &mut Placeholders,
) -> (Bindings, Undefined<'a>) {
    let Resolved { names, values } = placeholders.resolve(slots);
    let undefined = Undefined {
        slots,
        names: names.iter().map(Option::is_none).collect(),
        values: values.iter().map(Option::is_none).collect(),
    };
    let bindings = Bindings {
        names: names.into_iter().map(Option::unwrap_or_default).collect(),
        values: values
            .into_iter()
            .map(|value| value.unwrap_or_else(Value::null))
            .collect(),
    };
    (bindings, undefined)
}
