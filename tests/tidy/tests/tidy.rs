//! Rules about the tree as a whole. Each test lists every offence, so that one run shows them all.

use stator_tidy::{SourceFile, files, root};
use std::path::Path;

fn rust(folder: &str) -> std::io::Result<Vec<SourceFile>> {
    let found = files(folder, ".rs")?;
    assert!(
        !found.is_empty(),
        "no Rust file under {folder}: the rule would check nothing"
    );
    Ok(found)
}

fn is_test(file: &SourceFile) -> bool {
    file.path.ends_with("/tests.rs") || file.path.contains("/tests/")
}

fn assert_none(offences: &[String], rule: &str) {
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

/// Which of the server's modules a module may import, apart from itself. `wire` and `item` are
/// leaves, and so is `stopwatch`; `store` alone imports the engine; arrows never return.
const SERVER_IMPORTS: &[(&str, &[&str])] = &[
    ("wire", &["item"]),
    ("item", &["wire"]),
    ("validation", &["wire", "item"]),
    ("expression", &["item", "wire"]),
    ("partiql", &["expression", "item", "wire"]),
    ("stopwatch", &[]),
    ("store", &["stopwatch", "item", "wire"]),
    ("mutants", &["store"]),
    ("metrics", &["stopwatch", "store", "wire"]),
    ("streams", &["mutants", "store", "item", "wire"]),
    (
        "table",
        &["mutants", "streams", "store", "item", "wire", "validation"],
    ),
    (
        "plan",
        &[
            "stopwatch",
            "expression",
            "mutants",
            "table",
            "streams",
            "store",
            "item",
            "wire",
        ],
    ),
    ("ttl", &["mutants", "plan", "table", "store", "wire"]),
    (
        "operation",
        &[
            "mutants",
            "stator",
            "stopwatch",
            "validation",
            "plan",
            "partiql",
            "expression",
            "table",
            "streams",
            "store",
            "item",
            "wire",
        ],
    ),
    (
        "stator",
        &[
            "metrics",
            "mutants",
            "operation",
            "ttl",
            "validation",
            "plan",
            "table",
            "streams",
            "store",
            "item",
            "wire",
            "expression",
            "partiql",
        ],
    ),
    (
        "http",
        &["stator", "operation", "metrics", "stopwatch", "wire"],
    ),
    (
        "cli",
        &[
            "http",
            "torture",
            "stator",
            "operation",
            "validation",
            "wire",
            "store",
        ],
    ),
    (
        "torture",
        &["mutants", "stator", "operation", "table", "store", "wire"],
    ),
];

fn server_module(path: &str) -> &str {
    let rest = path.strip_prefix("server/src/").unwrap_or(path);
    rest.split('/')
        .next()
        .unwrap_or(rest)
        .trim_end_matches(".rs")
}

#[test]
fn the_server_imports_one_way() {
    let mut offences = Vec::new();
    for file in rust("server/src").unwrap() {
        let module = server_module(&file.path);
        if ["lib", "main", "format_spec"].contains(&module) || is_test(&file) {
            continue;
        }
        let Some((_, allowed)) = SERVER_IMPORTS.iter().find(|(name, _)| *name == module) else {
            offences.push(format!(
                "{}: module {module} has no row in SERVER_IMPORTS",
                file.path
            ));
            continue;
        };
        for (number, line) in file.code_lines() {
            for part in line.split("crate::").skip(1) {
                let imported: String = part
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let known = SERVER_IMPORTS.iter().any(|(name, _)| *name == imported);
                if known && imported != module && !allowed.contains(&imported.as_str()) {
                    offences.push(format!(
                        "{}:{number}: {module} imports {imported}",
                        file.path
                    ));
                }
            }
        }
    }
    assert_none(&offences, "imports run one way");
}

#[test]
fn only_store_imports_the_engine() {
    let mut offences = Vec::new();
    for file in rust("server/src").unwrap() {
        for (number, line) in file.code_lines() {
            if line.contains("stator_engine") && server_module(&file.path) != "store" {
                offences.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none(&offences, "store is the only importer of the engine");
}

#[test]
fn the_engine_knows_bytes_only() {
    let mut offences = Vec::new();
    for file in rust("engine/src").unwrap() {
        for (number, line) in file.code_lines() {
            let lower = line.to_lowercase();
            for word in ["dynamo", "json", "http", "attribute_value"] {
                if lower.contains(word) {
                    offences.push(format!("{}:{number}: {}", file.path, line.trim()));
                }
            }
        }
    }
    assert_none(
        &offences,
        "the engine has never heard of DynamoDB, JSON or HTTP",
    );
}

#[test]
fn only_io_touches_files_clocks_and_threads() {
    let banned = [
        "std::fs",
        "std::thread",
        "Instant::now",
        "SystemTime",
        "rustix::fs",
        "getrandom::",
        "rand::rng",
    ];
    let mut offences = Vec::new();
    for file in rust("engine/src").unwrap() {
        if file.path.starts_with("engine/src/io/") || is_test(&file) {
            continue;
        }
        for (number, line) in file.code_lines() {
            if banned.iter().any(|word| line.contains(word)) {
                offences.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none(
        &offences,
        "only engine/src/io touches files, clocks, threads and randomness",
    );
}

#[test]
fn locks_are_those_of_sync() {
    // Atomics may be the standard library's where they only count.
    let banned = ["parking_lot", "arc_swap"];
    let mut offences = Vec::new();
    for file in rust("engine/src").unwrap() {
        let seam = ["engine/src/io/", "engine/src/sync/"];
        if seam.iter().any(|seam| file.path.starts_with(seam)) || is_test(&file) {
            continue;
        }
        for (number, line) in file.code_lines() {
            if banned.iter().any(|word| line.contains(word)) {
                offences.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none(
        &offences,
        "what several threads use comes from engine/src/sync, so that engine/schedules can choose",
    );
}

#[test]
fn files_have_names_and_one_subject() {
    /// Past this, a file has two subjects.
    const MOST_LINES: usize = 900;
    let mut offences = Vec::new();
    for folder in ["engine", "server", "tests", "benches", "fuzz"] {
        for file in files(folder, ".rs").unwrap() {
            let name = Path::new(&file.path)
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned();
            if ["helpers", "utils", "util", "common", "misc"].contains(&name.as_str()) {
                offences.push(format!("{}: {name} is not a noun", file.path));
            }
            let lines = file.text.lines().count();
            if lines > MOST_LINES {
                offences.push(format!("{}: {lines} lines", file.path));
            }
        }
    }
    assert_none(
        &offences,
        "a file is one noun, and no longer than its subject",
    );
}

#[test]
fn every_file_is_included_by_its_parent() {
    let mut offences = Vec::new();
    for file in rust("engine/src")
        .unwrap()
        .into_iter()
        .chain(rust("server/src").unwrap())
    {
        let path = Path::new(&file.path);
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if ["lib", "main"].contains(&stem.as_str()) {
            continue;
        }
        let folder = path.parent().unwrap();
        let (name, parents) = if stem == "mod" {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            (name, parents_of(folder.parent().unwrap()))
        } else {
            (stem, parents_of(folder))
        };
        let included = parents.iter().any(|parent| {
            std::fs::read_to_string(root().join(parent)).is_ok_and(|text| {
                text.lines()
                    .any(|line| line.trim_end().ends_with(&format!("mod {name};")))
            })
        });
        if !included {
            offences.push(file.path.clone());
        }
    }
    assert_none(&offences, "dead files");
}

/// The files that may declare the modules of `folder`: `mod.rs`, `lib.rs`, or the file beside it.
fn parents_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy();
    ["mod.rs", "lib.rs", "main.rs"]
        .iter()
        .map(|name| format!("{folder}/{name}"))
        .chain([format!("{folder}.rs")])
        .collect()
}

#[test]
fn unsafe_lives_alone_and_says_why() {
    let mut offences = Vec::new();
    for file in rust("engine/src")
        .unwrap()
        .into_iter()
        .chain(rust("server/src").unwrap())
    {
        let mut previous: Vec<&str> = Vec::new();
        for line in file.text.lines() {
            let code = line.trim_start();
            if code.starts_with("//") {
                previous.push(line);
                continue;
            }
            let is_unsafe = code.contains("unsafe {") || code.starts_with("unsafe impl");
            if is_unsafe && !previous.iter().any(|comment| comment.contains("SAFETY:")) {
                offences.push(format!("{}: {}", file.path, code));
            }
            previous.clear();
        }
    }
    assert_none(&offences, "an unsafe block carries its SAFETY comment");
}

#[test]
fn nothing_is_left_open() {
    // Spelled in halves, so that this file does not find itself.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("HA", "CK"),
    ];
    let mut offences = Vec::new();
    for folder in ["engine", "server", "tests", "benches", "fuzz"] {
        for file in files(folder, ".rs").unwrap() {
            for (index, line) in file.text.lines().enumerate() {
                if words.iter().any(|word| line.contains(word)) {
                    offences.push(format!("{}:{}: {}", file.path, index + 1, line.trim()));
                }
            }
        }
    }
    assert_none(&offences, "what is open belongs into an issue");
}

#[test]
fn no_merge_is_left_half_way() {
    let mut offences = Vec::new();
    for extension in [".rs", ".md", ".toml", ".py"] {
        for file in files("", extension).unwrap() {
            for (index, line) in file.text.lines().enumerate() {
                if line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") {
                    offences.push(format!("{}:{}: {line}", file.path, index + 1));
                }
            }
        }
    }
    assert_none(&offences, "marks of a merge");
}

#[test]
fn links_of_the_documents_lead_somewhere() {
    let mut checked = 0;
    let mut offences = Vec::new();
    for file in files("", ".md").unwrap() {
        let folder = root().join(&file.path).parent().unwrap().to_path_buf();
        for target in file
            .text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = target.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            checked += 1;
            if !folder.join(target).exists() {
                offences.push(format!("{}: {target}", file.path));
            }
        }
    }
    assert_none(&offences, "links that lead nowhere");
    assert!(checked > 0, "no link was checked");
}
