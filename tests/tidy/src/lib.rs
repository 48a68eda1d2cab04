//! Reads the tree as text, for the rules that no linter knows: who may import whom, which names
//! are no names, which files nobody includes, which links lead nowhere.

use std::path::{Path, PathBuf};

/// One file of the tree, read whole.
#[derive(Debug)]
pub struct SourceFile {
    /// The path relative to the root of the tree, with forward slashes.
    pub path: String,
    /// The text.
    pub text: String,
}

impl SourceFile {
    /// The lines that are code, each with its number: lines that are comments as a whole are left
    /// out, and so is everything from the first `#[cfg(test)]` on.
    pub fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .take_while(|(_, line)| !line.trim_start().starts_with("#[cfg(test)]"))
            .map(|(index, line)| (index + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// The root of the tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// All files under `folder` (relative to the root) whose name ends in `ending`, in path order.
/// What is built, installed or hidden (`target`, `node_modules`, names with a leading dot) is
/// passed over. A folder that is not there has no files.
///
/// # Errors
/// If a folder or file cannot be read as text.
pub fn files(folder: &str, ending: &str) -> std::io::Result<Vec<SourceFile>> {
    let root = root();
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.join(folder)];
    folders.retain(|folder| folder.exists());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "target" || name == "node_modules" {
                continue;
            }
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if name.ends_with(ending) {
                let relative = path.strip_prefix(&root).unwrap_or(&path);
                found.push(SourceFile {
                    path: relative.to_string_lossy().replace('\\', "/"),
                    text: std::fs::read_to_string(&path)?,
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
