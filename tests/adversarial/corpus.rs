//! The recorded requests.

use serde_json::Value;
use stator::wire::Operation;

use crate::json::Json;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) operation: Operation,
    pub(crate) body: Json,
    /// Whether it is refused although it is right: what it is about never exists.
    pub(crate) refused: bool,
}

/// All of them, and what they are made of.
pub(crate) struct Corpus {
    pub(crate) setup: Vec<Request>,
    pub(crate) requests: Vec<Request>,
    /// Every value within the requests, to be put elsewhere.
    pub(crate) values: Vec<Json>,
    /// Every name of a member, likewise.
    pub(crate) names: Vec<String>,
}

impl Corpus {
    pub(crate) fn load() -> Self {
        let mut corpus = Self {
            setup: Vec::new(),
            requests: Vec::new(),
            values: Vec::new(),
            names: Vec::new(),
        };
        for line in include_str!("requests.jsonl").lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let name = line["operation"].as_str().unwrap();
            let operation = Operation::ALL
                .into_iter()
                .find(|operation| operation.name() == name);
            let request = Request {
                operation: operation.unwrap_or_else(|| panic!("no operation {name}")),
                body: Json::from(&line["request"]),
                refused: line["refused"] == true,
            };
            corpus.collect(&request.body);
            if line["setup"] == true {
                corpus.setup.push(request);
            } else {
                corpus.requests.push(request);
            }
        }
        corpus.names.sort();
        corpus.names.dedup();
        corpus
    }

    fn collect(&mut self, value: &Json) {
        self.values.push(value.clone());
        match value {
            Json::Array(elements) => elements.iter().for_each(|element| self.collect(element)),
            Json::Object(members) => {
                for (name, member) in members {
                    self.names.push(name.clone());
                    self.collect(member);
                }
            }
            Json::String(_) | Json::Raw(_) => {}
        }
    }
}
