//! Items as requests and answers carry them.

use super::json::Writer;

/// An item, as the JSON that goes into an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Item(Vec<u8>);

impl Item {
    /// Writes the item.
    pub fn write_json(&self, writer: &mut Writer) {
        writer.raw(&self.0);
    }
}
