//! Several document paths as one tree: what projections and updates walk items with, and how paths
//! that overlap or conflict are found.

use super::ast::Path;
use super::binding::{Bindings, Step};
use super::error::Reason;
use crate::item::{Item, ItemBuilder, ItemRef, Value, ValueRef};

/// Paths with the same start share it. Children are in order of their names or indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node<T> {
    /// A path ends here.
    Leaf(T),
    /// Paths go on into a map.
    Attributes(Attributes<T>),
    /// Paths go on into a list.
    Elements(Vec<(u32, Node<T>)>),
}

/// Paths by the attribute they start or go on with.
pub(super) type Attributes<T> = Vec<(Box<str>, Node<T>)>;

/// How a path does not fit those before it.
enum Misfit {
    Overlap,
    Conflict,
}

/// The tree of all paths, with something to keep at the end of each.
///
/// # Errors
///
/// The first two paths that overlap or, if none do, that conflict.
pub(super) fn build<'p, T>(
    bindings: &Bindings,
    paths: impl Iterator<Item = (&'p Path, T)> + Clone,
) -> Result<Attributes<T>, Reason> {
    let mut root = Node::Attributes(Vec::new());
    for (path, leaf) in paths.clone() {
        let steps: Vec<Step<'_>> = bindings.steps(path).collect();
        if insert(&mut root, &steps, leaf).is_err() {
            let paths: Vec<&Path> = paths.map(|(path, _)| path).collect();
            return Err(misfits(bindings, &paths));
        }
    }
    match root {
        Node::Attributes(attributes) => Ok(attributes),
        Node::Leaf(_) | Node::Elements(_) => Ok(Vec::new()),
    }
}

/// Adds a path below a node.
fn insert<T>(node: &mut Node<T>, steps: &[Step<'_>], leaf: T) -> Result<(), Misfit> {
    let Some((step, rest)) = steps.split_first() else {
        return Err(Misfit::Overlap);
    };
    match (node, step) {
        (Node::Leaf(_), _) => Err(Misfit::Overlap),
        (Node::Attributes(children), Step::Attribute(name)) => {
            let found = children.binary_search_by(|(known, _)| (**known).cmp(name));
            add(children, found, || (*name).into(), rest, leaf)
        }
        (Node::Elements(children), Step::Index(index)) => {
            let found = children.binary_search_by(|(known, _)| known.cmp(index));
            add(children, found, || *index, rest, leaf)
        }
        _ => Err(Misfit::Conflict),
    }
}

/// Adds what is left of a path to the child found, or as a new child.
fn add<K, T>(
    children: &mut Vec<(K, Node<T>)>,
    found: Result<usize, usize>,
    key: impl FnOnce() -> K,
    rest: &[Step<'_>],
    leaf: T,
) -> Result<(), Misfit> {
    match found {
        Ok(position) => match children.get_mut(position) {
            Some((_, child)) => insert(child, rest, leaf),
            None => Err(Misfit::Overlap),
        },
        Err(position) => {
            children.insert(position, (key(), chain(rest, leaf)));
            Ok(())
        }
    }
}

/// The node for one path alone.
fn chain<T>(steps: &[Step<'_>], leaf: T) -> Node<T> {
    steps
        .iter()
        .rev()
        .fold(Node::Leaf(leaf), |child, step| match step {
            Step::Attribute(name) => Node::Attributes(vec![((*name).into(), child)]),
            Step::Index(index) => Node::Elements(vec![(*index, child)]),
        })
}

/// Names the two paths that do not fit, for the error. Slow, and called only if there are some.
fn misfits(bindings: &Bindings, paths: &[&Path]) -> Reason {
    let mut conflict = None;
    for (position, two) in paths.iter().enumerate() {
        for one in paths.iter().take(position) {
            match misfit(bindings, one, two) {
                Some(Misfit::Overlap) => {
                    let (one, two) = (bindings.show(one), bindings.show(two));
                    return Reason::PathsOverlap { one, two };
                }
                Some(Misfit::Conflict) => conflict = conflict.or(Some((*one, *two))),
                None => {}
            }
        }
    }
    let (one, two) = conflict.map_or_else(Default::default, |(one, two)| {
        (bindings.show(one), bindings.show(two))
    });
    Reason::PathsConflict { one, two }
}

/// How two paths do not fit.
fn misfit(bindings: &Bindings, one: &Path, two: &Path) -> Option<Misfit> {
    for (left, right) in bindings.steps(one).zip(bindings.steps(two)) {
        match (left, right) {
            (Step::Attribute(_), Step::Index(_)) | (Step::Index(_), Step::Attribute(_)) => {
                return Some(Misfit::Conflict);
            }
            _ if left != right => return None,
            _ => {}
        }
    }
    Some(Misfit::Overlap)
}

/// What an item has at the paths, in the places it has it; lists hold what was found in them, close
/// together and in order.
pub(super) fn project<T>(attributes: &Attributes<T>, item: ItemRef<'_>) -> Item {
    let mut builder = ItemBuilder::new();
    for (name, node) in attributes {
        match (item.get(name), node) {
            (Some(value), Node::Leaf(_)) => {
                builder.put(name, value);
            }
            (Some(value), node) => {
                if let Some(value) = project_value(node, value) {
                    builder.put(name, value.as_ref());
                }
            }
            (None, _) => {}
        }
    }
    builder.build()
}

/// What a value has at the paths below a node; `None` if it has nothing there.
fn project_value<T>(node: &Node<T>, value: ValueRef<'_>) -> Option<Value> {
    match node {
        Node::Leaf(_) => Some(value.to_value()),
        Node::Attributes(children) => {
            let map = value.as_map()?;
            let found: Vec<(&str, Value)> = children
                .iter()
                .filter_map(|(name, child)| Some((&**name, project_value(child, map.get(name)?)?)))
                .collect();
            let entries = found.iter().map(|(name, value)| (*name, value.as_ref()));
            (!found.is_empty()).then(|| Value::map(entries))
        }
        Node::Elements(children) => {
            let mut elements = value.as_list()?.iter();
            let mut next = 0;
            let mut found = Vec::new();
            for (index, child) in children {
                // Children are in order, so one pass over the elements finds them all.
                let Some(element) =
                    elements.nth(usize::try_from(*index - next).unwrap_or(usize::MAX))
                else {
                    break;
                };
                next = *index + 1;
                found.extend(project_value(child, element));
            }
            (!found.is_empty()).then(|| Value::list(found.iter().map(Value::as_ref)))
        }
    }
}
