//! Credentials and Region, found where the AWS SDKs find them: the environment, then a profile of
//! `~/.aws/credentials` and `~/.aws/config` (the "AWS SDKs and Tools Reference Guide", "Standardized
//! credential providers").
//!
//! Not here: what needs a service to be asked (single sign-on, roles, the metadata of an instance).
//! Such a profile is refused by name, with the command that turns it into environment variables;
//! a `credential_process` is run.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Doing, Failure};

/// Who signs.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The access key's id.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// What temporary credentials have besides.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Secrets do not belong into logs.
        write!(formatter, "Credentials({})", self.access_key)
    }
}

/// What the environment says: asked through a function, so that tests have their own.
pub struct Environment<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
}

type Sections = HashMap<String, HashMap<String, String>>;

impl<'a> Environment<'a> {
    /// An environment whose variables `variable` knows.
    pub fn new(variable: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { variable }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// The profile that is meant: `chosen`, or what `AWS_PROFILE` says.
    pub fn profile(&self, chosen: Option<&str>) -> String {
        let chosen = chosen.map(str::to_owned);
        let named = || {
            self.variable("AWS_PROFILE")
                .or_else(|| self.variable("AWS_DEFAULT_PROFILE"))
        };
        chosen
            .or_else(named)
            .unwrap_or_else(|| "default".to_owned())
    }

    fn file(&self, variable: &str, name: &str) -> Result<Sections, Failure> {
        let path = match self.variable(variable) {
            Some(path) => PathBuf::from(path),
            None => match self
                .variable("HOME")
                .or_else(|| self.variable("USERPROFILE"))
            {
                Some(home) => PathBuf::from(home).join(".aws").join(name),
                None => return Ok(Sections::new()),
            },
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(sections(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Sections::new()),
            Err(error) => Err(error).doing(format!("'{}' can't be read", path.display())),
        }
    }

    /// What the two files say about a profile; the file of credentials goes first.
    fn settings(&self, profile: &str) -> Result<HashMap<String, String>, Failure> {
        let mut config = self.file("AWS_CONFIG_FILE", "config")?;
        let mut settings = config
            .remove(&format!("profile {profile}"))
            .or_else(|| config.remove(profile).filter(|_| profile == "default"))
            .unwrap_or_default();
        let mut secrets = self.file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?;
        settings.extend(secrets.remove(profile).unwrap_or_default());
        Ok(settings)
    }

    /// The Region: the option, the environment's, or the profile's.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn region(
        &self,
        option: Option<&str>,
        profile: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        if let Some(region) = option {
            return Ok(Some(region.to_owned()));
        }
        let named = self
            .variable("AWS_REGION")
            .or_else(|| self.variable("AWS_DEFAULT_REGION"));
        match named {
            Some(region) => Ok(Some(region)),
            None => Ok(self.settings(&self.profile(profile))?.remove("region")),
        }
    }

    /// The credentials, or nothing if there are none anywhere. A profile that is named goes before
    /// the environment's keys, as it does in the SDKs.
    ///
    /// # Errors
    /// If a profile that was named is not there, or holds what only a service could resolve.
    pub fn credentials(&self, profile: Option<&str>) -> Result<Option<Credentials>, Failure> {
        if profile.is_none()
            && let Some(access_key) = self.variable("AWS_ACCESS_KEY_ID")
            && let Some(secret_key) = self.variable("AWS_SECRET_ACCESS_KEY")
        {
            return Ok(Some(Credentials {
                access_key,
                secret_key,
                session_token: self.variable("AWS_SESSION_TOKEN"),
            }));
        }
        let name = self.profile(profile);
        let settings = self.settings(&name)?;
        let setting = |key: &str| settings.get(key).filter(|value| !value.is_empty()).cloned();
        if let (Some(access_key), Some(secret_key)) = (
            setting("aws_access_key_id"),
            setting("aws_secret_access_key"),
        ) {
            return Ok(Some(Credentials {
                access_key,
                secret_key,
                session_token: setting("aws_session_token"),
            }));
        }
        if let Some(command) = setting("credential_process") {
            return from_process(&command).map(Some);
        }
        for key in ["sso_session", "sso_start_url", "role_arn", "login_session"] {
            if settings.contains_key(key) {
                return Err(Failure(format!(
                    "the profile '{name}' has '{key}', which needs a service to be asked; run \
                     eval \"$(aws configure export-credentials --profile {name} --format env)\" \
                     first."
                )));
            }
        }
        if profile.is_some() {
            return Err(Failure(format!(
                "there is no profile '{name}' with credentials."
            )));
        }
        Ok(None)
    }
}

/// The credentials of all profiles in a text of the form of `~/.aws/credentials`, in the order of
/// their names, each with that name.
///
/// # Errors
/// If a profile has one half of a pair of keys.
pub fn profiles(text: &str) -> Result<Vec<(String, Credentials)>, Failure> {
    let mut profiles = Vec::new();
    for (name, mut settings) in sections(text) {
        let mut setting = |key: &str| settings.remove(key).filter(|value| !value.is_empty());
        let keys = (
            setting("aws_access_key_id"),
            setting("aws_secret_access_key"),
        );
        let session_token = setting("aws_session_token");
        match keys {
            (Some(access_key), Some(secret_key)) => profiles.push((
                name,
                Credentials {
                    access_key,
                    secret_key,
                    session_token,
                },
            )),
            (None, None) => {}
            _ => {
                return Err(Failure(format!(
                    "the profile '{name}' has one of aws_access_key_id and aws_secret_access_key \
                     without the other."
                )));
            }
        }
    }
    profiles.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(profiles)
}

/// Asks a program for credentials ("Process credential provider").
fn from_process(command: &str) -> Result<Credentials, Failure> {
    let output = Command::new("sh").arg("-c").arg(command).output();
    let output = output.doing("the credential_process could not be run")?;
    if !output.status.success() {
        return Err(Failure(format!(
            "the credential_process failed: {}.",
            output.status
        )));
    }
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout)
        .doing("the answer of the credential_process is no JSON")?;
    let text = |key: &str| {
        answer
            .get(key)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    };
    match (text("AccessKeyId"), text("SecretAccessKey")) {
        (Some(access_key), Some(secret_key)) => Ok(Credentials {
            access_key,
            secret_key,
            session_token: text("SessionToken"),
        }),
        _ => Err(Failure::new(
            "the credential_process gave no AccessKeyId and SecretAccessKey.",
        )),
    }
}

