//! Random statements against the API calls that they stand for, each on a Stator of its own: equal
//! answers, equal consumed capacity, and at the end equal tables.

mod condition;

use proptest::prelude::*;
use serde_json::{Value, json};

use self::condition::*;
use super::Harness;
use crate::{
    table::Projection,
    wire::Operation::{
        self, BatchExecuteStatement, DeleteItem, ExecuteStatement, ExecuteTransaction, GetItem,
        PutItem, Query, Scan, TransactGetItems, TransactWriteItems, UpdateItem,
    },
};

/// Where a SELECT reads: index, partition key, sort key.
type Place = (Option<&'static str>, &'static str, Option<&'static str>);

const PLACES: &[Place] = &[
    (None, "pk", Some("sk")),
    (Some("local"), "pk", Some("b")),
    (Some("global"), "g", None),
];

#[derive(Clone, Debug)]
struct Read {
    place: Place,
    /// The values of the partition key; none for a scan.
    partitions: Vec<Constant>,
    sort: Option<Condition>,
    filter: Option<Condition>,
    columns: Vec<&'static str>,
    descending: bool,
    limit: Option<u32>,
    consistent: bool,
}

fn read() -> impl Strategy<Value = Read> {
    prop::sample::select(PLACES).prop_flat_map(|place| {
        let (index, _, sort) = place;
        let partition = prop::sample::select(vec!["x", "y", "xy"]);
        let partition = (partition, any::<bool>()).prop_map(|(text, parameter)| Constant {
            value: json!({ "S": text }),
            parameter,
        });
        let sort = match sort {
            Some(sort) => sort_test(sort).boxed(),
            None => Just(None).boxed(),
        };
        let shape = (
            prop::collection::vec(partition, 0..3),
            sort,
            prop::option::of(condition()),
            prop::collection::btree_set(prop::sample::select(vec!["a", "b", "g", "pk"]), 0..3),
        );
        (
            shape,
            any::<bool>(),
            prop::option::of(1..4u32),
            any::<bool>(),
        )
            .prop_map(
                move |((mut partitions, sort, filter, columns), descending, limit, consistent)| {
                    partitions.dedup_by(|one, two| one.value == two.value);
                    Read {
                        place,
                        sort: sort.filter(|_| !partitions.is_empty()),
                        filter,
                        columns: columns.into_iter().collect(),
                        descending: descending && partitions.len() == 1 && place.2.is_some(),
                        limit: limit.filter(|_| partitions.len() < 2),
                        consistent: consistent && index != Some("global"),
                        partitions,
                    }
                },
            )
    })
}

type Key = (&'static str, &'static str);

fn key() -> impl Strategy<Value = Key> {
    let text = || prop::sample::select(vec!["x", "y", "xy"]);
    (text(), text())
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Key, Vec<(&'static str, Constant)>),
    Update(
        Key,
        Vec<(&'static str, Option<Constant>)>,
        Option<Condition>,
        &'static str,
    ),
    Add(Key, i32),
    Delete(Key, Option<Condition>, bool),
    Select(Read),
    /// Reads of single items, in a batch and in a transaction.
    Gets(Vec<(Key, bool)>),
    /// Writes of distinct items in a transaction.
    Transaction(Vec<(Key, Option<Condition>, bool)>),
}

fn attributes() -> impl Strategy<Value = Vec<(&'static str, Constant)>> {
    let attribute = prop_oneof![
        Just("a").prop_flat_map(|name| (Just(name), constant(value()).boxed())),
        // The keys of the indexes are strings.
        prop::sample::select(vec!["b", "g"]).prop_flat_map(|name| (Just(name), text().boxed())),
        Just("m").prop_flat_map(|name| {
            let map = value().prop_map(|value| json!({"M": {"x": value}}));
            (Just(name), constant(map).boxed())
        }),
    ];
    prop::collection::vec(attribute, 0..4).prop_map(|mut attributes| {
        attributes.sort_by_key(|(name, _)| *name);
        attributes.dedup_by_key(|(name, _)| *name);
        attributes
    })
}

fn step() -> impl Strategy<Value = Step> {
    let condition = || prop::option::of(condition());
    prop_oneof![
        4 => (key(), attributes()).prop_map(|(key, attributes)| Step::Insert(key, attributes)),
        3 => (
            key(),
            attributes().prop_flat_map(|attributes| {
                let kept = prop::collection::vec(any::<bool>(), attributes.len());
                kept.prop_map(move |kept| {
                    let clauses = attributes.iter().zip(kept);
                    let clauses = clauses.map(|((name, value), set)| (*name, set.then(|| value.clone())));
                    clauses.collect()
                })
            }),
            condition(),
            prop::sample::select(vec!["", "ALL OLD", "ALL NEW", "MODIFIED OLD"]),
        ).prop_map(|(key, clauses, condition, returning)| {
            Step::Update(key, clauses, condition, returning)
        }),
        1 => (key(), -3..3i32).prop_map(|(key, by)| Step::Add(key, by)),
        1 => (key(), condition(), any::<bool>())
            .prop_map(|(key, condition, returning)| Step::Delete(key, condition, returning)),
        6 => read().prop_map(Step::Select),
        1 => prop::collection::vec((key(), any::<bool>()), 1..4).prop_map(|mut gets| {
            gets.sort_unstable();
            gets.dedup_by_key(|(key, _)| *key);
            Step::Gets(gets)
        }),
        1 => prop::collection::vec((key(), condition(), any::<bool>()), 1..4).prop_map(|mut writes| {
            writes.sort_by_key(|(key, ..)| *key);
            writes.dedup_by_key(|(key, ..)| *key);
            Step::Transaction(writes)
        }),
    ]
}

/// The same tables twice.
struct Pair {
    statements: Harness,
    calls: Harness,
}

impl Pair {
    fn new() -> Self {
        let harness = || {
            let harness = Harness::new();
            harness.table(
                "items",
                &["sk"],
                &[("local", &["pk"], &["b"], Projection::All)],
                &[("global", &["g"], &[], Projection::All)],
            );
            harness
        };
        Self {
            statements: harness(),
            calls: harness(),
        }
    }

    fn statement(&self, text: &str, texts: &Texts, more: Value) -> Result<Value, String> {
        let mut request = merged(
            json!({"Statement": text, "ReturnConsumedCapacity": "INDEXES"}),
            more,
        );
        if !texts.parameters.is_empty() {
            request["Parameters"] = texts.parameters.clone().into();
        }
        let answer = self.statements.call(ExecuteStatement, &request);
        answer.map_err(|(name, body)| match name.as_str() {
            "DuplicateItemException" => "ConditionalCheckFailedException".to_owned(),
            _ => format!("{name}: {}", body["message"]),
        })
    }

    fn call(&self, operation: Operation, texts: &Texts, more: Value) -> Result<Value, String> {
        let request = json!({"TableName": "items", "ReturnConsumedCapacity": "INDEXES"});
        let mut request = merged(request, more);
        if !texts.values.is_empty() {
            request["ExpressionAttributeValues"] = texts.values.clone().into();
        }
        let answer = self.calls.call(operation, &request);
        answer.map_err(|(name, body)| format!("{name}: {}", body["message"]))
    }

    fn run(&self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Insert(key, attributes) => self.insert(*key, attributes),
            Step::Update(key, clauses, condition, returning) => {
                self.update(*key, clauses, condition.as_ref(), returning)
            }
            Step::Add(key, by) => self.add(*key, *by),
            Step::Delete(key, condition, returning) => {
                self.delete(*key, condition.as_ref(), *returning)
            }
            Step::Select(read) => self.select(read),
            Step::Gets(gets) => self.gets(gets),
            Step::Transaction(writes) => self.transaction(writes),
        }
    }

    fn insert(&self, key: Key, attributes: &[(&str, Constant)]) -> Result<(), TestCaseError> {
        let mut texts = Texts::default();
        let mut item = json!({"pk": {"S": key.0}, "sk": {"S": key.1}});
        let mut statement = format!(
            "INSERT INTO items VALUE {{'pk': '{}', 'sk': '{}'",
            key.0, key.1
        );
        for (name, constant) in attributes {
            item[*name] = constant.value.clone();
            let (value, _) = texts.value(constant);
            statement += &format!(", '{name}': {value}");
        }
        statement += "}";
        let got = self.statement(&statement, &texts, json!({}));
        texts.values.clear();
        let put = json!({"Item": item, "ConditionExpression": "attribute_not_exists(pk)"});
        let wanted = self.call(PutItem, &texts, put);
        same_write(&statement, got, wanted, None)
    }

    fn update(
        &self,
        key: Key,
        clauses: &[(&str, Option<Constant>)],
        condition: Option<&Condition>,
        returning: &str,
    ) -> Result<(), TestCaseError> {
        let mut texts = Texts::default();
        let (mut sets, mut set_values, mut removes) = (Vec::new(), Vec::new(), Vec::new());
        for (name, constant) in clauses {
            match constant {
                Some(constant) => {
                    let (statement, value) = texts.value(constant);
                    sets.push(format!("SET {name} = {statement}"));
                    set_values.push(format!("{name} = {value}"));
                }
                None => removes.push((*name).to_owned()),
            }
        }
        if clauses.is_empty() {
            return Ok(());
        }
        let mut statement = format!("UPDATE items {}", sets.join(" "));
        for name in &removes {
            statement += &format!(" REMOVE {name}");
        }
        let mut update = String::new();
        if !set_values.is_empty() {
            update += &format!("SET {}", set_values.join(", "));
        }
        if !removes.is_empty() {
            update += &format!(" REMOVE {}", removes.join(", "));
        }
        statement += &where_key(key);
        let mut expression = "attribute_exists(pk)".to_owned();
        if let Some(condition) = condition {
            let (one, two) = texts.condition(condition);
            statement += &format!(" AND ({one})");
            expression += &format!(" AND ({two})");
        }
        let returns = match returning {
            "ALL OLD" => "ALL_OLD",
            "ALL NEW" => "ALL_NEW",
            "MODIFIED OLD" => "UPDATED_OLD",
            _ => "NONE",
        };
        if !returning.is_empty() {
            statement += &format!(" RETURNING {returning} *");
        }
        let call = json!({"Key": key_of(key), "UpdateExpression": update,
            "ConditionExpression": expression, "ReturnValues": returns});
        let got = self.statement(&statement, &texts, json!({}));
        let wanted = self.call(UpdateItem, &texts, call);
        same_write(&statement, got, wanted, Some("Attributes"))
    }

    /// Arithmetic, which may not fit what is there.
    fn add(&self, key: Key, by: i32) -> Result<(), TestCaseError> {
        let mut texts = Texts::default();
        texts
            .values
            .insert(":v0".to_owned(), json!({"N": by.to_string()}));
        let statement = format!("UPDATE items SET a = a - {by}{}", where_key(key));
        let got = self.statement(&statement, &texts, json!({}));
        let call = json!({"Key": key_of(key), "UpdateExpression": "SET a = a - :v0",
            "ConditionExpression": "attribute_exists(pk)"});
        let wanted = self.call(UpdateItem, &texts, call);
        same_write(&statement, got, wanted, None)
    }

    fn delete(
        &self,
        key: Key,
        condition: Option<&Condition>,
        returning: bool,
    ) -> Result<(), TestCaseError> {
        let mut texts = Texts::default();
        let mut statement = format!("DELETE FROM items{}", where_key(key));
        let mut call = json!({"Key": key_of(key)});
        if let Some(condition) = condition {
            let (one, two) = texts.condition(condition);
            statement += &format!(" AND ({one})");
            call["ConditionExpression"] = format!("attribute_not_exists(pk) OR ({two})").into();
        }
        if returning {
            statement += " RETURNING ALL OLD *";
            call["ReturnValues"] = "ALL_OLD".into();
        }
        let got = self.statement(&statement, &texts, json!({}));
        let wanted = self.call(DeleteItem, &texts, call);
        same_write(&statement, got, wanted, Some("Attributes"))
    }

    /// All pages of a SELECT, each against the page of the Query or Scan.
    fn select(&self, read: &Read) -> Result<(), TestCaseError> {
        let (index, hash, sort) = read.place;
        let mut texts = Texts::default();
        let columns = match read.columns.as_slice() {
            [] => "*".to_owned(),
            columns => columns.join(", "),
        };
        let source = index.map_or("items".to_owned(), |index| format!(r#""items"."{index}""#));
        let mut parts = Vec::new();
        let (mut key, mut call) = (Vec::new(), json!({"ConsistentRead": read.consistent}));
        let partitions: Vec<(String, String)> = read
            .partitions
            .iter()
            .map(|value| texts.value(value))
            .collect();
        match partitions.as_slice() {
            [] => {}
            [(one, _)] => parts.push(format!("{hash} = {one}")),
            several => {
                let listed: Vec<&str> = several.iter().map(|(one, _)| one.as_str()).collect();
                parts.push(format!("{hash} IN [{}]", listed.join(", ")));
            }
        }
        if let Some(test) = &read.sort {
            let (statement, expression) = texts.condition(test);
            parts.push(statement);
            key.push(expression);
        }
        if let Some(filter) = &read.filter {
            let (statement, expression) = texts.condition(filter);
            // What is the key of a query may be no filter of it, and what names the partition of a
            // statement makes it a query.
            let keys: &[&str] = match (partitions.is_empty(), index) {
                (false, Some("local")) => &["b"],
                (_, Some("global")) => &["g"],
                _ => &[],
            };
            if keys.iter().any(|key| mentions(filter, key)) {
                return Ok(());
            }
            parts.push(format!("({statement})"));
            call["FilterExpression"] = expression.into();
        }
        let mut statement = format!("SELECT {columns} FROM {source}");
        if !parts.is_empty() {
            statement += &format!(" WHERE {}", parts.join(" AND "));
        }
        if read.descending {
            statement += &format!(" ORDER BY {} DESC", sort.unwrap_or_default());
            call["ScanIndexForward"] = false.into();
        }
        if let Some(index) = index {
            call["IndexName"] = index.into();
        }
        if !read.columns.is_empty() {
            call["ProjectionExpression"] = columns.into();
        }
        if let Some(limit) = read.limit {
            call["Limit"] = limit.into();
        }
        if partitions.len() > 1 {
            return self.several(&statement, &partitions, hash, &key, &texts, &call, read);
        }
        let operation = match partitions.first() {
            Some((_, name)) => {
                key.insert(0, format!("{hash} = {name}"));
                call["KeyConditionExpression"] = key.join(" AND ").into();
                Query
            }
            None => Scan,
        };
        let mut more = json!({"ConsistentRead": read.consistent});
        if let Some(limit) = read.limit {
            more["Limit"] = limit.into();
        }
        loop {
            let got = self.statement(&statement, &texts, more.clone());
            let wanted = self.call(operation, &texts, call.clone());
            let (got, mut wanted) = match (got, wanted) {
                (Ok(got), Ok(wanted)) => (got, wanted),
                (got, wanted) => {
                    prop_assert!(
                        got.is_err() && wanted.is_err(),
                        "{statement}: {got:?} {wanted:?}"
                    );
                    return Ok(());
                }
            };
            prop_assert_eq!(&got["Items"], &wanted["Items"], "{}", &statement);
            prop_assert_eq!(
                &got["ConsumedCapacity"],
                &wanted["ConsumedCapacity"],
                "{}",
                &statement
            );
            // One item by its whole key is the only one, whatever the limit.
            let single =
                index.is_none() && matches!(read.sort, Some(Condition::Compare(_, "=", _)));
            if single {
                wanted["LastEvaluatedKey"] = Value::Null;
            }
            prop_assert_eq!(
                &got["LastEvaluatedKey"],
                &wanted["LastEvaluatedKey"],
                "{}",
                &statement
            );
            prop_assert_eq!(
                got["NextToken"].is_null(),
                wanted["LastEvaluatedKey"].is_null()
            );
            if got["NextToken"].is_null() {
                return Ok(());
            }
            more["NextToken"] = got["NextToken"].clone();
            call["ExclusiveStartKey"] = wanted["LastEvaluatedKey"].clone();
        }
    }

    /// Several partitions are as many queries.
    #[expect(clippy::too_many_arguments, reason = "parts of one read")]
    fn several(
        &self,
        statement: &str,
        partitions: &[(String, String)],
        hash: &str,
        key: &[String],
        texts: &Texts,
        call: &Value,
        read: &Read,
    ) -> Result<(), TestCaseError> {
        let got = self.statement(statement, texts, json!({"ConsistentRead": read.consistent}));
        let (mut items, mut units) = (Vec::new(), 0.0);
        for (_, name) in partitions {
            let mut key = key.to_vec();
            key.insert(0, format!("{hash} = {name}"));
            let mut call = call.clone();
            call["KeyConditionExpression"] = key.join(" AND ").into();
            // The values of the other partitions are in no expression of this call.
            let mut own = Texts {
                values: texts.values.clone(),
                ..Texts::default()
            };
            for (_, other) in partitions.iter().filter(|(_, other)| other != name) {
                own.values.remove(other);
            }
            match self.call(Query, &own, call) {
                Ok(answer) => {
                    items.extend(answer["Items"].as_array().unwrap().clone());
                    units += answer["ConsumedCapacity"]["CapacityUnits"]
                        .as_f64()
                        .unwrap();
                }
                Err(error) => {
                    prop_assert!(got.is_err(), "{statement}: {error} {got:?}");
                    return Ok(());
                }
            }
        }
        let got = got.map_err(|error| TestCaseError::fail(format!("{statement}: {error}")))?;
        prop_assert_eq!(&got["Items"], &json!(items), "{}", statement);
        prop_assert_eq!(
            got["ConsumedCapacity"]["CapacityUnits"].as_f64(),
            Some(units)
        );
        Ok(())
    }

    fn gets(&self, gets: &[(Key, bool)]) -> Result<(), TestCaseError> {
        let statement = |key: Key| format!("SELECT * FROM items{}", where_key(key));
        let statements: Vec<Value> = gets
            .iter()
            .map(|(key, consistent)| {
                json!({"Statement": statement(*key), "ConsistentRead": consistent})
            })
            .collect();
        let batch = json!({"Statements": statements, "ReturnConsumedCapacity": "INDEXES"});
        let batch = self.statements.ok(BatchExecuteStatement, batch);
        for (place, (key, consistent)) in gets.iter().enumerate() {
            let call = json!({"Key": key_of(*key), "ConsistentRead": consistent});
            let one = self.call(GetItem, &Texts::default(), call).unwrap();
            prop_assert_eq!(&batch["Responses"][place]["Item"], &one["Item"]);
            prop_assert_eq!(&batch["ConsumedCapacity"][place], &one["ConsumedCapacity"]);
        }
        let statements: Vec<Value> = gets
            .iter()
            .map(|(key, _)| json!({"Statement": statement(*key)}))
            .collect();
        let got = self.statements.ok(
            ExecuteTransaction,
            json!({"TransactStatements": statements, "ReturnConsumedCapacity": "INDEXES"}),
        );
        let gets: Vec<Value> = gets
            .iter()
            .map(|(key, _)| json!({"Get": {"TableName": "items", "Key": key_of(*key)}}))
            .collect();
        let wanted = self.calls.ok(
            TransactGetItems,
            json!({"TransactItems": gets, "ReturnConsumedCapacity": "INDEXES"}),
        );
        prop_assert_eq!(got, wanted);
        Ok(())
    }

    /// Deletes and checks; what they consume and why they are cancelled.
    fn transaction(&self, writes: &[(Key, Option<Condition>, bool)]) -> Result<(), TestCaseError> {
        let (mut statements, mut actions) = (Vec::new(), Vec::new());
        for (key, condition, check) in writes {
            let mut texts = Texts::default();
            let (mut more, mut expression) = (String::new(), "attribute_exists(pk)".to_owned());
            if let Some(condition) = condition {
                let (one, two) = texts.condition(condition);
                more = format!(" AND ({one})");
                expression = format!("{expression} AND ({two})");
            }
            // EXISTS says something besides the key.
            let check = *check && condition.is_some();
            let key_text = where_key(*key);
            let statement = match check {
                true => format!("EXISTS(SELECT * FROM items{key_text}{more})"),
                false => format!("UPDATE items SET done = 'x'{key_text}{more}"),
            };
            let mut request = json!({ "Statement": statement });
            if !texts.parameters.is_empty() {
                request["Parameters"] = texts.parameters.clone().into();
            }
            statements.push(request);
            let mut action = json!({"TableName": "items", "Key": key_of(*key),
                "ConditionExpression": expression});
            if !check {
                action["UpdateExpression"] = "SET done = :done".into();
                texts.values.insert(":done".to_owned(), json!({"S": "x"}));
            }
            if !texts.values.is_empty() {
                action["ExpressionAttributeValues"] = texts.values.into();
            }
            actions.push(match check {
                true => json!({ "ConditionCheck": action }),
                false => json!({ "Update": action }),
            });
        }
        let got = self.statements.call(
            ExecuteTransaction,
            &json!({"TransactStatements": statements, "ReturnConsumedCapacity": "INDEXES"}),
        );
        let wanted = self.calls.call(
            TransactWriteItems,
            &json!({"TransactItems": actions, "ReturnConsumedCapacity": "INDEXES"}),
        );
        match (got, wanted) {
            (Ok(got), Ok(wanted)) => {
                prop_assert_eq!(&got["ConsumedCapacity"], &wanted["ConsumedCapacity"]);
            }
            (Err((one, got)), Err((two, wanted))) => {
                prop_assert_eq!(one, two);
                prop_assert_eq!(&got["CancellationReasons"], &wanted["CancellationReasons"]);
            }
            (got, wanted) => prop_assert!(false, "{statements:?}: {got:?} {wanted:?}"),
        }
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for index in [None, Some("local"), Some("global")] {
            let mut scan = json!({"TableName": "items"});
            if let Some(index) = index {
                scan["IndexName"] = index.into();
            }
            let one = self.statements.ok(Scan, scan.clone());
            let two = self.calls.ok(Scan, scan);
            prop_assert_eq!(one, two);
        }
        Ok(())
    }
}

fn merged(mut request: Value, more: Value) -> Value {
    if let Value::Object(more) = more {
        for (name, value) in more {
            request[name] = value;
        }
    }
    request
}

fn key_of(key: Key) -> Value {
    json!({"pk": {"S": key.0}, "sk": {"S": key.1}})
}

fn where_key(key: Key) -> String {
    format!(" WHERE pk = '{}' AND sk = '{}'", key.0, key.1)
}

fn mentions(condition: &Condition, attribute: &str) -> bool {
    match condition {
        Condition::Not(part) => mentions(part, attribute),
        Condition::And(parts) | Condition::Or(parts) => {
            parts.iter().any(|part| mentions(part, attribute))
        }
        Condition::Compare(path, ..)
        | Condition::Between(path, ..)
        | Condition::In(path, _)
        | Condition::BeginsWith(path, _)
        | Condition::Contains(path, _)
        | Condition::Exists(path)
        | Condition::IsMissing(path)
        | Condition::IsType(path, ..)
        | Condition::Size(path, ..) => *path == attribute,
    }
}

/// Both writes did the same, or both were refused: for a condition by the same name, and for anything
/// else in words of their own.
fn same_write(
    statement: &str,
    got: Result<Value, String>,
    wanted: Result<Value, String>,
    returned: Option<&str>,
) -> Result<(), TestCaseError> {
    match (got, wanted) {
        (Ok(got), Ok(wanted)) => {
            prop_assert_eq!(
                &got["ConsumedCapacity"],
                &wanted["ConsumedCapacity"],
                "{}",
                statement
            );
            let item = returned.map_or(&Value::Null, |member| &wanted[member]);
            let items: Vec<&Value> = Some(item)
                .filter(|item| item.is_object())
                .into_iter()
                .collect();
            prop_assert_eq!(&got["Items"], &json!(items), "{}", statement);
        }
        (Err(got), Err(wanted)) => {
            let name = |error: &str| error.split(':').next().unwrap_or_default().to_owned();
            prop_assert_eq!(
                name(&got),
                name(&wanted),
                "{}: {} {}",
                statement,
                got,
                wanted
            );
        }
        (got, wanted) => prop_assert!(false, "{statement}: {got:?} {wanted:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn statements_do_what_the_calls_do(steps in prop::collection::vec(step(), 1..40)) {
        let pair = Pair::new();
        for step in &steps {
            pair.run(step)?;
        }
        pair.check()?;
    }
}
