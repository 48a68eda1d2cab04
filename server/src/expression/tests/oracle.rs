//! What expressions mean, written down once more: slowly, on trees, by another way.

use std::collections::BTreeMap;

use crate::expression::ast::{
    Action, Call, Comparator, Element, Function, Operand, Path, Predicate, SetValue, ValueSlot,
};
use crate::expression::error::ItemError;
use crate::item::{Item, ItemBuilder, ItemRef, Number, NumberError, Tree};

/// An item as a tree.
pub(super) type Attributes = BTreeMap<String, Tree>;

/// The item of a tree.
pub(super) fn item(attributes: &Attributes) -> Item {
    let mut builder = ItemBuilder::new();
    for (name, value) in attributes {
        builder.put(name, value.encode().as_ref());
    }
    builder.build()
}

/// The tree of an item.
pub(super) fn attributes(item: ItemRef<'_>) -> Attributes {
    item.iter()
        .map(|(name, value)| (name.to_owned(), Tree::from(value)))
        .collect()
}

/// The values of slots: tests have no names in slots.
pub(super) struct Oracle<'a> {
    pub(super) values: &'a [Tree],
}

impl Oracle<'_> {
    fn value(&self, slot: ValueSlot) -> Tree {
        self.values[usize::from(slot.0)].clone()
    }

    fn get(&self, path: &Path, item: &Attributes) -> Option<Tree> {
        let mut found = Tree::M(item.clone());
        for element in &path.0 {
            found = match (found, element) {
                (Tree::M(mut map), Element::Attribute(name)) => map.remove(&**name)?,
                (Tree::L(list), Element::Index(index)) => list.get(*index as usize)?.clone(),
                _ => return None,
            };
        }
        Some(found)
    }

    fn operand(&self, operand: &Operand, item: &Attributes) -> Option<Tree> {
        match operand {
            Operand::Path(path) => self.get(path, item),
            Operand::Value(slot) => Some(self.value(*slot)),
            Operand::Call(call) => {
                let size = match self.operand(&call.operands[0], item)? {
                    Tree::S(text) => text.chars().map(char::len_utf16).sum(),
                    Tree::B(bytes) => bytes.len(),
                    Tree::M(map) => map.len(),
                    Tree::L(list) => list.len(),
                    Tree::SS(set) => set.len(),
                    Tree::NS(set) => set.len(),
                    Tree::BS(set) => set.len(),
                    Tree::N(_) | Tree::Bool(_) | Tree::Null => return None,
                };
                Some(Tree::N(Number::from(size as u64)))
            }
        }
    }

    pub(super) fn evaluate(&self, predicate: &Predicate, item: &Attributes) -> bool {
        let operand = |operand| self.operand(operand, item);
        match predicate {
            Predicate::And(parts) => !parts.iter().any(|part| !self.evaluate(part, item)),
            Predicate::Or(parts) => !parts.iter().all(|part| !self.evaluate(part, item)),
            Predicate::Not(part) => !self.evaluate(part, item),
            Predicate::Compare {
                comparator,
                left,
                right,
            } => compare(*comparator, operand(left), operand(right)),
            Predicate::Between {
                operand: value,
                lower,
                upper,
            } => {
                compare(Comparator::GreaterOrEqual, operand(value), operand(lower))
                    && compare(Comparator::LessOrEqual, operand(value), operand(upper))
            }
            Predicate::In {
                operand: value,
                candidates,
            } => candidates
                .iter()
                .any(|candidate| compare(Comparator::Equal, operand(value), operand(candidate))),
            Predicate::Call(call) => self.call(call, item),
        }
    }

    fn call(&self, call: &Call, item: &Attributes) -> bool {
        let operands: Vec<_> = call
            .operands
            .iter()
            .map(|operand| self.operand(operand, item))
            .collect();
        match (call.function, operands.as_slice()) {
            (Function::AttributeExists, [found]) => found.is_some(),
            (Function::AttributeNotExists, [found]) => found.is_none(),
            (Function::AttributeType, [Some(value), Some(Tree::S(name))]) => {
                value.kind().name() == name
            }
            (Function::BeginsWith, [Some(Tree::S(text)), Some(Tree::S(prefix))]) => {
                text.strip_prefix(prefix.as_str()).is_some()
            }
            (Function::BeginsWith, [Some(Tree::B(bytes)), Some(Tree::B(prefix))]) => {
                bytes.get(..prefix.len()) == Some(prefix)
            }
            (Function::Contains, [Some(whole), Some(part)]) => match (whole, part) {
                (Tree::S(whole), Tree::S(part)) => whole.contains(part.as_str()),
                (Tree::B(whole), Tree::B(part)) => {
                    (0..=whole.len()).any(|start| whole[start..].starts_with(part))
                }
                (Tree::SS(set), Tree::S(part)) => set.contains(part),
                (Tree::NS(set), Tree::N(part)) => set.contains(part),
                (Tree::BS(set), Tree::B(part)) => set.contains(part),
                (Tree::L(list), part) => list.contains(part),
                _ => false,
            },
            _ => false,
        }
    }

    /// The item after an update, what it had at the update's paths, and what was written there.
    ///
    /// The actions are carried out one after the other on one tree, those with the larger indexes
    /// first, so that no index has moved when its turn comes.
    pub(super) fn update(
        &self,
        actions: &[Action],
        old: &Attributes,
    ) -> Result<(Attributes, Attributes, Attributes), ItemError> {
        let mut writes = Vec::new();
        for action in actions {
            writes.push((action.path(), self.written(action, old)?));
        }
        writes.sort_by(|(left, _), (right, _)| elements(right).cmp(elements(left)));
        let mut new = Tree::M(old.clone());
        for (path, write) in &writes {
            carry_out(&mut new, &path.0, write, &Tree::M(old.clone()))?;
        }
        let before = |path| self.get(path, old);
        let had = gather(
            writes
                .iter()
                .filter_map(|(path, _)| Some((*path, before(path)?))),
        );
        let wrote = gather(writes.iter().filter_map(|(path, write)| match write {
            Write::Put(value) => Some((*path, value.clone())),
            Write::Remove | Write::Nothing => None,
        }));
        match new {
            Tree::M(new) => Ok((new, had, wrote)),
            _ => unreachable!(),
        }
    }

    fn written(&self, action: &Action, old: &Attributes) -> Result<Write, ItemError> {
        match action {
            Action::Set(_, value) => self.computed(value, old).map(Write::Put),
            Action::Remove(_) => Ok(Write::Remove),
            Action::Add(path, slot) => {
                let Some(current) = self.get(path, old) else {
                    return Ok(Write::Put(self.value(*slot)));
                };
                match (current, self.value(*slot)) {
                    (Tree::N(one), Tree::N(two)) => sum(one.checked_add(&two)),
                    (Tree::SS(one), Tree::SS(two)) => Ok(Tree::SS(&one | &two)),
                    (Tree::NS(one), Tree::NS(two)) => Ok(Tree::NS(&one | &two)),
                    (Tree::BS(one), Tree::BS(two)) => Ok(Tree::BS(&one | &two)),
                    _ => Err(ItemError::OperandType),
                }
                .map(Write::Put)
            }
            Action::Delete(path, slot) => {
                let Some(current) = self.get(path, old) else {
                    return Ok(Write::Nothing);
                };
                let left = match (current, self.value(*slot)) {
                    (Tree::SS(one), Tree::SS(two)) => Tree::SS(&one - &two),
                    (Tree::NS(one), Tree::NS(two)) => Tree::NS(&one - &two),
                    (Tree::BS(one), Tree::BS(two)) => Tree::BS(&one - &two),
                    _ => return Err(ItemError::OperandType),
                };
                let empty = match &left {
                    Tree::SS(set) => set.is_empty(),
                    Tree::NS(set) => set.is_empty(),
                    Tree::BS(set) => set.is_empty(),
                    _ => false,
                };
                Ok(if empty {
                    Write::Remove
                } else {
                    Write::Put(left)
                })
            }
        }
    }

    fn computed(&self, value: &SetValue, old: &Attributes) -> Result<Tree, ItemError> {
        let number = |operand| match self.read(operand, old)? {
            Tree::N(number) => Ok(number),
            _ => Err(ItemError::OperandType),
        };
        match value {
            SetValue::Operand(operand) => self.read(operand, old),
            SetValue::Sum(left, right) => sum(number(left)?.checked_add(&number(right)?)),
            SetValue::Difference(left, right) => sum(number(left)?.checked_sub(&number(right)?)),
        }
    }

    fn read(&self, operand: &Operand, old: &Attributes) -> Result<Tree, ItemError> {
        match operand {
            Operand::Path(path) => self.get(path, old).ok_or(ItemError::MissingAttribute),
            Operand::Value(slot) => Ok(self.value(*slot)),
            Operand::Call(call) if call.function == Function::IfNotExists => self
                .read(&call.operands[0], old)
                .or_else(|_| self.read(&call.operands[1], old)),
            Operand::Call(call) => {
                match (
                    self.read(&call.operands[0], old)?,
                    self.read(&call.operands[1], old)?,
                ) {
                    (Tree::L(one), Tree::L(two)) => Ok(Tree::L([one, two].concat())),
                    _ => Err(ItemError::OperandType),
                }
            }
        }
    }
}

