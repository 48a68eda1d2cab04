//! What holds for every text, every tree and every item.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;

use super::oracle::{self, Attributes, Oracle};
use crate::expression::ast::{
    Action, Call, Comparator, Element, Function, Operand, Path, Predicate, SetValue, Slots,
    ValueSlot,
};
use crate::expression::{
    Condition, ExpressionError, ExpressionKind, KeyCondition, Placeholders, Projection, Update,
};
use crate::item::{Item, Number, Tree, Value};

/// The placeholders that generated trees use, by slot.
const VALUES: [&str; 4] = [":v0", ":v1", ":v2", ":v3"];

fn slots() -> Slots {
    let mut slots = Slots::default();
    for name in VALUES {
        slots.value(name);
    }
    slots
}

fn path() -> impl Strategy<Value = Path> {
    let name = || select(vec!["a", "b", "c1"]).prop_map(|name| Element::Attribute(name.into()));
    let step = prop_oneof![2 => name(), 1 => (0..4u32).prop_map(Element::Index)];
    (name(), vec(step, 0..3))
        .prop_map(|(first, rest)| Path(std::iter::once(first).chain(rest).collect()))
}

fn slot() -> impl Strategy<Value = ValueSlot> {
    (0..4u16).prop_map(ValueSlot)
}

/// Operands of conditions.
fn operand() -> impl Strategy<Value = Operand> {
    let size = path().prop_map(|path| {
        Operand::Call(Call {
            function: Function::Size,
            operands: vec![Operand::Path(path)],
        })
    });
    prop_oneof![
        4 => path().prop_map(Operand::Path),
        3 => slot().prop_map(Operand::Value),
        1 => size,
    ]
}

fn call(function: Function, operands: Vec<Operand>) -> Predicate {
    Predicate::Call(Call { function, operands })
}

fn leaf() -> impl Strategy<Value = Predicate> {
    let comparator = select(vec![
        Comparator::Equal,
        Comparator::NotEqual,
        Comparator::Less,
        Comparator::LessOrEqual,
        Comparator::Greater,
        Comparator::GreaterOrEqual,
    ]);
    let unary = select(vec![
        Function::AttributeExists,
        Function::AttributeNotExists,
    ]);
    let binary = select(vec![
        Function::AttributeType,
        Function::BeginsWith,
        Function::Contains,
    ]);
    prop_oneof![
        4 => (comparator, operand(), operand()).prop_map(|(comparator, left, right)| {
            Predicate::Compare { comparator, left, right }
        }),
        1 => (operand(), operand(), operand()).prop_map(|(operand, lower, upper)| {
            Predicate::Between { operand, lower, upper }
        }),
        1 => (operand(), vec(operand(), 1..4)).prop_map(|(operand, candidates)| {
            Predicate::In { operand, candidates }
        }),
        1 => (unary, path()).prop_map(|(function, path)| {
            call(function, vec![Operand::Path(path)])
        }),
        3 => (binary, path(), operand()).prop_map(|(function, path, operand)| {
            call(function, vec![Operand::Path(path), operand])
        }),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Predicate::And),
            vec(inner.clone(), 2..4).prop_map(Predicate::Or),
            inner.prop_map(|part| Predicate::Not(Box::new(part))),
        ]
    })
}

/// Operands of SET: a path, one of these values, or what a function makes of such.
fn set_operand(values: &'static [u16]) -> impl Strategy<Value = Operand> {
    let value = select(values).prop_map(|slot| Operand::Value(ValueSlot(slot)));
    prop_oneof![2 => path().prop_map(Operand::Path), 3 => value.boxed()].prop_recursive(
        2,
        6,
        2,
        move |inner| {
            let call = |function, operands| Operand::Call(Call { function, operands });
            prop_oneof![
                (path(), inner.clone()).prop_map(move |(path, operand)| {
                    call(Function::IfNotExists, vec![Operand::Path(path), operand])
                }),
                (inner.clone(), inner).prop_map(move |(left, right)| {
                    call(Function::ListAppend, vec![left, right])
                }),
            ]
        },
    )
}

