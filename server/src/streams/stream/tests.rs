use super::*;

#[test]
fn equal_ranges_share_all_hashes() {
    for count in [1, 2, 3, 4, 7, 64] {
        let ranges: Vec<_> = equal_ranges(count).collect();
        assert_eq!(ranges.len(), count);
        assert_eq!(ranges[0].0, 0);
        assert_eq!(ranges[count - 1].1, u64::MAX);
        for pair in ranges.windows(2) {
            assert!(pair[0].0 <= pair[0].1);
            assert_eq!(pair[0].1 + 1, pair[1].0);
        }
        let size = |(first, last): (u64, u64)| last - first;
        let sizes = ranges.iter().map(|range| size(*range));
        assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
    }
    assert_eq!(equal_ranges(0).count(), 1);
}
