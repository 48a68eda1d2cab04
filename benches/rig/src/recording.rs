//! What passes through the proxy of `--record`, as a file: a line of JSON for each request, in the
//! order in which they came in.
//!
//! `{"at_ns": 12345, "target": "DynamoDB_20120810.GetItem", "body": {…}}`: nanoseconds since the proxy
//! began, the operation as `X-Amz-Target` names it, and the request as it was sent. Credentials and
//! signatures are not written down.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::failure::{Doing, Failure};
use crate::source::{Draft, Source};

/// One line of a recording.
#[derive(Serialize, Deserialize)]
pub struct Line {
    /// When it came in: nanoseconds since the proxy began.
    pub at_ns: u64,
    /// The operation, as `X-Amz-Target` names it.
    pub target: String,
    /// The request's body.
    pub body: Box<RawValue>,
}

/// A recording, read whole.
pub struct Recording {
    /// The different operations.
    pub targets: Vec<String>,
    /// The requests: when, which of the operations, what.
    requests: Vec<(u64, usize, Box<RawValue>)>,
}

impl Recording {
    /// Reads a recording. Times begin with the first request's.
    ///
    /// # Errors
    /// If the file cannot be read, is empty, or has a line that is none of a recording.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let file = std::fs::File::open(path).doing(format!("'{shown}' can't be read"))?;
        let mut recording = Self {
            targets: Vec::new(),
            requests: Vec::new(),
        };
        for (number, line) in std::io::BufReader::new(file).lines().enumerate() {
            let line = line.doing(format!("'{shown}' can't be read"))?;
            let line: Line = serde_json::from_str(&line).doing(format!(
                "line {} of '{shown}' is none of a recording",
                number + 1
            ))?;
            let known = recording
                .targets
                .iter()
                .position(|target| *target == line.target);
            let target = known.unwrap_or_else(|| {
                recording.targets.push(line.target);
                recording.targets.len() - 1
            });
            recording.requests.push((line.at_ns, target, line.body));
        }
        recording.requests.sort_by_key(|(at_ns, _, _)| *at_ns);
        let Some(first) = recording.requests.first().map(|(at_ns, _, _)| *at_ns) else {
            return Err(Failure(format!("'{shown}' holds no requests.")));
        };
        for (at_ns, _, _) in &mut recording.requests {
            *at_ns -= first;
        }
        Ok(recording)
    }

    /// How many requests there are.
    pub fn count(&self) -> usize {
        self.requests.len()
    }

    /// When each is to start if time passes `speed` times as fast, in nanoseconds.
    pub fn starts(&self, speed: f64) -> impl Iterator<Item = u64> {
        self.requests
            .iter()
            .map(move |(at_ns, _, _)| (*at_ns as f64 / speed) as u64)
    }
}

/// Plays a recording. Its workers take the requests in their order; which of them takes one does not
/// matter, since their starts are the same list.
pub struct Player {
    recording: Arc<Recording>,
    next: Arc<AtomicUsize>,
}

impl Player {
    /// One worker's player; `next` is shared by all.
    pub fn new(recording: Arc<Recording>, next: Arc<AtomicUsize>) -> Self {
        Self { recording, next }
    }
}

impl Source for Player {
    fn draft(&mut self, body: &mut Vec<u8>) -> Option<Draft> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let (_, target, request) = self.recording.requests.get(place)?;
        body.extend_from_slice(request.get().as_bytes());
        let name = self.recording.targets.get(*target)?;
        Some(Draft {
            kind: *target,
            target: *target,
            batch: name.ends_with(".BatchGetItem") || name.ends_with(".BatchWriteItem"),
            follows: false,
            inserts: false,
            record: 0,
        })
    }

    fn follow(&mut self, _: &mut Draft, _: &mut Vec<u8>) {}

    fn over(&mut self, _: &Draft) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(text: &str) -> Result<Recording, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Recording::read(file.path())
    }

    #[test]
    fn requests_are_played_as_they_were() {
        let recording = recording(
            "{\"at_ns\":5000,\"target\":\"X.GetItem\",\"body\":{\"a\": 1}}\n\
             {\"at_ns\":9000,\"target\":\"X.BatchGetItem\",\"body\":{\"n\":1.00}}\n\
             {\"at_ns\":7000,\"target\":\"X.GetItem\",\"body\":{\"b\":2}}\n",
        )
        .unwrap();
        assert_eq!(recording.starts(2.0).collect::<Vec<_>>(), [0, 1000, 2000]);
        let mut player = Player::new(Arc::new(recording), Arc::default());
        let mut played = Vec::new();
        let mut body = Vec::new();
        while let Some(draft) = player.draft(&mut body) {
            played.push((
                draft.target,
                draft.batch,
                String::from_utf8(body.clone()).unwrap(),
            ));
            body.clear();
        }
        let expected = [
            (0, false, "{\"a\": 1}"),
            (0, false, "{\"b\":2}"),
            // A number keeps its digits.
            (1, true, "{\"n\":1.00}"),
        ];
        let expected = expected.map(|(target, batch, body)| (target, batch, body.to_owned()));
        assert_eq!(played, expected);
    }

    #[test]
    fn what_is_no_recording_is_refused_by_its_line() {
        assert!(recording("").err().unwrap().0.contains("no requests"));
        let broken = "{\"at_ns\":1,\"target\":\"t\",\"body\":{}}\n{\"at_ns\":1}\n";
        assert!(recording(broken).err().unwrap().0.contains("line 2"));
    }
}
