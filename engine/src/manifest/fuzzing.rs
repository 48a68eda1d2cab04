//! Manifests and edits of any bytes.

use std::path::Path;
use std::sync::Arc;

use super::VersionEdit;
use super::VersionSet;
use super::current;
use super::record::seal_file;
use crate::cache::BlockCache;
use crate::error::Result;
use crate::fuzzing::{assert_corruption, put_file, split};
use crate::io::{Fs, MemoryFs};

const DIR: &str = "/db";
const GENERATION: u64 = 1;

/// Recovers from the input as the manifest. What was recovered is written as a new generation, and
/// recovering from that gives the same.
pub fn manifest(input: &[u8]) {
    let (sealed, contents) = split(input);
    let mut contents = contents.to_vec();
    if sealed {
        seal_file(&mut contents, GENERATION);
    }
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::new());
    let dir = Path::new(DIR);
    put_file(
        fs.as_ref(),
        &dir.join(current::manifest_name(GENERATION)),
        &contents,
    );
    let pointed = current::write(fs.as_ref(), dir, GENERATION);
    assert!(pointed.is_ok(), "files in memory do not fail");
    match recover(&fs) {
        Ok(first) => {
            let second = recover(&fs);
            assert!(second.is_ok(), "what was just written does not read");
            assert_eq!(second.ok(), Some(first));
        }
        Err(error) => assert_corruption(&error),
    }
}

/// The state that the manifest gives, without the number that rises with every opening.
fn recover(fs: &Arc<dyn Fs>) -> Result<VersionEdit> {
    let cache = Arc::new(BlockCache::new(0, 1));
    let set = VersionSet::open(Arc::clone(fs), Path::new(DIR), cache, 1 << 20)?;
    let mut state = set.current().to_edit();
    state.next_file_id = None;
    Ok(state)
}

/// Edits: what decodes is what its own encoding decodes to.
pub fn edit(input: &[u8]) {
    let Ok(edit) = VersionEdit::decode(input) else {
        return;
    };
    let mut bytes = Vec::new();
    edit.encode(&mut bytes);
    assert_eq!(VersionEdit::decode(&bytes), Ok(edit));
}
