//! The checks that look at a request alone, before its table is known: conversions of what a request
//! carries, with every refusal in the words that the operation's validation layer has for it.

use crate::{
    expression::{ExpressionError, Placeholders, Stage},
    item::{self, Item, Value, ValueError},
    plan::Rejection,
    validation::Wording,
    wire::{Error, ItemInput, Operation, ValueInput},
};

/// The validation layer of one operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    operation: Operation,
    wording: Wording,
}

/// A parameter of a request, by its name, and whether the request has it.
pub(super) type Parameter = (&'static str, bool);

impl Layer {
    pub(super) fn new(operation: Operation, wording: Wording) -> Self {
        Self { operation, wording }
    }

    /// Whose words the layer has.
    pub(super) fn wording(self) -> Wording {
        self.wording
    }

    /// Whether a request's values are looked at before the rules on its legacy parameters: the older
    /// layer does (validation-ordering/deepRequests, "Scan with one ScanFilter condition").
    pub(super) fn reads_values_first(self) -> bool {
        self.wording.of_values(self.operation) == item::Wording::Older
    }

    /// The refusal of a request for what it says by itself.
    pub(super) fn refuse(self, rejection: impl ToString) -> Error {
        self.wording.refusal(self.operation, rejection.to_string())
    }

    /// The refusal of a `Select` that contradicts other parameters.
    pub(super) fn refuse_select(self, rejection: &Rejection) -> Error {
        self.wording.select(self.operation, rejection.to_string())
    }

    /// The refusal of an expression. What only the table's keys show is worded alike everywhere.
    pub(super) fn expression(self, error: ExpressionError) -> Error {
        match error.stage() {
            Stage::Request => self.refuse(error),
            Stage::Schema | Stage::Item => Error::validation(error.to_string()),
        }
    }

    /// An item or key that the model requires.
    pub(super) fn item(self, input: Option<ItemInput>) -> Result<Item, Error> {
        match input {
            Some(input) => input.into_item().map_err(|error| self.value_error(&error)),
            None => Ok(Item::empty()),
        }
    }

    /// A value of a legacy parameter.
    pub(super) fn value(self, input: ValueInput) -> Result<Value, Error> {
        input.into_value().map_err(|error| self.value_error(&error))
    }

    /// The values of a legacy parameter.
    pub(super) fn values(self, inputs: Vec<ValueInput>) -> Result<Vec<Value>, Error> {
        inputs.into_iter().map(|input| self.value(input)).collect()
    }

    fn value_error(self, error: &ValueError) -> Error {
        self.wording.value(self.operation, error)
    }

    /// The name of an attribute in a legacy parameter: it has the limits of a name in an item.
    pub(super) fn attribute_name(self, name: &str) -> Result<(), Error> {
        ValueError::check_name(name).map_err(|error| self.value_error(&error))
    }

    /// Refuses expressions beside the parameters that they replaced.
    pub(super) fn check_mixed(
        self,
        legacy: &[Parameter],
        expressions: &[Parameter],
    ) -> Result<(), Error> {
        let (legacy, expression) = (present(legacy), present(expressions));
        if legacy.is_empty() || expression.is_empty() {
            return Ok(());
        }
        Err(self.refuse(Rejection::Mixed { legacy, expression }))
    }

    /// The placeholders of a request that may use them in `expressions`.
    pub(super) fn placeholders(
        self,
        names: Option<Vec<(String, String)>>,
        values: Option<Vec<(String, ValueInput)>>,
        expressions: &[Parameter],
    ) -> Result<Placeholders, Error> {
        if present(expressions).is_empty() {
            for (map, given) in [
                ("ExpressionAttributeNames", names.is_some()),
                ("ExpressionAttributeValues", values.is_some()),
            ] {
                if given {
                    return Err(self.placeholders_alone(map, expressions));
                }
            }
        }
        for (placeholder, name) in names.iter().flatten() {
            ValueError::check_name(name).map_err(|error| {
                (self.wording).expression_name(self.operation, placeholder, &error)
            })?;
        }
        let values = values
            .map(|values| self.expression_values(values))
            .transpose()?;
        Placeholders::of_request(names, values).map_err(|error| self.expression(error))
    }

    /// Where the older layer answers, it says which expressions are missing.
    fn placeholders_alone(self, map: &'static str, expressions: &[Parameter]) -> Error {
        let missing = match self.wording {
            Wording::Older => expressions.iter().map(|(name, _)| *name).collect(),
            Wording::Current => Vec::new(),
        };
        self.refuse(Rejection::PlaceholdersAlone { map, missing })
    }

    fn expression_values(
        self,
        values: Vec<(String, ValueInput)>,
    ) -> Result<Vec<(String, Value)>, Error> {
        let deeper = self.wording.of_values(self.operation) == item::Wording::Older;
        let read = |input: ValueInput| match deeper {
            true => input.into_value_of_33_levels(),
            false => input.into_value(),
        };
        values
            .into_iter()
            .map(|(name, input)| match read(input) {
                Ok(value) => Ok((name, value)),
                Err(error) => Err(self.wording.expression_value(self.operation, &name, &error)),
            })
            .collect()
    }

    /// Refuses placeholders that no expression used, once all are bound.
    pub(super) fn check_used(self, placeholders: &Placeholders) -> Result<(), Error> {
        placeholders
            .finish()
            .map_err(|error| self.expression(error))
    }
}

fn present(parameters: &[Parameter]) -> Vec<&'static str> {
    parameters
        .iter()
        .filter(|(_, given)| *given)
        .map(|(name, _)| *name)
        .collect()
}
