//! What the choosers draw, against what YCSB's draw.

use std::collections::HashMap;

use super::*;

/// The sum that YCSB has as a constant (`ScrambledZipfianGenerator.ZETAN`).
#[test]
fn zeta_is_that_of_ycsb() {
    assert!((zeta(SCRAMBLED_RANKS, 0.99) - 26.469_028_201_783_02).abs() < 1e-6);
    let slow: f64 = (1..=300_000).map(|rank| (rank as f64).powf(-0.7)).sum();
    assert!((zeta(300_000, 0.7) - slow).abs() < 1e-6);
}

/// Values of `Utils.fnvhash64`, by its definition (FNV-1a over eight octets, made positive).
#[test]
fn records_are_hashed_as_ycsb_hashes_them() {
    assert_eq!(hash(0), 6_284_781_860_667_377_211);
    assert_eq!(hash(1), 8_517_097_267_634_966_620);
}

#[test]
fn the_first_ranks_have_their_share() {
    let mut random = Random::new(3, 0);
    let mut zipfian = Zipfian::new(1000, ZIPFIAN_CONSTANT);
    let draws = 400_000;
    let mut counts = HashMap::new();
    for _ in 0..draws {
        *counts
            .entry(zipfian.rank(&mut random, 1000))
            .or_insert(0u32) += 1;
    }
    let whole = zeta(1000, ZIPFIAN_CONSTANT);
    for rank in 0..2u64 {
        let truth = ((rank + 1) as f64).powf(-ZIPFIAN_CONSTANT) / whole;
        let seen = f64::from(counts[&rank]) / f64::from(draws);
        assert!((seen / truth - 1.0).abs() < 0.02, "{rank}: {seen} {truth}");
    }
    assert!(counts.keys().all(|rank| *rank < 1000));
}

#[test]
fn a_zipfian_that_grows_is_the_same_as_a_new_one() {
    let mut grown = Zipfian::new(500, ZIPFIAN_CONSTANT);
    for items in 501..700 {
        grown.resize(items);
    }
    let new = Zipfian::new(699, ZIPFIAN_CONSTANT);
    assert!((grown.zeta - new.zeta).abs() < 1e-9);
    assert!((grown.eta - new.eta).abs() < 1e-9);
}

#[test]
fn every_chooser_stays_within_what_is_there() {
    for text in [
        "uniform",
        "zipfian",
        "zipfian:0.5",
        "latest",
        "hotspot",
        "hotspot:1,0",
        "sequential",
        "exponential",
    ] {
        let distribution = Distribution::parse(text).unwrap();
        let mut chooser = Chooser::new(distribution, 100, 50);
        let mut random = Random::new(1, 0);
        for present in [100, 101, 120, 150] {
            for _ in 0..2000 {
                let record = chooser.record(&mut random, present);
                assert!(record < present, "{text}: {record} of {present}");
            }
        }
    }
}

#[test]
fn the_latest_is_the_likeliest() {
    let mut chooser = Chooser::new(Distribution::Latest, 100, 0);
    let mut random = Random::new(1, 0);
    let mut counts = [0u32; 101];
    for _ in 0..20_000 {
        counts[chooser.record(&mut random, 101) as usize] += 1;
    }
    assert!(counts[100] > counts[99] && counts[99] > counts[50]);
}

#[test]
fn the_hot_spot_is_hot() {
    let mut chooser = Chooser::new(Distribution::parse("hotspot:0.1,0.9").unwrap(), 1000, 0);
    let mut random = Random::new(1, 0);
    let draws = 50_000;
    let hot = (0..draws)
        .filter(|_| chooser.record(&mut random, 1000) < 100)
        .count();
    assert!((hot as f64 / f64::from(draws) - 0.9).abs() < 0.01);
}

#[test]
fn what_is_no_distribution_is_refused() {
    for text in [
        "",
        "zipf",
        "zipfian:1",
        "zipfian:x",
        "hotspot:2,0.5",
        "latest:3",
    ] {
        assert!(Distribution::parse(text).is_err(), "{text}");
    }
}