/// What an item has at some paths.
pub(super) fn project(paths: &[Path], item: &Attributes) -> Attributes {
    let oracle = Oracle { values: &[] };
    gather(
        paths
            .iter()
            .filter_map(|path| Some((path, oracle.get(path, item)?))),
    )
}

fn compare(comparator: Comparator, left: Option<Tree>, right: Option<Tree>) -> bool {
    let (Some(left), Some(right)) = (left, right) else {
        return comparator == Comparator::NotEqual;
    };
    let order = match (&left, &right) {
        (Tree::S(left), Tree::S(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        (Tree::N(left), Tree::N(right)) => left.to_f64().partial_cmp(&right.to_f64()),
        (Tree::B(left), Tree::B(right)) => Some(left.cmp(right)),
        _ => None,
    };
    match comparator {
        Comparator::Equal => left == right,
        Comparator::NotEqual => left != right,
        Comparator::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Comparator::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        Comparator::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        Comparator::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
    }
}

fn sum(sum: Result<Number, NumberError>) -> Result<Tree, ItemError> {
    sum.map(Tree::N)
        .map_err(|error| ItemError::Number(error.to_string()))
}

/// What is to be done at the end of a path.
enum Write {
    Put(Tree),
    Remove,
    Nothing,
}

/// Something to sort paths by.
fn elements(path: &Path) -> impl Iterator<Item = (u32, &str)> {
    path.0.iter().map(|element| match element {
        Element::Attribute(name) => (0, &**name),
        Element::Index(index) => (*index, ""),
        Element::Name(_) => unreachable!("no slots here"),
    })
}

/// Carries out one write. `old` is what stood here before the update.
fn carry_out(
    tree: &mut Tree,
    path: &[Element],
    write: &Write,
    old: &Tree,
) -> Result<(), ItemError> {
    let (first, rest) = path.split_first().unwrap();
    match (tree, old, first) {
        (Tree::M(map), Tree::M(old), Element::Attribute(name)) => {
            let name = name.to_string();
            if !rest.is_empty() {
                let child = map.get_mut(&name).ok_or(ItemError::InvalidPath)?;
                return carry_out(child, rest, write, &old[&name]);
            }
            match write {
                Write::Put(value) => drop(map.insert(name, value.clone())),
                Write::Remove => drop(map.remove(&name)),
                Write::Nothing => {}
            }
        }
        (Tree::L(list), Tree::L(old), Element::Index(index)) => {
            let index = *index as usize;
            if !rest.is_empty() {
                let old = old.get(index).ok_or(ItemError::InvalidPath)?;
                return carry_out(&mut list[index], rest, write, old);
            }
            match write {
                Write::Put(value) if index < old.len() => list[index] = value.clone(),
                // Larger indexes were appended before, and stand behind this one.
                Write::Put(value) => list.insert(old.len(), value.clone()),
                Write::Remove if index < old.len() => drop(list.remove(index)),
                Write::Remove | Write::Nothing => {}
            }
        }
        _ => return Err(ItemError::InvalidPath),
    }
    Ok(())
}

/// Values at paths, being put together.
enum Gathered {
    Value(Tree),
    Map(BTreeMap<String, Gathered>),
    List(BTreeMap<u32, Gathered>),
}

fn gather<'a>(found: impl Iterator<Item = (&'a Path, Tree)>) -> Attributes {
    let mut root = Gathered::Map(BTreeMap::new());
    for (path, value) in found {
        place(&mut root, &path.0, value);
    }
    match finish(root) {
        Tree::M(attributes) => attributes,
        _ => unreachable!(),
    }
}

fn place(gathered: &mut Gathered, path: &[Element], value: Tree) {
    let Some((first, rest)) = path.split_first() else {
        *gathered = Gathered::Value(value);
        return;
    };
    let empty = || match rest.first() {
        Some(Element::Index(_)) => Gathered::List(BTreeMap::new()),
        _ => Gathered::Map(BTreeMap::new()),
    };
    match (gathered, first) {
        (Gathered::Map(map), Element::Attribute(name)) => {
            place(
                map.entry(name.to_string()).or_insert_with(empty),
                rest,
                value,
            );
        }
        (Gathered::List(list), Element::Index(index)) => {
            place(list.entry(*index).or_insert_with(empty), rest, value);
        }
        _ => unreachable!("paths neither overlap nor conflict"),
    }
}

fn finish(gathered: Gathered) -> Tree {
    match gathered {
        Gathered::Value(value) => value,
        Gathered::Map(map) => Tree::M(
            map.into_iter()
                .map(|(name, child)| (name, finish(child)))
                .collect(),
        ),
        Gathered::List(list) => Tree::L(list.into_values().map(finish).collect()),
    }
}
