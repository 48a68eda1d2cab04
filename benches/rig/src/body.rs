//! The JSON of the requests, written by hand into one buffer: a few hundred nanoseconds each.

use crate::item::write_value;
use crate::random::Random;
use crate::records::{KeyStyle, Layout};
use crate::workload::Workload;

/// Writes request bodies for one workload.
#[derive(Clone, Debug)]
pub struct Bodies {
    workload: Workload,
    style: KeyStyle,
}

impl Bodies {
    /// For a workload.
    pub fn new(workload: Workload) -> Self {
        let style = workload.key_style();
        Self { workload, style }
    }

    fn table(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(b"{\"TableName\":\"");
        text.extend_from_slice(self.workload.table.as_bytes());
        text.push(b'"');
    }

    /// The partition key's value.
    fn partition(&self, record: u64, text: &mut Vec<u8>) {
        match self.style.layout {
            Layout::Simple => self.style.write_name(record, text),
            Layout::Partitioned { partitions } => {
                self.style.write_partition(record, partitions, text);
            }
        }
    }

    /// `"pk":{"S":"…"}`, and the sort key if there is one.
    fn key_members(&self, record: u64, text: &mut Vec<u8>) {
        text.push(b'"');
        text.extend_from_slice(self.workload.partition_key.as_bytes());
        text.extend_from_slice(b"\":{\"S\":\"");
        self.partition(record, text);
        text.extend_from_slice(b"\"}");
        if self.style.layout != Layout::Simple {
            text.extend_from_slice(b",\"");
            text.extend_from_slice(self.workload.sort_key.as_bytes());
            text.extend_from_slice(b"\":{\"S\":\"");
            self.style.write_name(record, text);
            text.extend_from_slice(b"\"}");
        }
    }

    fn key(&self, record: u64, text: &mut Vec<u8>) {
        text.extend_from_slice(b"\"Key\":{");
        self.key_members(record, text);
        text.push(b'}');
    }

    fn item(&self, random: &mut Random, record: u64, text: &mut Vec<u8>) {
        text.extend_from_slice(b"\"Item\":{");
        self.key_members(record, text);
        let fields = self.workload.fields;
        let mut left = self.workload.size.draw(random);
        for field in 0..fields {
            let size = left / (fields - field);
            left -= size;
            text.extend_from_slice(b",\"field");
            number(field, text);
            text.extend_from_slice(b"\":{\"S\":\"");
            write_value(random, usize::try_from(size).unwrap_or(0), text);
            text.extend_from_slice(b"\"}");
        }
        text.push(b'}');
    }

    /// What a read asks for besides a key or range.
    fn read_options(&self, random: &mut Random, text: &mut Vec<u8>) {
        if self.workload.consistent {
            text.extend_from_slice(b",\"ConsistentRead\":true");
        }
        self.projection(random, text);
    }

    fn projection(&self, random: &mut Random, text: &mut Vec<u8>) {
        if !self.workload.read_all_fields && self.workload.fields > 0 {
            text.extend_from_slice(b",\"ProjectionExpression\":\"field");
            number(random.below(self.workload.fields), text);
            text.push(b'"');
        }
    }

    /// GetItem.
    pub fn get(&self, random: &mut Random, record: u64, text: &mut Vec<u8>) {
        self.table(text);
        text.push(b',');
        self.key(record, text);
        self.read_options(random, text);
        text.push(b'}');
    }

    /// PutItem.
    pub fn put(&self, random: &mut Random, record: u64, text: &mut Vec<u8>) {
        self.table(text);
        text.push(b',');
        self.item(random, record, text);
        text.push(b'}');
    }

    /// DeleteItem.
    pub fn delete(&self, record: u64, text: &mut Vec<u8>) {
        self.table(text);
        text.push(b',');
        self.key(record, text);
        text.push(b'}');
    }

    /// UpdateItem.
    pub fn update(&self, random: &mut Random, record: u64, text: &mut Vec<u8>) {
        self.update_of(random, record, text);
        text.push(b'}');
    }

    /// An update without its closing brace.
    fn update_of(&self, random: &mut Random, record: u64, text: &mut Vec<u8>) {
        self.table(text);
        text.push(b',');
        self.key(record, text);
        let fields = self.workload.fields.max(1);
        let written = if self.workload.write_all_fields {
            0..fields
        } else {
            let field = random.below(fields);
            field..field + 1
        };
        text.extend_from_slice(b",\"UpdateExpression\":\"SET ");
        for (place, field) in written.clone().enumerate() {
            if place > 0 {
                text.push(b',');
            }
            text.extend_from_slice(b"field");
            number(field, text);
            text.extend_from_slice(b"=:v");
            number(field, text);
        }
        text.extend_from_slice(b"\",\"ExpressionAttributeValues\":{");
        let size = self.workload.size.draw(random) / fields;
        for (place, field) in written.enumerate() {
            if place > 0 {
                text.push(b',');
            }
            text.extend_from_slice(b"\":v");
            number(field, text);
            text.extend_from_slice(b"\":{\"S\":\"");
            write_value(random, usize::try_from(size).unwrap_or(0), text);
            text.extend_from_slice(b"\"}");
        }
        text.push(b'}');
    }

