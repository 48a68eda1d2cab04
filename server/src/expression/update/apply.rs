//! The item with an update's changes in it.
//!
//! An item is not taken apart to be changed: what no path leads into is copied as bytes, and only the
//! maps and lists on the way to a change are written anew.

use super::value::Change;
use crate::expression::error::ItemError;
use crate::expression::path_tree::{Attributes, Node};
use crate::item::{Item, ItemBuilder, ItemRef, MAX_NESTING, MapRef, Value, ValueRef};

/// A value as it was, or a new one.
enum Written<'a> {
    Old(ValueRef<'a>),
    New(Value),
}

impl Written<'_> {
    fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Old(value) => *value,
            Self::New(value) => value.as_ref(),
        }
    }
}

/// The item after the changes.
pub(super) fn apply(
    targets: &Attributes<usize>,
    changes: &[Change],
    item: ItemRef<'_>,
) -> Result<Item, ItemError> {
    let mut builder = ItemBuilder::with_capacity(item.as_bytes().len() + 64);
    merge(item.as_map(), targets, changes, 1, |name, value| {
        builder.put(name, value.as_ref());
    })?;
    Ok(builder.build())
}

/// Gives the entries of a map after the changes, in order of their names. `level` is the nesting
/// level of its values.
fn merge<'a>(
    map: MapRef<'a>,
    children: &'a Attributes<usize>,
    changes: &[Change],
    level: usize,
    mut emit: impl FnMut(&'a str, Written<'a>),
) -> Result<(), ItemError> {
    let mut entries = map.iter().peekable();
    for (name, node) in children {
        let name = &**name;
        while let Some((before, value)) = entries.next_if(|(before, _)| *before < name) {
            emit(before, Written::Old(value));
        }
        let current = entries
            .next_if(|(known, _)| *known == name)
            .map(|(_, value)| value);
        if let Some(value) = written(node, changes, current, level)? {
            emit(name, value);
        }
    }
    entries.for_each(|(name, value)| emit(name, Written::Old(value)));
    Ok(())
}

/// What stands at a node after the changes.
fn written<'a>(
    node: &'a Node<usize>,
    changes: &[Change],
    current: Option<ValueRef<'a>>,
    level: usize,
) -> Result<Option<Written<'a>>, ItemError> {
    match node {
        Node::Leaf(place) => match changes.get(*place) {
            Some(Change::Set(value)) => {
                if level + value.as_ref().depth() > MAX_NESTING + 1 {
                    return Err(ItemError::TooDeep);
                }
                Ok(Some(Written::New(value.clone())))
            }
            Some(Change::Remove) => Ok(None),
            Some(Change::Keep) | None => Ok(current.map(Written::Old)),
        },
        Node::Attributes(children) => {
            let map = current
                .and_then(ValueRef::as_map)
                .ok_or(ItemError::InvalidPath)?;
            let mut entries = Vec::new();
            merge(map, children, changes, level + 1, |name, value| {
                entries.push((name, value))
            })?;
            let entries = entries.iter().map(|(name, value)| (*name, value.as_ref()));
            Ok(Some(Written::New(Value::map(entries))))
        }
        Node::Elements(children) => {
            let list = current
                .and_then(ValueRef::as_list)
                .ok_or(ItemError::InvalidPath)?;
            let elements = elements(list.iter(), children, changes, level + 1)?;
            Ok(Some(Written::New(Value::list(
                elements.iter().map(Written::as_ref),
            ))))
        }
    }
}

/// The elements of a list after the changes. What is set behind the end is appended, in order of the
/// indexes and without gaps (developer guide, "SET — modifying or adding item attributes", "Adding
/// elements to a list"); what is removed behind it was never there.
fn elements<'a>(
    list: impl Iterator<Item = ValueRef<'a>>,
    children: &'a [(u32, Node<usize>)],
    changes: &[Change],
    level: usize,
) -> Result<Vec<Written<'a>>, ItemError> {
    let mut children = children.iter().peekable();
    let mut elements = Vec::new();
    for (place, element) in list.enumerate() {
        let here = |(index, _): &&(u32, Node<usize>)| usize::try_from(*index) == Ok(place);
        match children.next_if(here) {
            Some((_, node)) => elements.extend(written(node, changes, Some(element), level)?),
            None => elements.push(Written::Old(element)),
        }
    }
    for (_, node) in children {
        elements.extend(written(node, changes, None, level)?);
    }
    Ok(elements)
}

/// What the changes wrote, in the places they wrote it.
pub(super) fn updated_new(targets: &Attributes<usize>, changes: &[Change]) -> Option<Item> {
    let mut builder = ItemBuilder::new();
    let mut found = false;
    for (name, node) in targets {
        if let Some(value) = fragment(node, changes) {
            builder.put(name, value.as_ref());
            found = true;
        }
    }
    found.then(|| builder.build())
}

/// What the changes below a node wrote.
fn fragment(node: &Node<usize>, changes: &[Change]) -> Option<Value> {
    match node {
        Node::Leaf(place) => match changes.get(*place) {
            Some(Change::Set(value)) => Some(value.clone()),
            Some(Change::Remove | Change::Keep) | None => None,
        },
        Node::Attributes(children) => {
            let found: Vec<(&str, Value)> = children
                .iter()
                .filter_map(|(name, child)| Some((&**name, fragment(child, changes)?)))
                .collect();
            let entries = found.iter().map(|(name, value)| (*name, value.as_ref()));
            (!found.is_empty()).then(|| Value::map(entries))
        }
        Node::Elements(children) => {
            let found: Vec<Value> = children
                .iter()
                .filter_map(|(_, child)| fragment(child, changes))
                .collect();
            (!found.is_empty()).then(|| Value::list(found.iter().map(Value::as_ref)))
        }
    }
}
