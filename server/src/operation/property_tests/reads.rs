//! Requests that read, and their answers: what the model holds, at the price of the calculator.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::{
    World,
    attributes::{INDEXABLE, OTHERS, normal, order, scalar},
    calculator::{Bill, TRANSACTIONAL, Told, item_size, per_step, read_units},
    condition::{Condition, Placeholders, Test},
    model::Table,
    projection::Projection,
    random::Random,
    schema::Index,
    writes::{KINDS, in_order},
};
use crate::wire::Operation::{
    self, BatchGetItem, DescribeTable, GetItem, Query, Scan, TransactGetItems,
};

/// What a page looks at before it ends (API reference, `Query` and `Scan`: "1 MB").
const PAGE: usize = 1024 * 1024;

/// A table or one of its indexes.
#[derive(Clone, Copy)]
struct Source<'a> {
    table: &'a Table,
    index: Option<&'a Index>,
}

impl<'a> Source<'a> {
    fn of(table: &'a Table) -> impl Iterator<Item = Self> {
        let indexes = table.schema.indexes.iter().map(Some);
        std::iter::once(None)
            .chain(indexes)
            .map(move |index| Self { table, index })
    }

    /// All that it holds, as a function of the table's items.
    fn entries(self) -> Vec<Value> {
        let items = self.table.items();
        match self.index {
            None => items.cloned().collect(),
            Some(index) => items
                .filter_map(|item| index.entry(&self.table.schema, item))
                .collect(),
        }
    }

    fn request(self) -> Value {
        let mut request = json!({"TableName": self.table.schema.name});
        if let Some(index) = self.index {
            request["IndexName"] = index.name.clone().into();
        }
        request
    }

    fn position(self, entry: &Value) -> Value {
        match self.index {
            None => self.table.schema.key(entry),
            Some(index) => index.position(&self.table.schema, entry),
        }
    }

    fn partition(self) -> Vec<&'static str> {
        self.index
            .map_or(vec!["pk"], |index| index.partition.clone())
    }

    fn sort(self) -> Vec<&'static str> {
        match self.index {
            Some(index) => index.sort.clone(),
            None if self.table.schema.has_sort => vec!["sk"],
            None => Vec::new(),
        }
    }

    fn is_global(self) -> bool {
        self.index.is_some_and(|index| !index.local)
    }

    fn carries(self, name: &str) -> bool {
        let schema = &self.table.schema;
        self.index.is_none_or(|index| index.carries(schema, name))
    }

    /// The attributes that may be asked for.
    fn names(self) -> Vec<&'static str> {
        let keys = self.table.schema.key_names();
        let names = [&keys[..], INDEXABLE, OTHERS].concat();
        names
            .into_iter()
            .filter(|name| self.carries(name))
            .collect()
    }

    /// What reading these entries costs; where `fetches`, each item is read from the table too
    /// ("Local secondary indexes", "Read capacity units").
    fn bill(self, entries: &[Value], fetches: bool, consistent: bool) -> Bill {
        let step = per_step(consistent);
        let units = read_units(entries.iter().map(item_size).sum(), step);
        let Some(index) = self.index else {
            return Bill::of_table(units);
        };
        let mut bill = Bill::default();
        bill.charge(&index.name, index.local, units);
        if fetches {
            let items = entries.iter().map(|entry| self.table.get(entry).unwrap());
            bill.table = items.map(|item| read_units(item_size(item), step)).sum();
        }
        bill
    }
}

/// Those of `entries` that a page looks at, and whether it ends before they do.
fn page(source: Source<'_>, entries: &[Value], limit: usize, fetches: bool) -> (usize, bool) {
    let (mut looked, mut bytes, mut fetched) = (0, 0, 0);
    for entry in entries {
        looked += 1;
        bytes += item_size(entry);
        if fetches {
            fetched += item_size(source.table.get(entry).unwrap());
        }
        if looked == limit || bytes.max(fetched) >= PAGE {
            return (looked, true);
        }
    }
    (looked, false)
}

fn sorted(items: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = items.iter().map(Value::to_string).collect();
    texts.sort_unstable();
    texts
}

fn items(answer: &Value) -> Vec<Value> {
    let items = answer["Items"].as_array().unwrap().iter();
    items.map(|item| normal(item.clone())).collect()
}

