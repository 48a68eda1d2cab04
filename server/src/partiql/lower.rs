//! From the tree of a statement to the trees of expressions.

use super::{
    MAX_IN_VALUES,
    ast::{Clause, Column, Expr, Node, Query, SelectQuery, Sign, Source, Step, Type},
    columns::Columns,
    error::StatementError,
    parser::Parsed,
    statement::{Body, Delete, Insert, Order, Select, SetArgument, Statement, Update},
    values::{Constant, is_value, name, node_name},
};
use std::sync::Arc;

use crate::{
    expression::{
        self, Condition, ExpressionKind, MAX_PATH_ELEMENTS,
        ast::{
            Action, Call, Comparator, Element, Function, Operand, Path, Predicate, SetValue, Slots,
        },
    },
    item::Value,
};

type Result<T> = std::result::Result<T, StatementError>;

/// What the trees call the value at a place.
pub(super) fn placeholder(place: usize) -> String {
    format!(":{place}")
}

/// What a parsed text comes to.
///
/// # Errors
/// What DynamoDB does not have of PartiQL.
pub(super) fn statement(parsed: Parsed) -> Result<Statement> {
    let mut lowering = Lowering::default();
    let body = match parsed.root.node {
        Node::Statement(query) => lowering.query(*query)?,
        Node::Call(name, operands) if *name == *"exists" => lowering.exists(operands)?,
        other => return Err(StatementError::Operation(node_name(&other))),
    };
    Ok(Statement {
        body,
        constants: lowering.constants,
        sets: lowering.sets,
        parameters: parsed.parameters,
    })
}

#[derive(Default)]
struct Lowering {
    constants: Vec<Constant>,
    sets: Vec<SetArgument>,
}

impl Lowering {
    fn query(&mut self, query: Query) -> Result<Body> {
        match query {
            Query::Select(select) => self.select(select).map(Body::Select),
            Query::Insert {
                table,
                value,
                returning,
            } => {
                let insert = self.insert(&table, value)?;
                match returning {
                    Some(returned) => Err(StatementError::InsertReturning(returned)),
                    None => Ok(Body::Insert(insert)),
                }
            }
            Query::Update {
                source,
                clauses,
                condition,
                returning,
            } => Ok(Body::Update(Update {
                table: written(&source)?,
                update: self.update(clauses)?,
                condition: self.condition(condition)?,
                returning,
            })),
            Query::Delete {
                source,
                condition,
                returning,
            } => {
                let delete = Delete {
                    table: written(&source)?,
                    condition: self.condition(condition)?,
                    returning,
                };
                match returning {
                    Some(returned) if returned != ALL_OLD => {
                        Err(StatementError::DeleteReturning(returned))
                    }
                    _ => Ok(Body::Delete(delete)),
                }
            }
        }
    }

    /// EXISTS takes one SELECT.
    fn exists(&mut self, operands: Vec<Expr>) -> Result<Body> {
        let mut operands = operands.into_iter();
        let (Some(operand), None) = (operands.next(), operands.next()) else {
            return Err(StatementError::Exists);
        };
        match operand.node {
            Node::Statement(query) => match *query {
                Query::Select(select) => self.select(select).map(Body::Exists),
                _ => Err(StatementError::Exists),
            },
            _ => Err(StatementError::Exists),
        }
    }

    fn select(&mut self, query: SelectQuery) -> Result<Select> {
        let (table, index) = source(&query.source)?;
        if query.columns.contains(&Column::Aliased) {
            return Err(StatementError::Alias);
        }
        if let Some((clause, at)) = query.foreign {
            return Err(StatementError::Clause { clause, at });
        }
        Ok(Select {
            table,
            index,
            columns: columns(&query.columns),
            condition: self.condition(query.condition)?,
            order: query
                .order
                .into_iter()
                .map(|(key, direction)| {
                    let attribute = match key.node {
                        Node::Path(steps) => attribute(&steps)?,
                        _ => return Err(StatementError::PathComponent { at: key.at }),
                    };
                    Ok(Order {
                        attribute,
                        direction,
                    })
                })
                .collect::<Result<_>>()?,
        })
    }

