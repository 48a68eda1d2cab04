//! Random projections, and what they leave of an item.

use serde_json::{Map, Value, json};

use super::{attributes::MAP_KEYS, condition::Placeholders, random::Random};

/// Whole attributes, and entries of the map `m`.
pub(super) struct Projection {
    attributes: Vec<String>,
    entries: Vec<&'static str>,
    legacy: bool,
}

impl Projection {
    /// A projection on some of these attributes, at least one; `legacy` if it has to be said by
    /// `AttributesToGet`.
    pub(super) fn random(random: &mut Random, names: &[&str], legacy: bool) -> Self {
        let mut attributes = vec![(*random.pick(names)).to_owned()];
        for name in random.some(names, 3) {
            if !attributes.iter().any(|known| known == name) {
                attributes.push(name.to_owned());
            }
        }
        let mut entries = Vec::new();
        if !legacy && attributes.len() > 1 && attributes[1] == "m" {
            attributes.remove(1);
            entries = MAP_KEYS[..1 + random.below(2)].to_vec();
        }
        Self {
            attributes,
            entries,
            legacy,
        }
    }

    /// The top-level attributes that it names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let map = (!self.entries.is_empty()).then_some("m");
        self.attributes.iter().map(String::as_str).chain(map)
    }

    pub(super) fn write(
        &self,
        request: &mut Value,
        placeholders: &mut Placeholders,
        random: &mut Random,
    ) {
        if self.legacy {
            request["AttributesToGet"] = json!(self.attributes);
            return;
        }
        let mut paths: Vec<String> = self
            .attributes
            .iter()
            .map(|name| placeholders.name(random, name))
            .collect();
        for entry in &self.entries {
            let entry = placeholders.name(random, entry);
            paths.push(format!("{}.{entry}", placeholders.name(random, "m")));
        }
        request["ProjectionExpression"] = paths.join(", ").into();
    }

    pub(super) fn apply(&self, item: &Value) -> Value {
        let mut kept = Map::new();
        for name in &self.attributes {
            if let Some(value) = item.get(name) {
                kept.insert(name.clone(), value.clone());
            }
        }
        let map = item.get("m").and_then(|map| map["M"].as_object());
        if let Some(map) = map {
            let found: Map<String, Value> = self
                .entries
                .iter()
                .filter_map(|entry| Some(((*entry).to_owned(), map.get(*entry)?.clone())))
                .collect();
            if !found.is_empty() {
                kept.insert("m".into(), json!({ "M": found }));
            }
        }
        kept.into()
    }
}