impl World {
    /// The table and each of its indexes hold what they should.
    pub(super) fn check(&self, table: usize, random: &mut Random) {
        for source in Source::of(&self.model.tables[table]) {
            let consistent = !source.is_global() && random.one_in(2);
            let mut found = Vec::new();
            let segments = if random.one_in(4) {
                1 + random.below(5)
            } else {
                1
            };
            for segment in 0..segments {
                let mut request = source.request();
                if segments > 1 {
                    request["TotalSegments"] = segments.into();
                    request["Segment"] = segment.into();
                }
                found.extend(self.walk(source, Scan, request, consistent));
            }
            assert_eq!(
                sorted(&found),
                sorted(&source.entries()),
                "{}",
                source.request()
            );
        }
    }

    /// All that a Query or Scan gives, page by page.
    fn walk(
        &self,
        source: Source<'_>,
        operation: Operation,
        mut request: Value,
        consistent: bool,
    ) -> Vec<Value> {
        request["ConsistentRead"] = consistent.into();
        request["ReturnConsumedCapacity"] = "INDEXES".into();
        let mut found = Vec::new();
        loop {
            let answer = self.harness.ok(operation, request.clone());
            let entries = items(&answer);
            let last = answer.get("LastEvaluatedKey").cloned();
            let (looked, ends) = page(source, &entries, usize::MAX, false);
            assert_eq!((looked, ends), (entries.len(), last.is_some()), "{request}");
            let bill = source.bill(&entries, false, consistent);
            let name = &source.table.schema.name;
            let consumed = bill.consumed(name, "INDEXES", Told::Nothing);
            assert_eq!(answer["ConsumedCapacity"], consumed, "{request}");
            found.extend(entries);
            match last {
                Some(last) => request["ExclusiveStartKey"] = last,
                None => return found,
            }
        }
    }

    /// Sends a few random requests that read.
    pub(super) fn read(&self, random: &mut Random) {
        let table = random.pick(&self.model.tables);
        let sources: Vec<Source<'_>> = Source::of(table).collect();
        let source = *random.pick(&sources);
        match random.below(8) {
            0 => self.get(random, table),
            1 => self.batch_get(random),
            2 => self.transact_get(random),
            3 | 4 => {
                let order = self.walk(source, Scan, source.request(), false);
                let legacy = random.one_in(5);
                self.one_page(random, source, Scan, source.request(), &order, None, legacy);
            }
            _ => self.query(random, source),
        }
    }

    fn get(&self, random: &mut Random, table: &Table) {
        let key = table.random_key(random);
        let (kind, consistent) = (*random.pick(KINDS), random.one_in(2));
        let mut request = json!({"TableName": table.schema.name, "Key": key,
            "ConsistentRead": consistent, "ReturnConsumedCapacity": kind});
        let projection = projection(random, &mut request);
        let answer = self.harness.ok(GetItem, request.clone());
        let item = table.get(&key);
        let bill = Bill::of_table(read_units(item.map_or(0, item_size), per_step(consistent)));
        let consumed = bill.consumed(&table.schema.name, kind, Told::Nothing);
        assert_eq!(answer["ConsumedCapacity"], consumed, "{request}");
        let wanted = item.map(|item| projected(projection.as_ref(), item));
        assert_eq!(
            normal(answer["Item"].clone()),
            wanted.unwrap_or_default(),
            "{request}"
        );
    }

