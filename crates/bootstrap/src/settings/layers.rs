//! Values by name, the later layer over the earlier one.

use super::{
    SettingsError, invalid,
    table::{NOT_YET, Row, Setting, TABLE},
};
use std::{collections::HashMap, path::Path};

#[derive(Debug, Default)]
pub(super) struct Layers(HashMap<&'static str, String>);

impl Layers {
    pub(super) fn set(&mut self, name: &'static str, value: String) {
        self.0.insert(name, value);
    }

    /// The value in force.
    pub(super) fn get<T>(&self, setting: &Setting<T>) -> Result<T, SettingsError> {
        (setting.read)(self.text(&setting.row)).map_err(|problem| invalid(setting.row.name, problem))
    }

    /// Its text.
    pub(super) fn text(&self, row: &Row) -> &str {
        self.0.get(row.name).map_or(row.default, String::as_str)
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
    pub(super) fn refuse_what_is_not_there_yet(&self) -> Result<(), SettingsError> {
        match NOT_YET.into_iter().find(|name| self.0.get(name).is_some_and(|text| !text.is_empty())) {
            Some(name) => Err(invalid(name, "is not supported yet; remove it")),
            None => Ok(()),
        }
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.name).chain(NOT_YET)
}

fn known(name: &str) -> Option<&'static str> {
    names().find(|known| *known == name)
}

fn unknown(given: &str, place: &str, show: impl Fn(&'static str) -> String) -> SettingsError {
    let nearest = names().map(show).min_by_key(|name| strsim::levenshtein(name, given)).unwrap_or_default();
    SettingsError::Unknown { given: given.chars().take(80).collect(), place: place.to_owned(), nearest }
}

#[cfg(test)]
mod tests {
    use super::{
        super::table::{ALLOW_INSECURE, EGRESS_ALLOW, LISTEN},
        *,
    };

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
        assert_eq!(layers.text(&LISTEN.row), "127.0.0.1:2");
        assert_eq!(layers.text(&ALLOW_INSECURE.row), "1");
        assert_eq!(layers.text(&EGRESS_ALLOW.row), "10.0.0.0/8,a.lan");
        std::fs::write(&path, "lisen = 1\n").unwrap();
        let error = layers.read_file(&path).unwrap_err().to_string();
        assert!(error.contains("`lisen`") && error.contains("`listen`"), "{error}");
    }
}
