//! Global indexes that are added to tables with items, and taken away.

use serde_json::{Value, json};

use super::{World, random::Random, schema::Index};
use crate::wire::Operation::{DescribeTable, UpdateTable};

impl World {
    /// Adds an index to a table or takes one away, and waits until that is done; gives the table.
    pub(super) fn change_indexes(&mut self, random: &mut Random) -> usize {
        let number = random.below(self.model.tables.len());
        let table = &mut self.model.tables[number];
        let schema = &mut table.schema;
        let mut request = json!({"TableName": schema.name});
        let globals = schema.indexes.iter().enumerate();
        let globals: Vec<usize> = globals
            .filter(|(_, index)| !index.local)
            .map(|(place, _)| place)
            .collect();
        let change = if !globals.is_empty() && random.one_in(2) {
            let gone = schema.indexes.remove(*random.pick(&globals));
            json!({"Delete": {"IndexName": gone.name}})
        } else {
            let name = format!("added-{}", random.below(usize::MAX));
            let index = Index::random_global(random, name, schema.has_sort);
            request["AttributeDefinitions"] = schema.definitions(&index.key_names());
            let change = json!({"Create": index.request()});
            schema.indexes.push(index);
            change
        };
        request["GlobalSecondaryIndexUpdates"] = json!([change]);
        let name = schema.name.clone();
        self.harness.ok(UpdateTable, request);
        while !self.is_active(&name) {
            std::thread::yield_now();
        }
        number
    }

    fn is_active(&self, name: &str) -> bool {
        let answer = self.harness.ok(DescribeTable, json!({"TableName": name}));
        let table = &answer["Table"];
        let indexes = table["GlobalSecondaryIndexes"].as_array();
        let mut states = indexes.into_iter().flatten().map(|one| &one["IndexStatus"]);
        let active = |state: &Value| state == "ACTIVE";
        active(&table["TableStatus"]) && states.all(active)
    }
}