    /// Different keys of a table.
    fn keys(random: &mut Random, table: &Table) -> Vec<Value> {
        let mut keys = vec![table.random_key(random)];
        for _ in 0..random.below(6) {
            let key = table.random_key(random);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    fn batch_get(&self, random: &mut Random) {
        let (kind, legacy) = (*random.pick(KINDS), random.one_in(4));
        let (mut requests, mut wanted) = (Map::new(), Vec::new());
        let mut bills = Vec::new();
        for (number, table) in self.model.tables.iter().enumerate() {
            if number > 0 && random.one_in(2) {
                continue;
            }
            let (keys, consistent) = (Self::keys(random, table), random.one_in(2));
            let mut request = json!({"Keys": keys, "ConsistentRead": consistent});
            let projection = random
                .one_in(2)
                .then(|| Projection::random(random, &names(table), legacy));
            write_projection(random, projection.as_ref(), &mut request);
            requests.insert(table.schema.name.clone(), request);
            let found: Vec<&Value> = keys.iter().filter_map(|key| table.get(key)).collect();
            // "DynamoDB rounds up the size of each item" ("BatchGetItem").
            let units = keys
                .iter()
                .map(|key| read_units(table.get(key).map_or(0, item_size), per_step(consistent)));
            bills.push((number, Bill::of_table(units.sum())));
            let found = found.into_iter();
            let found: Vec<Value> = found
                .map(|item| projected(projection.as_ref(), item))
                .collect();
            wanted.push((table.schema.name.clone(), found));
        }
        let request = json!({"RequestItems": requests, "ReturnConsumedCapacity": kind});
        let answer = self.harness.ok(BatchGetItem, request.clone());
        assert_eq!(answer["UnprocessedKeys"], json!({}));
        for (name, wanted) in wanted {
            let found = normal(answer["Responses"][&name].clone());
            assert_eq!(
                sorted(found.as_array().unwrap()),
                sorted(&wanted),
                "{request}"
            );
        }
        let bills = bills.iter().map(|(table, bill)| (*table, bill));
        let consumed = self.consumed(bills, kind, Told::Nothing);
        assert_eq!(
            in_order(&answer["ConsumedCapacity"]),
            in_order(&consumed),
            "{request}"
        );
    }

    fn transact_get(&self, random: &mut Random) {
        let kind = *random.pick(KINDS);
        let (mut gets, mut wanted) = (Vec::new(), Vec::new());
        let mut bills: Vec<(usize, Bill)> = Vec::new();
        for (number, table) in self.model.tables.iter().enumerate() {
            if number > 0 && random.one_in(2) {
                continue;
            }
            let mut units = 0.0;
            for key in Self::keys(random, table) {
                let mut get = json!({"TableName": table.schema.name, "Key": key});
                let projection = random
                    .one_in(2)
                    .then(|| Projection::random(random, &names(table), false));
                write_projection(random, projection.as_ref(), &mut get);
                gets.push(json!({ "Get": get }));
                let item = table.get(&key);
                units += read_units(item.map_or(0, item_size), TRANSACTIONAL);
                let item = item.map(|item| projected(projection.as_ref(), item));
                wanted.push(item.unwrap_or_default());
            }
            bills.push((number, Bill::of_table(units)));
        }
        let request = json!({"TransactItems": gets, "ReturnConsumedCapacity": kind});
        let answer = self.harness.ok(TransactGetItems, request.clone());
        let responses = answer["Responses"].as_array().unwrap().iter();
        let found: Vec<Value> = responses.map(|one| normal(one["Item"].clone())).collect();
        assert_eq!(found, wanted, "{request}");
        let bills = bills.iter().map(|(table, bill)| (*table, bill));
        let consumed = self.consumed(bills, kind, Told::Read);
        assert_eq!(answer["ConsumedCapacity"], consumed, "{request}");
    }

    /// Queries a partition, whole and then a page of it.
    fn query(&self, random: &mut Random, source: Source<'_>) {
        let (partition, sort) = (source.partition(), source.sort());
        let entries = source.entries();
        let types = &source.table.schema.types;
        let aim = (!entries.is_empty() && !random.one_in(8)).then(|| random.pick(&entries));
        let value = |random: &mut Random, name: &str| match aim {
            Some(entry) => entry[name].clone(),
            None => scalar(random, types[name]),
        };
        let mut tests: Vec<Test> = partition
            .iter()
            .map(|name| Test::equals(name, value(random, name)))
            .collect();
        // From the left: equality, and at the end a range ("Multi-attribute keys").
        for name in sort.iter().take(random.below(sort.len() + 1)) {
            let values: Vec<Value> = (0..3)
                .map(|_| match aim {
                    Some(entry) if random.one_in(2) => entry[*name].clone(),
                    _ => scalar(random, types[*name]),
                })
                .collect();
            let test = Test::of_key(random, name, &values);
            let last = !test.is_equality();
            tests.push(test);
            if last {
                break;
            }
        }
        let legacy = random.one_in(5);
        let forward = !random.one_in(3);
        let mut request = source.request();
        if !forward {
            request["ScanIndexForward"] = false.into();
        }
        let mut placeholders = Placeholders::default();
        let mut whole = request.clone();
        write_key_condition(random, &tests, legacy, &mut whole, &mut placeholders);
        placeholders.write(&mut whole);
        let found = self.walk(source, Query, whole.clone(), false);
        let wanted: Vec<Value> = entries
            .into_iter()
            .filter(|entry| tests.iter().all(|test| test.holds(Some(entry))))
            .collect();
        assert_eq!(sorted(&found), sorted(&wanted), "{whole}");
        let compare = |one: &Value, other: &Value| {
            let orders = sort
                .iter()
                .map(|name| order(&one[*name], &other[*name]).unwrap());
            orders.fold(Ordering::Equal, Ordering::then)
        };
        let ordered = found.windows(2).all(|pair| match forward {
            true => compare(&pair[0], &pair[1]).is_le(),
            false => compare(&pair[0], &pair[1]).is_ge(),
        });
        assert!(ordered, "{whole}: {found:?}");
        self.one_page(random, source, Query, request, &found, Some(&tests), legacy);
    }

    /// One page of entries whose order is known: from some place on, up to a limit, filtered,
    /// projected or counted.
    #[expect(clippy::too_many_arguments, reason = "what a page is made of")]
    fn one_page(
        &self,
        random: &mut Random,
        source: Source<'_>,
        operation: Operation,
        mut request: Value,
        order: &[Value],
        key: Option<&[Test]>,
        legacy: bool,
    ) {
        let mut placeholders = Placeholders::default();
        if let Some(tests) = key {
            write_key_condition(random, tests, legacy, &mut request, &mut placeholders);
        }
        let mut start = 0;
        if !order.is_empty() && random.one_in(2) {
            let after = random.below(order.len());
            request["ExclusiveStartKey"] = source.position(&order[after]);
            start = after + 1;
        }
        let limit = match random.one_in(2) {
            true => 1 + random.below(order.len() + 1),
            false => usize::MAX,
        };
        if limit < usize::MAX {
            request["Limit"] = limit.into();
        }
        let consistent = !source.is_global() && random.one_in(2);
        let kind = *random.pick(KINDS);
        request["ConsistentRead"] = consistent.into();
        request["ReturnConsumedCapacity"] = kind.into();
        let (select, fetches) = Selected::random(random, source, legacy);
        select.write(&mut request, &mut placeholders, random);
        let filter = self.filter(random, source, fetches, key.is_some());
        let filter = filter.filter(|filter| match legacy {
            true if key.is_some() => filter.write_legacy(&mut request, "QueryFilter", false),
            true => filter.write_legacy(&mut request, "ScanFilter", false),
            false => {
                let text = filter.expression(&mut placeholders, random);
                request["FilterExpression"] = text.into();
                true
            }
        });
        placeholders.write(&mut request);
        let answer = self.harness.ok(operation, request.clone());

        let rest = &order[start..];
        let (looked, ends) = page(source, rest, limit, fetches);
        let read = &rest[..looked];
        let passed: Vec<&Value> = read
            .iter()
            .map(|entry| match fetches {
                true => source.table.get(entry).unwrap(),
                false => entry,
            })
            .filter(|item| {
                filter
                    .as_ref()
                    .is_none_or(|filter| filter.holds(Some(item)))
            })
            .collect();
        assert_eq!(answer["ScannedCount"], looked, "{request}");
        assert_eq!(answer["Count"], passed.len(), "{request}");
        let last = ends.then(|| source.position(&rest[looked - 1]));
        assert_eq!(answer.get("LastEvaluatedKey"), last.as_ref(), "{request}");
        match &select {
            Selected::Count => assert_eq!(answer.get("Items"), None, "{request}"),
            other => {
                let wanted: Vec<Value> = passed
                    .into_iter()
                    .map(|item| projected(other.projection(), item))
                    .collect();
                assert_eq!(items(&answer), wanted, "{request}");
            }
        }
        let bill = source.bill(read, fetches, consistent);
        let consumed = bill.consumed(&source.table.schema.name, kind, Told::Nothing);
        assert_eq!(answer["ConsumedCapacity"], consumed, "{request}");
    }

    /// A filter that the read can have: on what is read, and in a Query not on its key.
    fn filter(
        &self,
        random: &mut Random,
        source: Source<'_>,
        fetches: bool,
        query: bool,
    ) -> Option<Condition> {
        if random.one_in(2) {
            return None;
        }
        let key = [source.partition(), source.sort()].concat();
        let names = if fetches {
            names(source.table)
        } else {
            source.names()
        };
        let names: Vec<&str> = names
            .into_iter()
            .filter(|name| !query || !key.contains(name))
            .collect();
        if names.is_empty() {
            return None;
        }
        let entries = source.entries();
        let item = (!entries.is_empty()).then(|| random.pick(&entries));
        Some(Condition::random(
            random,
            &source.table.schema,
            &names,
            item,
        ))
    }

    /// What DescribeTable counts is there.
    pub(super) fn check_description(&self, table: usize) {
        let table = &self.model.tables[table];
        let request = json!({"TableName": table.schema.name});
        let answer = self.harness.ok(DescribeTable, request);
        let described = |source: Source<'_>| match source.index {
            None => answer["Table"].clone(),
            Some(index) => {
                let kind = if index.local { "Local" } else { "Global" };
                let list = &answer["Table"][format!("{kind}SecondaryIndexes")];
                let mut list = list.as_array().unwrap().iter();
                list.find(|one| one["IndexName"] == index.name)
                    .unwrap()
                    .clone()
            }
        };
        for source in Source::of(table) {
            let (described, entries) = (described(source), source.entries());
            let member = if source.index.is_some() {
                "IndexSizeBytes"
            } else {
                "TableSizeBytes"
            };
            assert_eq!(described["ItemCount"], entries.len());
            assert_eq!(
                described[member],
                entries.iter().map(item_size).sum::<usize>()
            );
        }
    }
}

/// `Select`, with the projection that goes with it.
enum Selected {
    Default,
    Named(&'static str),
    Count,
    Projection(Projection),
}

impl Selected {
    /// What a read of the source can return, and whether it has to fetch items for it.
    fn random(random: &mut Random, source: Source<'_>, legacy: bool) -> (Self, bool) {
        match (random.below(5), source.index) {
            (0, _) => (Self::Count, false),
            (1, None) => (Self::Named("ALL_ATTRIBUTES"), false),
            (1, Some(index)) if index.local || index.carries_all() => {
                (Self::Named("ALL_ATTRIBUTES"), !index.carries_all())
            }
            (2, Some(_)) => (Self::Named("ALL_PROJECTED_ATTRIBUTES"), false),
            (3 | 4, index) => {
                let local = index.is_some_and(|index| index.local);
                let names = if local {
                    names(source.table)
                } else {
                    source.names()
                };
                let projection = Projection::random(random, &names, legacy);
                let fetches = !projection.names().all(|name| source.carries(name));
                (Self::Projection(projection), fetches)
            }
            _ => (Self::Default, false),
        }
    }

