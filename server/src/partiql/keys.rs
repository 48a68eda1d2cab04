//! Which part of a WHERE clause is about the key: what makes a read a Query, and a write possible.
//!
//! All of the clause is evaluated again as a filter or condition, so that nothing is wrong if a part
//! of it is not recognised here; only more is read than need be.

use std::sync::Arc;

use crate::expression::{
    Condition, KeyCondition,
    ast::{Call, Comparator, Element, Function, Operand, Path, Predicate, Slots},
};

/// What a WHERE clause selects: the union of these.
#[derive(Debug)]
pub struct Keyed {
    /// At least one.
    pub branches: Vec<Branch>,
    /// Whether they are the branches of an OR.
    pub alternatives: bool,
}

/// A part of one partition.
#[derive(Debug)]
pub struct Branch {
    /// Equality of the partition key, each with one test of the sort key, if there is any: the part
    /// is what all of them select.
    pub conditions: Vec<Arc<KeyCondition>>,
    /// Whether something that is not so is said of the sort key. Such a branch may overlap others.
    pub negated: bool,
}

/// A WHERE clause that names one item.
#[derive(Debug)]
pub struct Whole {
    /// Equality of each key attribute.
    pub condition: Arc<KeyCondition>,
    /// Whether it says nothing else.
    pub alone: bool,
}

/// The parts of partitions that a condition selects under a key of one or two attributes; `None` if
/// it does not name the partitions.
#[must_use]
pub fn keyed(condition: &Condition, hash: &str, sort: Option<&str>) -> Option<Keyed> {
    let slots = condition.slots();
    let (parts, alternatives): (Vec<&Predicate>, bool) = match condition.root() {
        Predicate::Or(parts) => (parts.iter().collect(), true),
        root => (vec![root], false),
    };
    let mut branches = Vec::new();
    for part in parts {
        branches.extend(branches_of(part, slots, hash, sort)?);
    }
    Some(Keyed {
        branches,
        alternatives,
    })
}

/// The branches of a conjunction: one for each value of the partition key, and for each of those of
/// a sort key that is in a list.
fn branches_of(
    predicate: &Predicate,
    slots: &Slots,
    hash: &str,
    sort: Option<&str>,
) -> Option<Vec<Branch>> {
    let conjuncts = conjuncts(predicate);
    let partitions = conjuncts.iter().find_map(|part| equalities(part, hash))?;
    let tests = sort.map_or_else(Vec::new, |sort| {
        let tests = conjuncts.iter();
        let tests = tests.filter_map(|part| range_test(part, sort));
        tests.collect::<Vec<Predicate>>()
    });
    let listed = match (sort, tests.is_empty()) {
        (Some(sort), true) => conjuncts.iter().find_map(|part| equalities(part, sort)),
        _ => None,
    };
    let negated = sort.is_some_and(|sort| conjuncts.iter().any(|part| negates(part, sort)));
    let key = |parts: Vec<Predicate>| {
        let root = match <[Predicate; 1]>::try_from(parts) {
            Ok([one]) => one,
            Err(parts) => Predicate::And(parts),
        };
        Arc::new(KeyCondition::new(root, slots.clone()))
    };
    let mut branches = Vec::new();
    for partition in partitions {
        let mut add = |conditions: Vec<Arc<KeyCondition>>| {
            branches.push(Branch {
                conditions,
                negated,
            });
        };
        match &listed {
            Some(values) => {
                for value in values {
                    add(vec![key(vec![partition.clone(), value.clone()])]);
                }
            }
            None if tests.is_empty() => add(vec![key(vec![partition])]),
            None => {
                let tests = tests.iter();
                let tests = tests.map(|test| key(vec![partition.clone(), test.clone()]));
                add(tests.collect());
            }
        }
    }
    Some(branches)
}