/// Clauses whose values are mostly of types that suit them: see [`update_values`].
fn action() -> impl Strategy<Value = Action> {
    let pair = || (set_operand(&[1]), set_operand(&[1]));
    let value = prop_oneof![
        3 => set_operand(&[0, 3]).prop_map(SetValue::Operand),
        1 => pair().prop_map(|(left, right)| SetValue::Sum(left, right)),
        1 => pair().prop_map(|(left, right)| SetValue::Difference(left, right)),
    ];
    let addend = (1..3u16).prop_map(ValueSlot);
    prop_oneof![
        4 => (path(), value).prop_map(|(path, value)| Action::Set(path, value)),
        3 => path().prop_map(Action::Remove),
        2 => (path(), addend).prop_map(|(path, slot)| Action::Add(path, slot)),
        2 => path().prop_map(|path| Action::Delete(path, ValueSlot(2))),
    ]
}

/// The values of updates: anything, a number, a set and a list.
fn update_values() -> impl Strategy<Value = Vec<Tree>> {
    let set = btree_set(text(), 1..3).prop_map(Tree::SS);
    let list = vec(scalar(), 0..3).prop_map(Tree::L);
    (tree(), number().prop_map(Tree::N), set, list)
        .prop_map(|(any, number, set, list)| vec![any, number, set, list])
}

/// Actions, those of one section next to each other, as the grammar has them.
fn actions() -> impl Strategy<Value = Vec<Action>> {
    vec(action(), 1..4).prop_map(|mut actions| {
        actions.sort_by_key(|action| match action {
            Action::Set(..) => 0,
            Action::Remove(_) => 1,
            Action::Add(..) => 2,
            Action::Delete(..) => 3,
        });
        actions
    })
}