    fn insert(&mut self, table: &[Step], value: Expr) -> Result<Insert> {
        let table = match table {
            [Step::Name(table)] if table.is_empty() => return Err(StatementError::EmptyComponent),
            [Step::Name(table)] => table.clone(),
            _ => return Err(StatementError::Source),
        };
        let Node::Struct(entries) = value.node else {
            return Err(StatementError::DataType {
                name: node_name(&value.node).to_ascii_lowercase().into(),
                at: value.at,
            });
        };
        let mut attributes: Vec<(Box<str>, usize)> = Vec::with_capacity(entries.len());
        for (key, entry) in entries {
            let name = name(&key)?.into();
            attributes.push((name, self.constant(entry)?));
        }
        Ok(Insert { table, attributes })
    }

    /// Keeps a value; gives its place.
    fn constant(&mut self, expr: Expr) -> Result<usize> {
        self.constants.push(Constant::of(expr)?);
        Ok(self.constants.len() - 1)
    }

    fn value(&mut self, slots: &mut Slots, expr: Expr) -> Result<Operand> {
        let place = self.constant(expr)?;
        Ok(Operand::Value(slots.value(&placeholder(place))))
    }

    fn condition(&mut self, expr: Option<Expr>) -> Result<Option<Arc<Condition>>> {
        let Some(expr) = expr else {
            return Ok(None);
        };
        let mut slots = Slots::default();
        let root = self.predicate(&mut slots, expr)?;
        let condition = Condition::new(ExpressionKind::Filter, root, slots);
        Ok(Some(Arc::new(condition)))
    }

    fn predicates(&mut self, slots: &mut Slots, parts: Vec<Expr>) -> Result<Vec<Predicate>> {
        parts
            .into_iter()
            .map(|part| self.predicate(slots, part))
            .collect()
    }

    fn predicate(&mut self, slots: &mut Slots, expr: Expr) -> Result<Predicate> {
        let at = expr.at;
        Ok(match expr.node {
            Node::And(parts) => Predicate::And(self.predicates(slots, parts)?),
            Node::Or(parts) => Predicate::Or(self.predicates(slots, parts)?),
            Node::Not(part) => Predicate::Not(Box::new(self.predicate(slots, *part)?)),
            Node::Compare(comparator, left, right) => {
                self.comparison(slots, comparator, *left, *right)?
            }
            Node::Between(operand, lower, upper) => Predicate::Between {
                operand: self.operand(slots, *operand)?,
                lower: self.operand(slots, *lower)?,
                upper: self.operand(slots, *upper)?,
            },
            Node::In(operand, list) => {
                let operand = self.operand(slots, *operand)?;
                let (Node::List(values) | Node::Bag(values)) = list.node else {
                    return Err(StatementError::InList { at: list.at });
                };
                if values.len() > MAX_IN_VALUES {
                    return Err(StatementError::InOperands(values.len()));
                }
                let candidates = values.into_iter();
                let candidates = candidates.map(|value| self.operand(slots, value));
                Predicate::In {
                    operand,
                    candidates: candidates.collect::<Result<_>>()?,
                }
            }
            Node::Is(operand, data_type) => self.is(slots, *operand, data_type)?,
            Node::Call(name, operands) => match Function::of_conditions(&name) {
                Some(function) if function != Function::Size => {
                    Predicate::Call(self.call(slots, function, operands)?)
                }
                _ => return Err(StatementError::UnknownFunction { name, at }),
            },
            Node::Path(_) => return Err(StatementError::PathComponent { at }),
            other => return Err(StatementError::Operation(node_name(&other))),
        })
    }

    /// A comparison; of a function that is true or false, with one of these.
    fn comparison(
        &mut self,
        slots: &mut Slots,
        comparator: Comparator,
        left: Expr,
        right: Expr,
    ) -> Result<Predicate> {
        let (left, right) = match (&left.node, &right.node) {
            (Node::Boolean(_), Node::Call(..)) => (right, left),
            _ => (left, right),
        };
        if let (Node::Call(name, _), Node::Boolean(wanted)) = (&left.node, &right.node)
            && **name != *Function::Size.name()
            && !comparator.orders()
        {
            let holds = (comparator == Comparator::Equal) == *wanted;
            let call = self.predicate(slots, left)?;
            return Ok(match holds {
                true => call,
                false => Predicate::Not(Box::new(call)),
            });
        }
        Ok(Predicate::Compare {
            comparator,
            left: self.operand(slots, left)?,
            right: self.operand(slots, right)?,
        })
    }

