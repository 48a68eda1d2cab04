//! What a block must be besides readable: written as the writer writes, without a byte that nothing
//! points to.

use super::{Block, GROUP_SIZE, HEADER_SIZE};

impl Block {
    /// What in the layout of the block is not as the writer makes it, if anything is. That its keys are
    /// in order is not looked at.
    pub(crate) fn flaw(&self) -> Option<&'static str> {
        let (mut key_end, mut value_end) = (0, self.shape.values_start as usize);
        for index in 0..self.count() {
            let Ok(entry) = self.entry(index) else {
                return Some("an entry that does not lie in the block");
            };
            if self.offset(index) != Some(key_end) {
                return Some("a gap between two keys");
            }
            if entry.value_start != value_end {
                return Some("a gap between two values");
            }
            if index % GROUP_SIZE == 0 && entry.shared != 0 {
                return Some("a restart point that shares bytes with another key");
            }
            value_end += entry.value_len;
            key_end = self.key_end(entry.suffix);
        }
        if key_end != self.shape.values_start as usize - self.shape.keys_start as usize {
            return Some("bytes behind the last key");
        }
        if value_end != self.size() {
            return Some("bytes behind the last value");
        }
        let wide = key_end > usize::from(u16::MAX);
        (wide != self.shape.wide || self.size() < HEADER_SIZE)
            .then_some("offsets of another width than the keys need")
    }

    /// Where a key ends among the keys, by its last bytes.
    fn key_end(&self, suffix: &[u8]) -> usize {
        let start = self.data.as_ptr() as usize + self.shape.keys_start as usize;
        (suffix.as_ptr() as usize + suffix.len()).saturating_sub(start)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::BlockBuilder;
    use super::*;
    use crate::key::{InternalKeyRef, Kind};

    fn contents(entries: usize) -> Vec<u8> {
        let mut builder = BlockBuilder::default();
        for entry in 0..entries {
            let user = format!("customer-{entry:05}");
            let key = InternalKeyRef::new(user.as_bytes(), 7, Kind::Put);
            builder.add(key, &vec![b'v'; entry % 50]);
        }
        builder.finish().to_vec()
    }

    #[test]
    fn what_the_writer_makes_is_without_flaw() {
        for entries in [1, 15, 16, 17, 300, 5000] {
            let block = Block::new(contents(entries).into()).unwrap();
            assert_eq!(block.flaw(), None, "{entries} entries");
        }
    }

    #[test]
    fn bytes_that_nothing_points_to_are_flaws() {
        let mut longer = contents(40);
        longer.push(0);
        let block = Block::new(longer.into()).unwrap();
        assert_eq!(block.flaw(), Some("bytes behind the last value"));
        // One entry less, whose offset is then the first two bytes of the keys.
        let mut shorter = contents(40);
        shorter[..4].copy_from_slice(&(39u32 << 1).to_le_bytes());
        let block = Block::new(Bytes::from(shorter)).unwrap();
        assert!(block.flaw().is_some());
    }
}
