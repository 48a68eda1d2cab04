//! The file of `--credentials`: whom the server lets in.

use std::collections::HashMap;
use std::path::Path;

use stator_bench::credentials::profiles;

use super::Failure;
use crate::http::{Secret, Verifier};

/// Lets in the profiles of the file at `path`, which has the form of `~/.aws/credentials`. It is read
/// once.
pub(super) fn verifier(path: &Path) -> Result<Verifier, Failure> {
    let refuse = |why: String| Failure(format!("the credentials in '{}': {why}", path.display()));
    let text = std::fs::read_to_string(path)
        .map_err(|error| refuse(format!("they can't be read: {error}.")))?;
    let mut secrets = HashMap::new();
    for (name, found) in profiles(&text).map_err(|failure| refuse(failure.0))? {
        let secret = Secret {
            key: found.secret_key,
            session_token: found.session_token,
        };
        let id = found.access_key;
        let before = secrets.insert(id.clone(), secret.clone());
        if before.is_some_and(|before| before != secret) {
            return Err(refuse(format!(
                "the profile '{name}' has the access key {id} of another profile, and not its secret."
            )));
        }
    }
    if secrets.is_empty() {
        return Err(refuse(
            "there is no profile with aws_access_key_id and aws_secret_access_key.".to_owned(),
        ));
    }
    Ok(Verifier::new(secrets))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        match verifier(file.path()) {
            Ok(verifier) => Ok(format!("{verifier:?}")),
            Err(Failure(why)) => Err(why.split_once("': ").unwrap().1.to_owned()),
        }
    }

    fn profile(name: &str, id: &str, secret: &str) -> String {
        format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
    }

    #[test]
    fn every_profile_is_let_in_and_no_secret_shown() {
        let text = profile("default", "A", "hidden") + &profile("two", "B", "hidden");
        assert_eq!(read(&text).unwrap(), r#"Verifier(["A", "B"])"#);
        let same = profile("default", "A", "x") + &profile("two", "A", "x");
        assert_eq!(read(&same).unwrap(), r#"Verifier(["A"])"#);
    }

    #[test]
    fn a_file_that_lets_nobody_in_or_contradicts_itself_is_refused() {
        assert!(read("[default]\n").unwrap_err().contains("no profile"));
        let half = read("[half]\naws_access_key_id = A\n").unwrap_err();
        assert!(half.contains("'half'"), "{half}");
        let twice = profile("a", "A", "x") + &profile("b", "A", "y");
        assert!(read(&twice).unwrap_err().contains("'b'"));
        let Err(Failure(missing)) = verifier(Path::new("/no/such/file")) else {
            panic!("it was read");
        };
        assert!(missing.contains("can't be read"), "{missing}");
    }
}