    fn projection(&self) -> Option<&Projection> {
        match self {
            Self::Projection(projection) => Some(projection),
            _ => None,
        }
    }

    fn write(&self, request: &mut Value, placeholders: &mut Placeholders, random: &mut Random) {
        match self {
            Self::Default => {}
            Self::Count => request["Select"] = "COUNT".into(),
            Self::Named(name) => request["Select"] = (*name).into(),
            Self::Projection(projection) => {
                if random.one_in(2) {
                    request["Select"] = "SPECIFIC_ATTRIBUTES".into();
                }
                projection.write(request, placeholders, random);
            }
        }
    }
}

/// All attributes of items of the table.
fn names(table: &Table) -> Vec<&'static str> {
    [&table.schema.key_names()[..], INDEXABLE, OTHERS].concat()
}

/// Gives a request a random projection, or none.
fn projection(random: &mut Random, request: &mut Value) -> Option<Projection> {
    let legacy = random.one_in(4);
    let names = [&["pk"], INDEXABLE, OTHERS].concat();
    let projection = random
        .one_in(2)
        .then(|| Projection::random(random, &names, legacy));
    write_projection(random, projection.as_ref(), request);
    projection
}

fn write_projection(random: &mut Random, projection: Option<&Projection>, request: &mut Value) {
    let mut placeholders = Placeholders::default();
    if let Some(projection) = projection {
        projection.write(request, &mut placeholders, random);
    }
    placeholders.write(request);
}

fn projected(projection: Option<&Projection>, item: &Value) -> Value {
    match projection {
        None => item.clone(),
        Some(projection) => projection.apply(item),
    }
}

fn write_key_condition(
    random: &mut Random,
    tests: &[Test],
    legacy: bool,
    request: &mut Value,
    placeholders: &mut Placeholders,
) {
    if legacy {
        let conditions: Map<String, Value> = tests.iter().map(Test::legacy).collect();
        request["KeyConditions"] = conditions.into();
        return;
    }
    let texts: Vec<String> = tests
        .iter()
        .map(|test| test.expression(placeholders, random))
        .collect();
    request["KeyConditionExpression"] = random.shuffled(&texts).join(" AND ").into();
}