    /// `path IS type`
    fn is(&mut self, slots: &mut Slots, operand: Expr, data_type: Type) -> Result<Predicate> {
        let at = operand.at;
        let Node::Path(steps) = operand.node else {
            return Err(StatementError::PathComponent { at });
        };
        let path = Operand::Path(path(&steps)?);
        let kinds = match data_type {
            Type::Missing => {
                return Ok(Predicate::Call(Call {
                    function: Function::AttributeNotExists,
                    operands: vec![path],
                }));
            }
            Type::Kinds(kinds) => kinds,
            Type::Foreign => return Err(StatementError::Operation("IsType")),
        };
        let mut tests = Vec::with_capacity(kinds.len());
        for kind in kinds {
            self.constants.push(Constant::Value(Value::string(kind)));
            let kind = slots.value(&placeholder(self.constants.len() - 1));
            tests.push(Predicate::Call(Call {
                function: Function::AttributeType,
                operands: vec![path.clone(), Operand::Value(kind)],
            }));
        }
        Ok(match (tests.pop(), tests.is_empty()) {
            (Some(test), true) => test,
            (last, _) => {
                tests.extend(last);
                Predicate::Or(tests)
            }
        })
    }

    fn call(&mut self, slots: &mut Slots, function: Function, operands: Vec<Expr>) -> Result<Call> {
        let operands = operands.into_iter();
        let operands = operands.map(|operand| self.operand(slots, operand));
        Ok(Call {
            function,
            operands: operands.collect::<Result<_>>()?,
        })
    }

    /// What a condition compares.
    fn operand(&mut self, slots: &mut Slots, expr: Expr) -> Result<Operand> {
        if is_value(&expr) {
            return self.value(slots, expr);
        }
        let at = expr.at;
        match expr.node {
            Node::Path(steps) => path(&steps).map(Operand::Path),
            Node::Call(name, operands) if *name == *Function::Size.name() => self
                .call(slots, Function::Size, operands)
                .map(Operand::Call),
            Node::Call(name, _) => Err(StatementError::UnknownFunction { name, at }),
            other => Err(StatementError::Operation(node_name(&other))),
        }
    }

    fn update(&mut self, clauses: Vec<Clause>) -> Result<Arc<expression::Update>> {
        let mut slots = Slots::default();
        let mut actions = Vec::with_capacity(clauses.len());
        for clause in clauses {
            actions.push(match clause {
                Clause::Set(target, value) => self.assignment(&mut slots, &target, value)?,
                Clause::Remove(target) => Action::Remove(path(&target)?),
                Clause::Insert => return Err(StatementError::Operation("InsertValue")),
            });
        }
        Ok(Arc::new(expression::Update::new(actions, slots)))
    }

    fn assignment(&mut self, slots: &mut Slots, target: &[Step], value: Expr) -> Result<Action> {
        let at = value.at;
        let path = path(target)?;
        Ok(match value.node {
            Node::Call(name, operands) if matches!(&*name, "set_add" | "set_delete") => {
                let adds = &*name == "set_add";
                let function = if adds { "SET_ADD" } else { "SET_DELETE" };
                let mut operands = operands.into_iter();
                let (Some(first), Some(second), None) =
                    (operands.next(), operands.next(), operands.next())
                else {
                    return Err(StatementError::SetArity { name: function, at });
                };
                if first.node != Node::Path(target.to_vec()) {
                    return Err(StatementError::SetTarget { name: function, at });
                }
                if !matches!(second.node, Node::Bag(_) | Node::Parameter(_)) {
                    return Err(StatementError::SetArgument {
                        name: function,
                        at: first.at,
                    });
                }
                let constant = self.constant(second)?;
                self.sets.push(SetArgument {
                    constant,
                    function,
                    at: first.at,
                });
                let slot = slots.value(&placeholder(constant));
                match adds {
                    true => Action::Add(path, slot),
                    false => Action::Delete(path, slot),
                }
            }
            Node::Arithmetic(sign, left, right) => {
                let left = self.assigned(slots, *left)?;
                let right = self.assigned(slots, *right)?;
                Action::Set(
                    path,
                    match sign {
                        Sign::Plus => SetValue::Sum(left, right),
                        Sign::Minus => SetValue::Difference(left, right),
                    },
                )
            }
            node => {
                let operand = self.assigned(slots, Expr { node, at })?;
                Action::Set(path, SetValue::Operand(operand))
            }
        })
    }