fn text() -> impl Strategy<Value = String> {
    select(vec!["", "a", "ab", "b", "S", "NS", "é😀"]).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = Number> {
    select(vec!["0", "1", "2", "3", "-1", "0.5", "1E10"])
        .prop_map(|text| Number::parse(text).unwrap())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(0..3u8, 0..3)
}

fn scalar() -> impl Strategy<Value = Tree> {
    prop_oneof![
        4 => text().prop_map(Tree::S),
        4 => number().prop_map(Tree::N),
        2 => bytes().prop_map(Tree::B),
        1 => any::<bool>().prop_map(Tree::Bool),
        1 => Just(Tree::Null),
        1 => btree_set(text(), 1..4).prop_map(Tree::SS),
        1 => btree_set(number(), 1..4).prop_map(Tree::NS),
        1 => btree_set(bytes(), 1..4).prop_map(Tree::BS),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            btree_map("[abc]", inner.clone(), 0..4).prop_map(Tree::M),
            vec(inner, 0..4).prop_map(Tree::L),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    btree_map(
        select(vec!["a", "b", "c1", "k"]).prop_map(str::to_owned),
        tree(),
        0..5,
    )
}

/// One value for each slot.
fn values() -> impl Strategy<Value = Vec<Tree>> {
    vec(prop_oneof![3 => scalar(), 1 => tree()], VALUES.len())
}

fn placeholders(values: &[Tree]) -> Placeholders {
    let named = VALUES.iter().zip(values);
    Placeholders::of_values(
        named
            .map(|(name, value)| (name.to_string(), value.encode()))
            .collect::<Vec<(_, Value)>>(),
    )
}

/// Text that looks like the language.
fn tokens() -> impl Strategy<Value = String> {
    let token = select(vec![
        "a",
        "b.c",
        "[0]",
        "#n",
        ":v",
        "=",
        "<>",
        "<",
        "<=",
        ">=",
        "(",
        ")",
        ",",
        ".",
        "[",
        "]",
        "AND",
        "or",
        "NOT",
        "BETWEEN",
        "IN",
        "SET",
        "remove",
        "ADD",
        "DELETE",
        "+",
        "-",
        "size(",
        "contains(",
        "begins_with(a, :v)",
        "a = :v",
        "status",
        "99999999999",
        "!",
        "é",
        "#",
        ":",
        "_",
    ]);
    vec(token, 0..24).prop_map(|tokens| tokens.join(" "))
}

/// Every kind's answer to a text, printed; a text that parses is printed, and parsed and printed
/// again.
fn parse_all(text: &str) {
    let again = |printed: Result<String, ExpressionError>,
                 parse: &dyn Fn(&str) -> Result<String, ExpressionError>| {
        match printed {
            Ok(printed) => assert_eq!(parse(&printed).as_deref(), Ok(printed.as_str()), "{text}"),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    };
    for kind in [ExpressionKind::Condition, ExpressionKind::Filter] {
        let parse = |text: &str| Condition::parse(text, kind).map(|parsed| parsed.to_string());
        again(parse(text), &parse);
    }
    let parse = |text: &str| KeyCondition::parse(text).map(|parsed| parsed.to_string());
    again(parse(text), &parse);
    let parse = |text: &str| Projection::parse(text).map(|parsed| parsed.to_string());
    again(parse(text), &parse);
    let parse = |text: &str| Update::parse(text).map(|parsed| parsed.to_string());
    again(parse(text), &parse);
}

/// The tree with its slots numbered in the order of the text, as the parser numbers them.
fn renumbered(predicate: &Predicate, text: &str) -> (Predicate, Slots) {
    let mut order = Slots::default();
    let mut rest = text;
    while let Some(start) = rest.find(':') {
        order.value(&rest[start..start + 3]);
        rest = &rest[start + 3..];
    }
    let mut renumbered = predicate.clone();
    renumber(&mut renumbered, &mut order);
    (renumbered, order)
}

fn renumber(predicate: &mut Predicate, order: &mut Slots) {
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter_mut().for_each(|part| renumber(part, order));
        }
        Predicate::Not(part) => renumber(part, order),
        Predicate::Compare { left, right, .. } => {
            [left, right]
                .into_iter()
                .for_each(|operand| renumber_operand(operand, order));
        }
        Predicate::Between {
            operand,
            lower,
            upper,
        } => {
            [operand, lower, upper]
                .into_iter()
                .for_each(|operand| renumber_operand(operand, order));
        }
        Predicate::In {
            operand,
            candidates,
        } => {
            renumber_operand(operand, order);
            candidates
                .iter_mut()
                .for_each(|operand| renumber_operand(operand, order));
        }
        Predicate::Call(call) => {
            call.operands
                .iter_mut()
                .for_each(|operand| renumber_operand(operand, order));
        }
    }
}

fn renumber_operand(operand: &mut Operand, order: &mut Slots) {
    match operand {
        Operand::Path(_) => {}
        Operand::Value(slot) => *slot = order.value(VALUES[usize::from(slot.0)]),
        Operand::Call(call) => {
            call.operands
                .iter_mut()
                .for_each(|operand| renumber_operand(operand, order));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        parse_all(&text);
    }

    #[test]
    fn nor_does_text_that_looks_right(text in tokens()) {
        parse_all(&text);
    }

    #[test]
    fn a_printed_condition_parses_to_itself(predicate in predicate()) {
        let text = Condition::new(ExpressionKind::Filter, predicate.clone(), slots()).to_string();
        prop_assume!(text.len() <= crate::expression::MAX_EXPRESSION_BYTES);
        let (root, slots) = renumbered(&predicate, &text);
        let expected = Condition::new(ExpressionKind::Filter, root, slots);
        prop_assert_eq!(Condition::parse(&text, ExpressionKind::Filter), Ok(expected));
    }

    #[test]
    fn a_printed_update_parses_to_the_same_text(actions in actions()) {
        let text = Update::new(actions, slots()).to_string();
        prop_assert_eq!(Update::parse(&text).map(|update| update.to_string()), Ok(text));
    }

    #[test]
    fn conditions_mean_what_the_oracle_says(
        predicate in predicate(),
        values in values(),
        attributes in attributes(),
    ) {
        let condition = Condition::new(ExpressionKind::Condition, predicate.clone(), slots());
        // What cannot be bound has no meaning.
        if let Ok(bound) = Arc::new(condition).bind(&mut placeholders(&values)) {
            let item = oracle::item(&attributes);
            let expected = Oracle { values: &values }.evaluate(&predicate, &attributes);
            prop_assert_eq!(bound.evaluate(Some(item.as_ref())), expected);
            let nothing = Oracle { values: &values }.evaluate(&predicate, &Attributes::new());
            prop_assert_eq!(bound.evaluate(None), nothing);
        }
    }

    #[test]
    fn projections_mean_what_the_oracle_says(
        paths in vec(path(), 1..5),
        attributes in attributes(),
    ) {
        let projection = Arc::new(Projection::new(paths.clone(), Slots::default()));
        if let Ok(bound) = projection.bind(&mut Placeholders::default()) {
            let projected = bound.apply(oracle::item(&attributes).as_ref());
            projected.as_ref().verify().unwrap();
            let expected = oracle::project(&paths, &attributes);
            prop_assert_eq!(oracle::attributes(projected.as_ref()), expected);
        }
    }

    #[test]
    fn updates_mean_what_the_oracle_says(
        actions in actions(),
        values in update_values(),
        attributes in attributes(),
    ) {
        let update = Arc::new(Update::new(actions.clone(), slots()));
        if let Ok(bound) = update.bind(&mut placeholders(&values)) {
            let item = oracle::item(&attributes);
            let actual = bound.apply(Some(item.as_ref()), Item::empty().as_ref());
            match (Oracle { values: &values }).update(&actions, &attributes) {
                Ok((new, had, wrote)) => {
                    let actual = actual.unwrap();
                    actual.item.as_ref().verify().unwrap();
                    prop_assert_eq!(oracle::attributes(actual.item.as_ref()), new);
                    let tree = |item: Option<Item>| {
                        item.map(|item| oracle::attributes(item.as_ref())).unwrap_or_default()
                    };
                    prop_assert_eq!(tree(bound.at_targets(Some(item.as_ref()))), had);
                    prop_assert_eq!(tree(actual.updated_new), wrote);
                }
                Err(error) => prop_assert_eq!(actual, Err(ExpressionError::from(error))),
            }
        }
    }
}

/// The generators would be of little use if most of what they make could not be bound.
#[test]
fn much_of_what_is_generated_can_be_bound() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut conditions, mut updates, mut truths) = (0, 0, BTreeSet::new());
    for _ in 0..500 {
        let all = (predicate(), values(), attributes());
        let (predicate, values, attributes) = all.new_tree(&mut runner).unwrap().current();
        let condition = Condition::new(ExpressionKind::Condition, predicate, slots());
        if let Ok(bound) = Arc::new(condition).bind(&mut placeholders(&values)) {
            conditions += 1;
            truths.insert(bound.evaluate(Some(oracle::item(&attributes).as_ref())));
        }
        let (actions, values) = (actions(), update_values())
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let update = Arc::new(Update::new(actions, slots()));
        if let Ok(bound) = update.bind(&mut placeholders(&values)) {
            let item = oracle::item(&attributes);
            updates += usize::from(bound.apply(Some(item.as_ref()), item.as_ref()).is_ok());
        }
    }
    assert!(conditions > 100, "{conditions} of 500");
    assert!(updates > 50, "{updates} of 500");
    assert_eq!(truths.len(), 2);
}