    fn scan_length(&self, random: &mut Random) -> u64 {
        let length = self.workload.scan_length;
        if length.zipfian {
            crate::item::Size::Zipfian(length.low, length.high).draw(random)
        } else {
            random.between(length.low, length.high)
        }
    }

    /// Query of the neighbours from a record on.
    pub fn query(&self, random: &mut Random, record: u64, text: &mut Vec<u8>) {
        self.table(text);
        text.extend_from_slice(b",\"KeyConditionExpression\":\"#p=:p AND #s>=:s\",");
        text.extend_from_slice(b"\"ExpressionAttributeNames\":{\"#p\":\"");
        text.extend_from_slice(self.workload.partition_key.as_bytes());
        text.extend_from_slice(b"\",\"#s\":\"");
        text.extend_from_slice(self.workload.sort_key.as_bytes());
        text.extend_from_slice(b"\"},\"ExpressionAttributeValues\":{\":p\":{\"S\":\"");
        self.partition(record, text);
        text.extend_from_slice(b"\"},\":s\":{\"S\":\"");
        self.style.write_name(record, text);
        text.extend_from_slice(b"\"}},\"Limit\":");
        number(self.scan_length(random).max(1), text);
        self.read_options(random, text);
        text.push(b'}');
    }

    /// Scan from a record on.
    pub fn scan(&self, random: &mut Random, record: u64, text: &mut Vec<u8>) {
        self.table(text);
        text.extend_from_slice(b",\"ExclusiveStartKey\":{");
        self.key_members(record, text);
        text.extend_from_slice(b"},\"Limit\":");
        number(self.scan_length(random).max(1), text);
        self.read_options(random, text);
        text.push(b'}');
    }

    /// BatchGetItem of different records.
    pub fn batch_get(&self, random: &mut Random, records: &[u64], text: &mut Vec<u8>) {
        text.extend_from_slice(b"{\"RequestItems\":{\"");
        text.extend_from_slice(self.workload.table.as_bytes());
        text.extend_from_slice(b"\":{\"Keys\":[");
        list(records, text, |record, text| {
            text.push(b'{');
            self.key_members(record, text);
            text.push(b'}');
        });
        text.push(b']');
        self.read_options(random, text);
        text.extend_from_slice(b"}}}");
    }

    /// BatchWriteItem that puts different records.
    pub fn batch_write(&self, random: &mut Random, records: &[u64], text: &mut Vec<u8>) {
        text.extend_from_slice(b"{\"RequestItems\":{\"");
        text.extend_from_slice(self.workload.table.as_bytes());
        text.extend_from_slice(b"\":[");
        list(records, text, |record, text| {
            text.extend_from_slice(b"{\"PutRequest\":{");
            self.item(random, record, text);
            text.extend_from_slice(b"}}");
        });
        text.extend_from_slice(b"]}}");
    }

    /// TransactGetItems of different records.
    pub fn transact_get(&self, random: &mut Random, records: &[u64], text: &mut Vec<u8>) {
        text.extend_from_slice(b"{\"TransactItems\":[");
        list(records, text, |record, text| {
            text.extend_from_slice(b"{\"Get\":");
            self.table(text);
            text.push(b',');
            self.key(record, text);
            self.projection(random, text);
            text.extend_from_slice(b"}}");
        });
        text.extend_from_slice(b"]}");
    }

    /// TransactWriteItems that updates different records.
    pub fn transact_write(&self, random: &mut Random, records: &[u64], text: &mut Vec<u8>) {
        text.extend_from_slice(b"{\"TransactItems\":[");
        list(records, text, |record, text| {
            text.extend_from_slice(b"{\"Update\":");
            self.update_of(random, record, text);
            text.extend_from_slice(b"}}");
        });
        text.extend_from_slice(b"]}");
    }

    /// A SELECT by key, without braces: statement and parameters.
    fn select(&self, record: u64, text: &mut Vec<u8>) {
        text.extend_from_slice(b"\"Statement\":\"SELECT * FROM \\\"");
        text.extend_from_slice(self.workload.table.as_bytes());
        text.extend_from_slice(b"\\\" WHERE \\\"");
        text.extend_from_slice(self.workload.partition_key.as_bytes());
        text.extend_from_slice(b"\\\" = ?");
        let partitioned = self.style.layout != Layout::Simple;
        if partitioned {
            text.extend_from_slice(b" AND \\\"");
            text.extend_from_slice(self.workload.sort_key.as_bytes());
            text.extend_from_slice(b"\\\" = ?");
        }
        text.extend_from_slice(b"\",\"Parameters\":[{\"S\":\"");
        self.partition(record, text);
        text.extend_from_slice(b"\"}");
        if partitioned {
            text.extend_from_slice(b",{\"S\":\"");
            self.style.write_name(record, text);
            text.extend_from_slice(b"\"}");
        }
        text.push(b']');
    }