    /// What SET computes with.
    fn assigned(&mut self, slots: &mut Slots, expr: Expr) -> Result<Operand> {
        if is_value(&expr) {
            return self.value(slots, expr);
        }
        let at = expr.at;
        match expr.node {
            Node::Path(steps) => path(&steps).map(Operand::Path),
            Node::Call(name, operands) if *name == *Function::ListAppend.name() => {
                let operands = operands.into_iter();
                let operands = operands.map(|operand| self.assigned(slots, operand));
                Ok(Operand::Call(Call {
                    function: Function::ListAppend,
                    operands: operands.collect::<Result<_>>()?,
                }))
            }
            Node::Call(name, _) => Err(StatementError::UnknownFunction { name, at }),
            other => Err(StatementError::Operation(node_name(&other))),
        }
    }
}

const ALL_OLD: super::Returned = super::Returned {
    state: super::ReturnedState::Old,
    modified: false,
};

/// The table of a write.
fn written(source: &Source) -> Result<Box<str>> {
    match self::source(source)? {
        (table, None) => Ok(table),
        (_, Some(_)) => Err(StatementError::WriteToIndex),
    }
}

/// Table and index.
fn source(source: &Source) -> Result<(Box<str>, Option<Box<str>>)> {
    if source.aliased {
        return Err(StatementError::Alias);
    }
    if source.joined {
        return Err(StatementError::Source);
    }
    let Node::Path(steps) = &source.expr.node else {
        return Err(StatementError::Source);
    };
    let names = steps
        .iter()
        .map(|step| match step {
            Step::Name(name) if name.is_empty() => Err(StatementError::EmptyComponent),
            Step::Name(name) => Ok(name.clone()),
            Step::Index(_) => Err(StatementError::PathComponent { at: source.expr.at }),
        })
        .collect::<Result<Vec<_>>>()?;
    match <[_; 2]>::try_from(names) {
        Ok([table, index]) => Ok((table, Some(index))),
        Err(mut names) => match (names.pop(), names.is_empty()) {
            (Some(table), true) => Ok((table, None)),
            _ => Err(StatementError::LongSource),
        },
    }
}

/// The columns of a SELECT: a path is returned under its last name, and one that ends in an index
/// under its place in the list (`_1`), as PartiQL names what has no name.
fn columns(columns: &[Column]) -> Result<Option<Columns>> {
    let mut named = Vec::with_capacity(columns.len());
    for (place, column) in columns.iter().enumerate() {
        let expr = match column {
            Column::All => return Ok(None),
            Column::Aliased => return Err(StatementError::Alias),
            Column::Expr(expr) => expr,
        };
        let Node::Path(steps) = &expr.node else {
            return Err(StatementError::PathComponent { at: expr.at });
        };
        let name = match steps.last() {
            Some(Step::Name(name)) => name.clone(),
            _ => format!("_{}", place + 1).into(),
        };
        named.push((name, path(steps)?));
    }
    Columns::new(named).map(Some)
}

/// The one name of a path that is an attribute.
fn attribute(steps: &[Step]) -> Result<Box<str>> {
    match steps {
        [Step::Name(name)] => Ok(name.clone()),
        steps => {
            let names = steps.iter().map(|step| match step {
                Step::Name(name) => name.to_string(),
                Step::Index(index) => format!("[{index}]"),
            });
            let shown = names.collect::<Vec<_>>().join(".");
            Err(StatementError::OrderByOther(shown.into()))
        }
    }
}

fn path(steps: &[Step]) -> Result<Path> {
    if steps.len() > MAX_PATH_ELEMENTS {
        return Err(StatementError::PathLevels(steps.len()));
    }
    let elements = steps.iter().map(|step| match step {
        Step::Name(name) => Element::Attribute(name.clone()),
        Step::Index(index) => Element::Index(*index),
    });
    Ok(Path(elements.collect()))
}