/// Depth and length at their limits, and far beyond.
#[test]
fn deep_and_long_texts_are_refused_and_cost_no_stack() {
    let parse = |text: &str| {
        Condition::parse(text, ExpressionKind::Condition).map(|parsed| parsed.to_string())
    };
    let too_many = || {
        "Invalid ConditionExpression: The expression contains too many operators; \
         operator count: 301"
            .to_owned()
    };
    let message = |text: &str| parse(text).unwrap_err().to_string();
    let value = || (":v".to_owned(), Tree::L(Vec::new()).encode());
    for text in [
        "(",
        "NOT ",
        "NOT(",
        "size(",
        "a[0]=((",
        "a IN (",
        "a BETWEEN (",
    ] {
        assert!(parse(&text.repeat(4096 / text.len())).is_err(), "{text}");
    }
    for text in ["SET a = (", "SET a = list_append(", "SET a=((b)+("] {
        assert!(
            Update::parse(&(text.to_owned() + &"(".repeat(4000))).is_err(),
            "{text}"
        );
    }
    let nested = |levels: usize| "NOT(".repeat(levels) + "a=:v" + &")".repeat(levels);
    assert_eq!(parse(&nested(299)), Ok("NOT ".repeat(299) + "a = :v"));
    // The deepest trees are also bound and walked.
    let deepest = Arc::new(Condition::parse(&nested(299), ExpressionKind::Condition).unwrap());
    let bound = deepest
        .bind(&mut Placeholders::of_values(vec![value()]))
        .unwrap();
    assert!(bound.evaluate(None));
    assert_eq!(bound.attributes().collect::<Vec<_>>(), ["a"]);
    let calls = "SET a=".to_owned() + &"list_append(b,".repeat(272) + ":v" + &")".repeat(272);
    let update = Arc::new(Update::parse(&calls).unwrap());
    let bound = update
        .bind(&mut Placeholders::of_values(vec![value()]))
        .unwrap();
    assert_eq!(
        bound.apply(None, Item::empty().as_ref()),
        Err(ExpressionError::from(
            crate::expression::error::ItemError::MissingAttribute
        ))
    );
    assert_eq!(message(&nested(300)), too_many());
    let chain = |parts: usize| vec!["a=:v"; parts].join(" AND ");
    assert!(parse(&chain(150)).is_ok());
    assert_eq!(message(&chain(151)), too_many());
    assert_eq!(message(&nested(800)), too_many());
    let spaces = |bytes: usize| "a=:v".to_owned() + &" ".repeat(bytes - 4);
    assert!(parse(&spaces(4096)).is_ok());
    assert_eq!(
        message(&spaces(4097)),
        "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; \
         expression size: 4097"
    );
    assert_eq!(
        Update::parse(&" ".repeat(5000)).unwrap_err().to_string(),
        "Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;"
    );
    let list = |operands: usize| format!("a IN ({})", vec![":v"; operands].join(","));
    assert!(parse(&list(100)).is_ok());
    assert_eq!(
        message(&list(101)),
        "Invalid ConditionExpression: The IN operator is provided with too many operands; \
         number of operands: 101"
    );
}

#[test]
fn placeholders_may_not_exceed_two_megabytes_nor_their_keys_255_bytes() {
    let long = |bytes: usize| Tree::S("x".repeat(bytes)).encode();
    let item = |bytes: usize| {
        let mut builder = crate::item::ItemBuilder::new();
        builder.put(":v", long(bytes).as_ref());
        builder.build()
    };
    let names = |bytes: usize| Some(vec![("#n".to_owned(), "n".repeat(bytes))]);
    let limit = 2 * 1024 * 1024;
    assert!(Placeholders::new(names(10), Some(&item(limit - 10))).is_ok());
    let error = Placeholders::new(names(10), Some(&item(limit - 9))).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("ExpressionAttributeValues size")
    );
    let key = |length: usize| {
        Some(vec![(
            format!("#{}", "n".repeat(length - 1)),
            "n".to_owned(),
        )])
    };
    assert!(Placeholders::new(key(255), None).is_ok());
    assert!(Placeholders::new(key(256), None).is_err());
}
