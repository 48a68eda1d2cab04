//! The proof of the proof: with any sync, edge or check removed, the simulation fails.

use stator_engine::mutants::{Mutant, switch};
use stator_format_spec::check_table;
use stator_torture::{Step, hunt};

#[test]
fn every_mutant_is_found() {
    let named = Mutant::ALL.iter().map(|mutant| (mutant.name(), *mutant));
    let missed = hunt::<Step, _>(named, switch);
    assert!(missed.is_empty(), "not found: {missed:?}");
}

/// The table in `format-spec/faults.md`. `STATOR_REWRITE=1` writes it anew.
#[test]
fn the_table_lists_every_mutant() {
    let row = |mutant: &Mutant| format!("| `{}` | {} |\n", mutant.name(), mutant.removes());
    let rows: String = Mutant::ALL.iter().map(row).collect();
    check_table("faults", "| mutant | what it removes |\n|---|---|\n", &rows);
}