/// The sections of an INI file as the SDKs read it: keys in lower case, comments in lines of their
/// own or behind a blank, nested settings (lines that are indented) left out.
fn sections(text: &str) -> Sections {
    let mut found = Sections::new();
    let mut section = None;
    for line in text.lines() {
        if line.starts_with([' ', '\t', '#', ';']) || line.trim().is_empty() {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.split(']').next().unwrap_or_default();
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            found.entry(name.clone()).or_default();
            section = Some(name);
        } else if let Some(section) = &section
            && let Some((key, value)) = line.split_once('=')
        {
            let value = value.split(" #").next().unwrap_or_default();
            let value = value.split(" ;").next().unwrap_or_default();
            let settings = found.entry(section.clone()).or_default();
            settings.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn find(
        variables: &[(&str, &str)],
        profile: Option<&str>,
    ) -> (Result<Option<Credentials>, Failure>, Option<String>) {
        let config = file(
            "# one\n[default]\nregion = eu-west-1\n[profile two]\nregion=eu-west-2 # near\n\
             s3 =\n  addressing_style = path\n[profile sso]\nsso_session = x\n[profile process]\n\
             credential_process = echo '{\"Version\":1,\"AccessKeyId\":\"p\",\"SecretAccessKey\":\"q\"}'\n",
        );
        let secrets = file(
            "[default]\naws_access_key_id=a\naws_secret_access_key=b\n[two]\n\
             aws_access_key_id = c\nAWS_SECRET_ACCESS_KEY = d=\naws_session_token = e\n",
        );
        let variable = |name: &str| match name {
            "AWS_CONFIG_FILE" => Some(config.path().display().to_string()),
            "AWS_SHARED_CREDENTIALS_FILE" => Some(secrets.path().display().to_string()),
            _ => variables
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, value)| (*value).to_owned()),
        };
        let environment = Environment::new(&variable);
        let region = environment.region(None, profile).unwrap();
        (environment.credentials(profile), region)
    }

    fn keys(found: Result<Option<Credentials>, Failure>) -> (String, String, Option<String>) {
        let found = found.unwrap().unwrap();
        (found.access_key, found.secret_key, found.session_token)
    }

    #[test]
    fn they_are_found_where_the_sdks_find_them() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned(), None);
        let (found, region) = find(&[], None);
        assert_eq!(keys(found), pair("a", "b"));
        assert_eq!(region.as_deref(), Some("eu-west-1"));
        let own = [
            ("AWS_ACCESS_KEY_ID", "x"),
            ("AWS_SECRET_ACCESS_KEY", "y"),
            ("AWS_REGION", "r"),
        ];
        let (found, region) = find(&own, None);
        assert_eq!(keys(found), pair("x", "y"));
        assert_eq!(region.as_deref(), Some("r"));
        let two = ("c".to_owned(), "d=".to_owned(), Some("e".to_owned()));
        assert_eq!(keys(find(&own, Some("two")).0), two);
        let (found, region) = find(&[("AWS_PROFILE", "two")], None);
        assert_eq!(keys(found), two);
        assert_eq!(region.as_deref(), Some("eu-west-2"));
        assert_eq!(keys(find(&[], Some("process")).0), pair("p", "q"));
    }

    #[test]
    fn what_only_a_service_could_resolve_is_refused_by_name() {
        let (found, _) = find(&[], Some("sso"));
        assert!(
            found
                .unwrap_err()
                .0
                .contains("export-credentials --profile sso")
        );
        assert!(find(&[], Some("none")).0.unwrap_err().0.contains("'none'"));
        assert!(find(&[("AWS_PROFILE", "none")], None).0.unwrap().is_none());
    }

    #[test]
    fn a_file_gives_all_its_profiles() {
        let text = "[b]\naws_access_key_id=1\naws_secret_access_key=2\naws_session_token=3\n\
                    [none]\nregion = x\n[a]\naws_access_key_id=4\naws_secret_access_key=5\n";
        let found: Vec<_> = profiles(text)
            .unwrap()
            .into_iter()
            .map(|(name, found)| (name, found.access_key, found.session_token))
            .collect();
        let text = str::to_owned;
        assert_eq!(
            found,
            [
                (text("a"), text("4"), None),
                (text("b"), text("1"), Some(text("3")))
            ]
        );
        let half = profiles("[half]\naws_access_key_id=1\n").unwrap_err();
        assert!(half.0.contains("'half'"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let credentials = Credentials {
            access_key: "id".to_owned(),
            secret_key: "hidden".to_owned(),
            session_token: Some("hidden".to_owned()),
        };
        assert!(!format!("{credentials:?}").contains("hidden"));
    }
}
