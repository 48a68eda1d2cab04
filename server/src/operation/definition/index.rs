//! Secondary indexes of a definition.

use super::{
    Refusal,
    key::{Attributes, check_global, check_pair, elements},
};
use crate::{
    table::{Projection, record::KeyElement},
    wire::shapes::{self, GlobalSecondaryIndex, LocalSecondaryIndex},
};

/// Global secondary indexes per table (developer guide, "Quotas in Amazon DynamoDB").
const GLOBAL_INDEX_LIMIT: usize = 20;
/// Local secondary indexes per table (ibid.).
const LOCAL_INDEX_LIMIT: usize = 5;
/// Attributes named in `NonKeyAttributes` over all indexes of a table; one that is named by two
/// indexes counts twice (ibid.).
const PROJECTED_LIMIT: usize = 100;

/// Keys of the indexes of a request: what is looked at before everything else about them.
pub(crate) struct IndexKeys {
    pub(crate) local: Vec<Vec<KeyElement>>,
    pub(crate) global: Vec<Vec<KeyElement>>,
}

impl IndexKeys {
    /// Takes the keys, and checks that their attributes are defined.
    pub(crate) fn new(
        local: Option<&[LocalSecondaryIndex]>,
        global: Option<&[GlobalSecondaryIndex]>,
        attributes: &Attributes,
    ) -> Result<Self, Refusal> {
        if local.is_some_and(<[_]>::is_empty) {
            return Err(Refusal::EmptyList {
                list: "LocalSecondaryIndexes",
            });
        }
        if global.is_some_and(<[_]>::is_empty) {
            return Err(Refusal::EmptyList {
                list: "GlobalSecondaryIndexes",
            });
        }
        let of = |schema: &Option<Vec<_>>| elements(schema.as_deref().unwrap_or_default());
        let keys = Self {
            local: local
                .unwrap_or_default()
                .iter()
                .map(|index| of(&index.key_schema))
                .collect(),
            global: global
                .unwrap_or_default()
                .iter()
                .map(|index| of(&index.key_schema))
                .collect(),
        };
        for key in keys.all() {
            attributes.check_defined(key)?;
        }
        Ok(keys)
    }

    /// All keys, local indexes first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &[KeyElement]> {
        self.local.iter().chain(&self.global).map(Vec::as_slice)
    }
}

/// Checks the local secondary indexes of a table with the key `table`, whose own keys are `keys`.
pub(crate) fn check_local(
    indexes: &[LocalSecondaryIndex],
    keys: &[Vec<KeyElement>],
    table: &[KeyElement],
) -> Result<(), Refusal> {
    if indexes.is_empty() {
        return Ok(());
    }
    if table.len() < 2 {
        return Err(Refusal::LocalIndexWithoutSortKey);
    }
    for (index, key) in indexes.iter().zip(keys) {
        check_pair(key)?;
        let name = || index.index_name.clone().unwrap_or_default();
        if key.len() < 2 {
            return Err(Refusal::LocalIndexKeyWithoutSort { index: name() });
        }
        if let (Some(own), Some(hash)) = (key.first(), table.first())
            && own.name != hash.name
        {
            return Err(Refusal::LocalIndexOtherHash {
                index: name(),
                index_hash: own.name.clone(),
                table_hash: hash.name.clone(),
            });
        }
        projection(index.projection.as_ref())?;
    }
    if indexes.len() > LOCAL_INDEX_LIMIT {
        return Err(Refusal::TooManyLocalIndexes {
            limit: LOCAL_INDEX_LIMIT,
        });
    }
    Ok(())
}

/// Checks the global secondary indexes, whose keys are `keys`, but for their throughput.
pub(crate) fn check_globals(
    indexes: &[GlobalSecondaryIndex],
    keys: &[Vec<KeyElement>],
) -> Result<(), Refusal> {
    for (index, key) in indexes.iter().zip(keys) {
        check_global(key)?;
        projection(index.projection.as_ref())?;
    }
    if indexes.len() > GLOBAL_INDEX_LIMIT {
        return Err(Refusal::TooManyGlobalIndexes {
            limit: GLOBAL_INDEX_LIMIT,
        });
    }
    Ok(())
}

/// That no two indexes have the same name, whatever their kind.
pub(crate) fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if seen.contains(&name) {
            return Err(Refusal::IndexTwice {
                name: name.to_owned(),
            });
        }
        seen.push(name);
    }
    Ok(())
}

/// That the indexes together do not name too many attributes.
pub(crate) fn check_projected<'a>(
    projections: impl Iterator<Item = &'a Projection>,
) -> Result<(), Refusal> {
    let count = |projection: &Projection| match projection {
        Projection::Include(names) => names.len(),
        Projection::All | Projection::KeysOnly => 0,
    };
    let total: usize = projections.map(count).sum();
    if total > PROJECTED_LIMIT {
        return Err(Refusal::TooManyProjected {
            limit: PROJECTED_LIMIT,
            total,
        });
    }
    Ok(())
}

/// A projection. Its names are sorted, which is how DynamoDB describes them; those of keys are
/// allowed and kept.
pub(crate) fn projection(projection: Option<&shapes::Projection>) -> Result<Projection, Refusal> {
    let given = projection.and_then(|projection| projection.projection_type.as_deref());
    let names = projection.and_then(|projection| projection.non_key_attributes.as_ref());
    let unasked = |of: Projection, name| match names {
        Some(_) => Err(Refusal::IncludeUnasked { projection: name }),
        None => Ok(of),
    };
    match given {
        Some("ALL") => unasked(Projection::All, "ALL"),
        Some("KEYS_ONLY") => unasked(Projection::KeysOnly, "KEYS_ONLY"),
        Some(_) => {
            let mut names = names.cloned().ok_or(Refusal::IncludeNothing)?;
            names.sort_unstable();
            let twice = names.windows(2).find(|pair| pair.first() == pair.last());
            match twice.and_then(<[_]>::first) {
                Some(name) => Err(Refusal::IncludeTwice { name: name.clone() }),
                None => Ok(Projection::Include(names)),
            }
        }
        None => Err(Refusal::NoProjectionType),
    }
}
