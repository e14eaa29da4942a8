use std::{fmt, path::Path, str::FromStr};

/// Which database: `sqlite:///absolute/path`, `sqlite://relative/path`, `sqlite::memory:` or `postgres://…`.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Target);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Target {
    File(String),
    Memory,
    Postgres(String),
}

/// The text names no database this server can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a database URL is `sqlite:///path`, `sqlite://relative`, `sqlite::memory:` or `postgres://user:password@host/name`"
)]
pub struct InvalidDatabaseUrl;

impl DatabaseUrl {
    /// A SQLite file.
    pub fn file(path: &Path) -> Result<Self, InvalidDatabaseUrl> {
        match path.to_str() {
            Some(text) if !text.is_empty() && !text.contains('\0') => {
                // SQLite gives these beginnings a meaning of their own.
                let plain = !text.starts_with("file:") && !text.starts_with(':');
                Ok(Self(Target::File(if plain { text.to_owned() } else { format!("./{text}") })))
            }
            _ => Err(InvalidDatabaseUrl),
        }
    }

    /// The path of a SQLite file.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Target::File(path) => Some(Path::new(path)),
            Target::Memory | Target::Postgres(_) => None,
        }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        if text == "sqlite::memory:" {
            return Ok(Self(Target::Memory));
        }
        if let Some(path) = text.strip_prefix("sqlite://") {
            return Self::file(Path::new(path));
        }
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        match rest {
            Some(rest) if !rest.is_empty() => Ok(Self(Target::Postgres(text.to_owned()))),
            _ => Err(InvalidDatabaseUrl),
        }
    }
}

/// Without the password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Target::File(path) => write!(f, "sqlite://{path}"),
            Target::Memory => f.write_str("sqlite::memory:"),
            Target::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

/// Without the password.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// The user's part loses what follows its colon, and the query is left out: libpq's URLs may carry `password=` there.
fn without_password(url: &str) -> String {
    let (url, query) = match url.split_once('?') {
        Some((url, _)) => (url, "?…"),
        None => (url, ""),
    };
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    // The last @: an unescaped one in a password must not let its tail through.
    let (user, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (login.split(':').next().unwrap_or_default(), place),
        None => ("", rest),
    };
    let at = if user.is_empty() { "" } else { "@" };
    format!("{scheme}://{user}{at}{place}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_manual_are_read() {
        for (text, path) in [
            ("sqlite:///var/lib/x.db", Some("/var/lib/x.db")),
            ("sqlite://data/x.db", Some("data/x.db")),
            ("sqlite://file:x?mode=memory", Some("./file:x?mode=memory")),
            ("sqlite::memory:", None),
            ("postgres://u@h/db", None),
            ("postgresql://h/db", None),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.path(), path.map(Path::new), "{text}");
        }
        for bad in ["", "sqlite://", "sqlite:x.db", "mysql://h/db", "x.db", "postgres://"] {
            assert!(bad.parse::<DatabaseUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_shown_holds_the_password() {
        for text in [
            "postgres://me:hunter2@db.example:5432/imapmcp",
            "postgres://me:hunter2@hunter2@db.example/imapmcp",
            "postgres://db.example/imapmcp?user=me&password=hunter2",
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            let shown = format!("{url} {url:?}");
            assert!(!shown.contains("hunter2") && shown.contains("db.example"), "{shown}");
        }
    }
}
