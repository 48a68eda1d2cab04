//! What options mean.

use clap::{Args, FromArgMatches};

use super::*;
use crate::mix::Job;

fn options(line: &str) -> Result<Options, clap::Error> {
    let command = Options::augment_args(clap::Command::new("bench").no_binary_name(true));
    let matches = command.try_get_matches_from(line.split_whitespace())?;
    Options::from_arg_matches(&matches)
}

fn workload(line: &str) -> Workload {
    let options = options(line).unwrap();
    let properties = options.read_properties().unwrap();
    options.workload(&properties).unwrap()
}

#[test]
fn the_issues_own_example_is_taken() {
    let workload = workload("--mix get=60,put=25,update=10,query=5 --items 10k --item-size 400");
    assert_eq!(workload.mix.share(Job::Query), 0.05);
    assert_eq!(
        (workload.records, workload.size),
        (10_000, Size::Fixed(400))
    );
}

#[test]
fn options_go_before_properties_and_properties_before_presets() {
    let given =
        workload("--workload d -p recordcount=77 -p requestdistribution=uniform -p fieldlength=5");
    assert_eq!(
        (given.records, given.distribution),
        (77, Distribution::Uniform)
    );
    assert_eq!(given.size, Size::Fixed(50));
    assert_eq!(workload("--workload d").distribution, Distribution::Latest);
    assert_eq!(workload("-p recordcount=77 --items 5").records, 5);
    let mixed = workload("-p readproportion=0.2 -p updateproportion=0.8");
    assert!((mixed.mix.share(Job::Update) - 0.8).abs() < 1e-9);
}

#[test]
fn the_pace_is_open_unless_it_is_closed() {
    let pace = |line: &str| {
        let options = options(line).unwrap();
        options.pace(&options.read_properties().unwrap()).unwrap()
    };
    assert_eq!(pace("").rate, Some(1000.0));
    assert_eq!(pace("").arrivals, Arrivals::Poisson);
    assert_eq!(pace("-p target=250").rate, Some(250.0));
    assert_eq!(pace("--rate 2.5k --arrivals constant").rate, Some(2500.0));
    assert_eq!(pace("--closed").rate, None);
    assert_eq!(pace("-p threadcount=7").connections, 7);
    assert_eq!(
        pace("--duration 5m --warm-up 500ms").duration,
        Duration::from_secs(300)
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        "--workload g",
        "--rate 0",
        "--rate 5 --closed",
        "--mix get=1 --workload a",
        "--duration soon",
        "--batch-size 0",
        "--load-only --no-load",
        "--record f",
        "--replay f",
        "--endpoint http://a --speed 2",
        "--endpoint http://a --replay f --rate 5",
        "--item-size 1MB",
        "--scan-length 5-1",
        "--connections 0",
    ] {
        assert!(options(line).is_err(), "{line}");
    }
    let unknown = options("-p recordcout=5").unwrap();
    assert!(
        unknown
            .read_properties()
            .unwrap_err()
            .0
            .contains("recordcout")
    );
}
