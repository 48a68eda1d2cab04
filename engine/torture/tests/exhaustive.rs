//! Short runs with a power cut at every single operation of the disk.

use std::time::Duration;

use stator_engine::Durability;
use stator_torture::every_operation;

#[test]
fn every_operation_of_a_log_that_is_synced_at_once() {
    match every_operation(Durability::Sync) {
        Ok(coverage) => println!("{coverage}"),
        Err(finding) => panic!("{finding}"),
    }
}

#[test]
fn every_operation_of_a_log_that_is_synced_by_the_clock() {
    match every_operation(Durability::Interval(Duration::from_millis(5))) {
        Ok(coverage) => println!("{coverage}"),
        Err(finding) => panic!("{finding}"),
    }
}
