//! What a form or the query of an address says: names with values, in the order they were sent.

use std::fmt;

/// More parameters than this are not read.
const MAX_PARAMETERS: usize = 128;

/// Parameters of a query or an `application/x-www-form-urlencoded` body. Values never show in `Debug`.
#[derive(Clone, Default)]
pub struct Parameters(Vec<(String, String)>);

/// A parameter is there more than once (RFC 6749 §3.1 forbids it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a parameter is given more than once")]
pub struct Repeated;

impl Parameters {
    /// Reads the octets; never fails (what is not UTF-8 is replaced).
    pub fn parse(octets: &[u8]) -> Self {
        Self(form_urlencoded::parse(octets).into_owned().take(MAX_PARAMETERS).collect())
    }

    /// The value of a parameter that may be there once. An empty value counts as absent (RFC 6749 §3.1).
    pub fn one(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() { Err(Repeated) } else { Ok(first) }
    }

    /// The first value of a parameter, or nothing: for forms of ours, where repetition means no harm.
    pub fn first(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Every value that is not empty.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Parameters {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_absent_and_twice_is_an_error() {
        let parameters = Parameters::parse(b"a=1&b=&c=1&c=2&d=%F0%9F%93%AB+x");
        assert_eq!(parameters.one("a"), Ok(Some("1")));
        assert_eq!(parameters.one("b"), Ok(None));
        assert_eq!(parameters.one("c"), Err(Repeated));
        assert_eq!(parameters.first("d"), "📫 x");
        assert_eq!(format!("{parameters:?}"), r#"["a", "b", "c", "c", "d"]"#);
    }
}