    fn select_consistent(&self, record: u64, text: &mut Vec<u8>) {
        text.push(b'{');
        self.select(record, text);
        if self.workload.consistent {
            text.extend_from_slice(b",\"ConsistentRead\":true");
        }
        text.push(b'}');
    }

    /// ExecuteStatement of a SELECT by key.
    pub fn statement(&self, record: u64, text: &mut Vec<u8>) {
        self.select_consistent(record, text);
    }

    /// BatchExecuteStatement of SELECTs by key.
    pub fn batch_statement(&self, records: &[u64], text: &mut Vec<u8>) {
        text.extend_from_slice(b"{\"Statements\":[");
        list(records, text, |record, text| {
            self.select_consistent(record, text)
        });
        text.extend_from_slice(b"]}");
    }

    /// ExecuteTransaction of SELECTs by key.
    pub fn transact_statement(&self, records: &[u64], text: &mut Vec<u8>) {
        text.extend_from_slice(b"{\"TransactStatements\":[");
        list(records, text, |record, text| {
            text.push(b'{');
            self.select(record, text);
            text.push(b'}');
        });
        text.extend_from_slice(b"]}");
    }
}

fn number(number: u64, text: &mut Vec<u8>) {
    text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn list(records: &[u64], text: &mut Vec<u8>, mut write: impl FnMut(u64, &mut Vec<u8>)) {
    for (place, record) in records.iter().enumerate() {
        if place > 0 {
            text.push(b',');
        }
        write(*record, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::{Job, Mix};

    fn bodies(job: Job) -> Bodies {
        Bodies::new(Workload {
            mix: Mix::new([(job, 1.0)]).unwrap(),
            consistent: true,
            ..Workload::default()
        })
    }

    fn json(write: impl FnOnce(&mut Random, &mut Vec<u8>)) -> serde_json::Value {
        let mut text = Vec::new();
        write(&mut Random::new(1, 0), &mut text);
        serde_json::from_slice(&text)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&text)))
    }

    #[test]
    fn an_item_has_ten_fields_of_a_hundred_bytes() {
        let put = json(|random, text| bodies(Job::Put).put(random, 0, text));
        let item = put["Item"].as_object().unwrap();
        assert_eq!(item["pk"]["S"], "user6284781860667377211");
        assert_eq!(item.len(), 11);
        for field in 0..10 {
            let value = &item[&format!("field{field}")]["S"];
            assert_eq!(value.as_str().unwrap().len(), 100);
        }
    }

    #[test]
    fn bodies_are_json_and_name_what_they_are_for() {
        let simple = bodies(Job::Get);
        let ranged = bodies(Job::Query);
        let get = json(|random, text| ranged.get(random, 7, text));
        assert_eq!(get["Key"]["pk"]["S"], "part0");
        assert_eq!(get["ConsistentRead"], true);
        let query = json(|random, text| ranged.query(random, 7, text));
        assert!((1..=100).contains(&query["Limit"].as_u64().unwrap()));
        let update = json(|random, text| simple.update(random, 7, text));
        assert_eq!(
            update["ExpressionAttributeValues"]
                .as_object()
                .unwrap()
                .len(),
            1
        );
        let some = [1, 2, 3];
        let write = json(|random, text| simple.batch_write(random, &some, text));
        assert_eq!(
            write["RequestItems"]["stator-bench"]
                .as_array()
                .unwrap()
                .len(),
            3
        );
        let read = json(|random, text| simple.batch_get(random, &some, text));
        assert_eq!(
            read["RequestItems"]["stator-bench"]["Keys"]
                .as_array()
                .unwrap()
                .len(),
            3
        );
        let get = json(|random, text| ranged.transact_get(random, &some, text));
        assert_eq!(get["TransactItems"].as_array().unwrap().len(), 3);
        let write = json(|random, text| ranged.transact_write(random, &some, text));
        assert_eq!(write["TransactItems"].as_array().unwrap().len(), 3);
        let statement = json(|_, text| ranged.statement(7, text));
        assert_eq!(statement["Parameters"].as_array().unwrap().len(), 2);
        let batch = json(|_, text| simple.batch_statement(&some, text));
        assert_eq!(batch["Statements"].as_array().unwrap().len(), 3);
        let all = json(|_, text| simple.transact_statement(&some, text));
        assert_eq!(all["TransactStatements"].as_array().unwrap().len(), 3);
        json(|random, text| ranged.scan(random, 7, text));
        json(|_, text| ranged.delete(7, text));
    }
}