/// The equality of all these attributes, if a condition demands it.
#[must_use]
pub fn whole(condition: &Condition, names: &[&str]) -> Option<Whole> {
    let conjuncts = conjuncts(condition.root());
    let mut equal = Vec::with_capacity(names.len());
    for name in names {
        let one = conjuncts.iter().find_map(|part| {
            let equalities = equalities(part, name)?;
            <[Predicate; 1]>::try_from(equalities).ok()
        });
        equal.extend(one?);
    }
    let alone = conjuncts.len() == equal.len();
    let root = Predicate::And(equal);
    Some(Whole {
        condition: Arc::new(KeyCondition::new(root, condition.slots().clone())),
        alone,
    })
}

/// What AND joins, however it is nested.
fn conjuncts(predicate: &Predicate) -> Vec<&Predicate> {
    match predicate {
        Predicate::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// `attribute = value` as it is, and for each value of `attribute IN [value, …]`.
fn equalities(predicate: &Predicate, attribute: &str) -> Option<Vec<Predicate>> {
    match predicate {
        Predicate::Compare {
            comparator: Comparator::Equal,
            left,
            right,
        } => {
            let (path, value) = match (left, right) {
                (Operand::Path(path), Operand::Value(_)) => (path, right),
                (Operand::Value(_), Operand::Path(path)) => (path, left),
                _ => return None,
            };
            is_attribute(path, attribute).then(|| vec![equality(path, value)])
        }
        Predicate::In {
            operand: Operand::Path(path),
            candidates,
        } if is_attribute(path, attribute) && !candidates.is_empty() => candidates
            .iter()
            .map(|candidate| match candidate {
                Operand::Value(_) => Some(equality(path, candidate)),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

fn equality(path: &Path, value: &Operand) -> Predicate {
    Predicate::Compare {
        comparator: Comparator::Equal,
        left: Operand::Path(path.clone()),
        right: value.clone(),
    }
}

/// A test of the sort key that selects a range, if the predicate is one.
fn range_test(predicate: &Predicate, attribute: &str) -> Option<Predicate> {
    let is_value = |operand: &Operand| matches!(operand, Operand::Value(_));
    let is_path = |operand: &Operand| match operand {
        Operand::Path(path) => is_attribute(path, attribute),
        _ => false,
    };
    let selects = match predicate {
        Predicate::Compare {
            comparator,
            left,
            right,
        } => {
            *comparator != Comparator::NotEqual
                && (is_path(left) && is_value(right) || is_value(left) && is_path(right))
        }
        Predicate::Between {
            operand,
            lower,
            upper,
        } => is_path(operand) && is_value(lower) && is_value(upper),
        Predicate::Call(Call {
            function: Function::BeginsWith,
            operands,
        }) => matches!(operands.as_slice(), [path, prefix] if is_path(path) && is_value(prefix)),
        _ => false,
    };
    if selects {
        return Some(predicate.clone());
    }
    let [one] = <[Predicate; 1]>::try_from(equalities(predicate, attribute)?).ok()?;
    Some(one)
}

/// Whether the predicate says of the attribute what it is not.
fn negates(predicate: &Predicate, attribute: &str) -> bool {
    match predicate {
        Predicate::Not(part) => mentions(part, attribute),
        Predicate::Compare {
            comparator: Comparator::NotEqual,
            ..
        } => mentions(predicate, attribute),
        _ => false,
    }
}

fn mentions(predicate: &Predicate, attribute: &str) -> bool {
    let operand = |operand: &Operand| match operand {
        Operand::Path(path) => is_attribute(path, attribute),
        _ => false,
    };
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter().any(|part| mentions(part, attribute))
        }
        Predicate::Not(part) => mentions(part, attribute),
        Predicate::Compare { left, right, .. } => operand(left) || operand(right),
        Predicate::Between { operand: one, .. } | Predicate::In { operand: one, .. } => {
            operand(one)
        }
        Predicate::Call(call) => call.operands.iter().any(operand),
    }
}

fn is_attribute(path: &Path, attribute: &str) -> bool {
    matches!(path.0.as_slice(), [Element::Attribute(name)] if **name == *attribute)
}
