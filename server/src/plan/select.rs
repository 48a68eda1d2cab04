//! `Select`: what a page returns of each item, and where it has to be read.

use crate::{
    plan::rejection::Rejection,
    table::{IndexKind, Projection, SecondaryIndex},
};

/// What a page returns of the items that pass its filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    /// The items as the table has them.
    AllAttributes,
    /// The items as the index has them.
    AllProjectedAttributes,
    /// The attributes of a projection.
    SpecificAttributes,
    /// Only how many they are.
    Count,
}

/// How a request names the attributes it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectionParameter {
    /// `ProjectionExpression`.
    Expression,
    /// `AttributesToGet`.
    Legacy,
}

impl ProjectionParameter {
    fn name(self) -> &'static str {
        match self {
            Self::Expression => "ProjectionExpression",
            Self::Legacy => "AttributesToGet",
        }
    }
}

impl Select {
    /// What the `Select` member asks for, or what it defaults to (API reference, `Query`, `Select`).
    /// Other values than the four are refused by the model's constraints.
    pub fn requested(
        select: Option<&str>,
        projection: Option<ProjectionParameter>,
        on_index: bool,
    ) -> Result<Self, Rejection> {
        let select = match (select, projection) {
            (None, Some(_)) => Self::SpecificAttributes,
            (None, None) if on_index => Self::AllProjectedAttributes,
            (None, None) => Self::AllAttributes,
            (Some("COUNT"), _) => Self::Count,
            (Some("SPECIFIC_ATTRIBUTES"), _) => Self::SpecificAttributes,
            (Some("ALL_PROJECTED_ATTRIBUTES"), _) => Self::AllProjectedAttributes,
            (Some(_), _) => Self::AllAttributes,
        };
        if select == Self::AllProjectedAttributes && !on_index {
            return Err(Rejection::ProjectedWithoutIndex);
        }
        match (select, projection) {
            (Self::SpecificAttributes, None) => Err(Rejection::SpecificWithoutProjection),
            (Self::SpecificAttributes, Some(_)) | (_, None) => Ok(select),
            (_, Some(parameter)) => Err(Rejection::ProjectionWithSelect {
                parameter: parameter.name(),
                choice: select.in_words(),
            }),
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::AllAttributes => "ALL_ATTRIBUTES",
            Self::AllProjectedAttributes => "ALL_PROJECTED_ATTRIBUTES",
            Self::SpecificAttributes => "SPECIFIC_ATTRIBUTES",
            Self::Count => "only the Count",
        }
    }
}

/// Where the items of an index read come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetch {
    /// The entries have all that is asked for.
    Entries,
    /// Each item is fetched from the table, at extra cost. Local indexes only.
    Items,
}

/// Whether reading `index` needs the table too, for a selection and the sorted top-level attributes
/// that its projection names (`wanted`).
///
/// "If you query or scan a local secondary index and request only attributes that are projected into
/// that index, the operation will read only the index and not the table. If any of the requested
/// attributes are not projected, DynamoDB fetches each of these attributes from the parent table.
/// […] Global secondary index queries cannot fetch attributes from the parent table" (API reference,
/// `Query`, `Select`).
pub fn fetch(
    index: &SecondaryIndex,
    select: Select,
    wanted: &[Box<str>],
) -> Result<Fetch, Rejection> {
    let global = index.kind() == IndexKind::Global;
    match select {
        Select::Count | Select::AllProjectedAttributes => Ok(Fetch::Entries),
        Select::AllAttributes if *index.projection() == Projection::All => Ok(Fetch::Entries),
        Select::AllAttributes if global => {
            Err(Rejection::AllAttributesOfGlobalIndex(index.name().into()))
        }
        Select::AllAttributes => Ok(Fetch::Items),
        Select::SpecificAttributes => {
            let missing = not_carried(index, wanted);
            match (missing.is_empty(), global) {
                (true, _) => Ok(Fetch::Entries),
                (false, false) => Ok(Fetch::Items),
                (false, true) => Err(Rejection::NotProjected {
                    index: index.name().into(),
                    attributes: missing,
                }),
            }
        }
    }
}

/// Those of the top-level attributes `names` that entries of `index` do not carry.
pub fn not_carried(index: &SecondaryIndex, names: &[Box<str>]) -> Vec<Box<str>> {
    names
        .iter()
        .filter(|name| !index.carries(name))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_depend_on_index_and_projection() {
        let expression = Some(ProjectionParameter::Expression);
        for (projection, on_index, expected) in [
            (None, false, Select::AllAttributes),
            (None, true, Select::AllProjectedAttributes),
            (expression, false, Select::SpecificAttributes),
            (expression, true, Select::SpecificAttributes),
        ] {
            assert_eq!(Select::requested(None, projection, on_index), Ok(expected));
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let expression = Some(ProjectionParameter::Expression);
        assert_eq!(
            Select::requested(Some("SPECIFIC_ATTRIBUTES"), None, true),
            Err(Rejection::SpecificWithoutProjection)
        );
        assert_eq!(
            Select::requested(Some("ALL_PROJECTED_ATTRIBUTES"), None, false),
            Err(Rejection::ProjectedWithoutIndex)
        );
        for (select, choice) in [
            ("ALL_ATTRIBUTES", "ALL_ATTRIBUTES"),
            ("COUNT", "only the Count"),
        ] {
            assert_eq!(
                Select::requested(Some(select), expression, true),
                Err(Rejection::ProjectionWithSelect {
                    parameter: "ProjectionExpression",
                    choice
                })
            );
        }
    }
}
