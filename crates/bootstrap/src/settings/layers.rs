//! Values by name, the later layer over the earlier one.

use super::{SettingsError, invalid};
use std::{collections::HashMap, path::Path};

/// Every setting: environment name, default, and whether this release does something with it.
const KNOWN: &[(&str, &str, bool)] = &[
    ("IMAPMCP_LISTEN", "127.0.0.1:3000", true),
    ("IMAPMCP_PUBLIC_URL", "http://localhost:3000", true),
    ("IMAPMCP_DATA_DIR", "./data", true),
    ("IMAPMCP_DATABASE_URL", "", true),
    ("IMAPMCP_KEY_FILE", "", true),
    ("IMAPMCP_KEYS", "", true),
    ("IMAPMCP_SIGN_UP", "closed", true),
    ("IMAPMCP_OIDC_ISSUER", "", false),
    ("IMAPMCP_OIDC_CLIENT_ID", "", false),
    ("IMAPMCP_OIDC_CLIENT_SECRET", "", false),
    ("IMAPMCP_OIDC_NAME", "", false),
    ("IMAPMCP_GOOGLE_CLIENT_ID", "", false),
    ("IMAPMCP_GOOGLE_CLIENT_SECRET", "", false),
    ("IMAPMCP_MICROSOFT_CLIENT_ID", "", false),
    ("IMAPMCP_MICROSOFT_CLIENT_SECRET", "", false),
    ("IMAPMCP_EGRESS_ALLOW", "", true),
    ("IMAPMCP_CA_FILE", "", true),
    ("IMAPMCP_ALLOW_INSECURE", "0", true),
    ("IMAPMCP_TRUSTED_PROXIES", "", true),
    ("IMAPMCP_DCR", "open", true),
    ("IMAPMCP_RATE_LIMIT", "300/min", true),
    ("IMAPMCP_ACCOUNTS_PER_USER", "0", true),
    ("IMAPMCP_METRICS_LISTEN", "", false),
    ("IMAPMCP_LOG", "info", true),
    ("IMAPMCP_LOG_FORMAT", "text", true),
];

#[derive(Debug, Default)]
pub(super) struct Layers(HashMap<&'static str, String>);

impl Layers {
    pub(super) fn set(&mut self, name: &'static str, value: String) {
        self.0.insert(name, value);
    }

    /// The value in force.
    pub(super) fn get(&self, name: &str) -> &str {
        let default =
            || KNOWN.iter().find(|(known, ..)| *known == name).map_or("", |(_, default, _)| default);
        self.0.get(name).map_or_else(default, String::as_str)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        KNOWN.iter().filter(|(_, _, supported)| *supported).map(|(name, ..)| (*name, self.get(name)))
    }

    pub(super) fn read_env(
        &mut self,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), SettingsError> {
        for (name, value) in env {
            // IMAPMCP_TEST_… steers the test suite, never a program
            if !name.starts_with("IMAPMCP_") || name.starts_with("IMAPMCP_TEST_") {
                continue;
            }
            let known = known(&name).ok_or_else(|| unknown(&name, "the environment", str::to_owned))?;
            self.set(known, value);
        }
        Ok(())
    }

    /// In the file, `IMAPMCP_PUBLIC_URL` is `public_url`.
    pub(super) fn read_file(&mut self, path: &Path) -> Result<(), SettingsError> {
        let file = |problem: String| SettingsError::File { path: path.to_owned(), problem };
        let text = std::fs::read_to_string(path).map_err(|error| file(error.to_string()))?;
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| file(error.message().to_owned()))?;
        for (key, value) in table {
            let name = known(&format!("IMAPMCP_{}", key.to_uppercase())).ok_or_else(|| {
                let short = |name: &str| name.trim_start_matches("IMAPMCP_").to_lowercase();
                unknown(&key, &path.display().to_string(), short)
            })?;
            let value = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(flag) => u8::from(flag).to_string(),
                toml::Value::Array(list) if list.iter().all(toml::Value::is_str) => {
                    list.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(",")
                }
                _ => return Err(invalid(name, "must be text, a number, true or false, or a list of texts")),
            };
            self.set(name, value);
        }
        Ok(())
    }

    /// A setting that would silently do nothing is refused.
    pub(super) fn refuse_unsupported(&self) -> Result<(), SettingsError> {
        for (name, _, supported) in KNOWN {
            if !supported && !self.get(name).is_empty() {
                return Err(invalid(name, "is not supported yet; remove it"));
            }
        }
        match self.get("IMAPMCP_SIGN_UP") {
            "closed" => Ok(()),
            _ => Err(invalid("IMAPMCP_SIGN_UP", "other than closed is not supported yet")),
        }
    }
}

fn known(name: &str) -> Option<&'static str> {
    KNOWN.iter().map(|(known, ..)| *known).find(|known| *known == name)
}

fn unknown(given: &str, place: &str, show: impl Fn(&str) -> String) -> SettingsError {
    let names = KNOWN.iter().map(|(name, ..)| show(name));
    let nearest = names.min_by_key(|name| strsim::levenshtein(name, given)).unwrap_or_default();
    SettingsError::Unknown { given: given.chars().take(80).collect(), place: place.to_owned(), nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_under_the_environment() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("imapmcp.toml");
        std::fs::write(
            &path,
            "listen = \"127.0.0.1:1\"\nallow_insecure = true\negress_allow = [\"10.0.0.0/8\", \"a.lan\"]\n",
        )
        .unwrap();
        let mut layers = Layers::default();
        layers.read_file(&path).unwrap();
        layers.read_env([("IMAPMCP_LISTEN".to_owned(), "127.0.0.1:2".to_owned())]).unwrap();
        assert_eq!(layers.get("IMAPMCP_LISTEN"), "127.0.0.1:2");
        assert_eq!(layers.get("IMAPMCP_ALLOW_INSECURE"), "1");
        assert_eq!(layers.get("IMAPMCP_EGRESS_ALLOW"), "10.0.0.0/8,a.lan");
        std::fs::write(&path, "lisen = 1\n").unwrap();
        let error = layers.read_file(&path).unwrap_err().to_string();
        assert!(error.contains("`lisen`") && error.contains("`listen`"), "{error}");
    }
}
