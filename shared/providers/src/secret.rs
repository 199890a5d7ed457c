//! Keys come from the environment or from a file, never from the config itself.
//!
//! A config names where a secret lies: `{ env = "NAME" }` or `{ file = "path" }`. It is read once,
//! when the adapter is built, and held in a type that prints as `[REDACTED]` and is wiped when it
//! is dropped.

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::path::PathBuf;

/// Where a secret lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// In an environment variable of this name.
    Env(String),
    /// In this file; a newline at its end does not count.
    File(PathBuf),
}

/// A secret that could not be had. The words name the place, never the content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// No such variable, or not UTF-8.
    #[error("the environment variable {0} is not set; set it, or use {{ file = \"path\" }}")]
    NoVariable(String),
    /// The file cannot be read.
    #[error("{path}: {why}; the file must exist and be readable by this user")]
    NoFile {
        /// The file.
        path: String,
        /// What the system said.
        why: String,
    },
    /// Nothing in it.
    #[error("{0} is empty; a key of no characters cannot be meant")]
    Empty(String),
}

/// The longest secret file: more is certainly not a key.
const FILE_BYTES_MAX: u64 = 64 * 1024;

impl Secret {
    /// Reads the secret.
    pub fn resolve(&self) -> Result<SecretString, SecretError> {
        let (text, place) = match self {
            Secret::Env(name) => {
                let text =
                    std::env::var(name).map_err(|_| SecretError::NoVariable(name.clone()))?;
                (Zeroizing::new(text), format!("the environment variable {name}"))
            }
            Secret::File(path) => {
                let place = path.display().to_string();
                let fail = |why: String| SecretError::NoFile { path: place.clone(), why };
                let length = std::fs::metadata(path).map_err(|e| fail(e.to_string()))?.len();
                if length > FILE_BYTES_MAX {
                    return Err(fail(format!("it has {length} bytes, more than any key")));
                }
                let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
                (Zeroizing::new(text), place)
            }
        };
        match text.trim_end_matches(['\n', '\r']) {
            "" => Err(SecretError::Empty(place)),
            key => Ok(SecretString::from(key)),
        }
    }
}

const EXPECTED: &str = "{ env = \"NAME\" } or { file = \"path\" }; a secret never stands in the \
                        config itself";

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Place;

        impl<'de> Visitor<'de> for Place {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            // Without these, the error would repeat the value: the secret itself.
            fn visit_str<E: de::Error>(self, _: &str) -> Result<Secret, E> {
                Err(E::custom(format!("found a bare value; expected {EXPECTED}")))
            }

            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Secret, E> {
                self.visit_str("")
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secret, E> {
                self.visit_str("")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Secret, M::Error> {
                let secret = match map.next_key::<String>()?.as_deref() {
                    Some("env") => Secret::Env(map.next_value()?),
                    Some("file") => Secret::File(map.next_value()?),
                    Some(other) => return Err(de::Error::unknown_field(other, &["env", "file"])),
                    None => return Err(de::Error::custom(format!("expected {EXPECTED}"))),
                };
                match map.next_key::<String>()? {
                    None => Ok(secret),
                    Some(_) => Err(de::Error::custom("give one of env and file, not more")),
                }
            }
        }

        deserializer.deserialize_any(Place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[derive(Debug, Deserialize)]
    struct Settings {
        key: Secret,
    }

    fn read(text: &str) -> Result<Secret, String> {
        toml::from_str::<Settings>(text).map(|s| s.key).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn a_secret_is_named_by_variable_or_file() {
        assert_eq!(read("key = { env = \"NAME\" }"), Ok(Secret::Env("NAME".into())));
        assert_eq!(read("key = { file = \"a/b\" }"), Ok(Secret::File("a/b".into())));
        for bad in ["key = {}", "key = { path = \"x\" }", "key = { env = \"A\", file = \"b\" }"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bare_secret_is_refused_without_being_repeated() {
        for bare in ["\"hunter2\"", "42424242"] {
            let error = read(&format!("key = {bare}")).unwrap_err();
            assert!(error.contains("{ env = \"NAME\" } or { file = \"path\" }"), "{error}");
            assert!(!error.contains(bare.trim_matches('"')), "{error}");
        }
    }

    #[test]
    fn a_newline_at_the_end_of_a_file_does_not_belong_to_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, content).unwrap();
            Secret::File(path).resolve()
        };
        assert_eq!(file("a", "k ey\r\n").unwrap().expose_secret(), "k ey");
        assert!(matches!(file("b", "\n"), Err(SecretError::Empty(_))));
        assert!(matches!(
            Secret::File(dir.path().join("c")).resolve(),
            Err(SecretError::NoFile { .. })
        ));
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = Secret::Env("NO_SUCH_VARIABLE_EVER".into()).resolve().unwrap_err();
        assert!(error.to_string().contains("NO_SUCH_VARIABLE_EVER"));
        // Set wherever programs run; setting one of our own would be unsafe beside other tests.
        let path = std::env::var("PATH").unwrap();
        let known = Secret::Env("PATH".into()).resolve().unwrap();
        assert_eq!(known.expose_secret(), path);
        assert!(!format!("{known:?}").contains(&path));
    }
}
