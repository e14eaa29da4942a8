//! From what a database says to what a caller can do about it.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};
use imapmcp_core::store::StoreError;

/// What goes wrong inside a repository method.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection.
    Connection(Box<dyn std::error::Error + Send + Sync>),
    /// A statement failed.
    Statement(DieselError),
    /// A stored value means nothing to this version.
    Unreadable(&'static str),
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Statement(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Connection(error) => Self::Unavailable(error),
            Failure::Unreadable(what) => Self::Query(format!("unreadable stored value: {what}").into()),
            Failure::Statement(DieselError::DatabaseError(kind, information)) => {
                let transient = is_transient(kind, information.message());
                if matches!(kind, DatabaseErrorKind::UniqueViolation) {
                    Self::Conflict(what_exists(&*information))
                } else if transient {
                    Self::Unavailable(DieselError::DatabaseError(kind, information).into())
                } else {
                    Self::Query(DieselError::DatabaseError(kind, information).into())
                }
            }
            Failure::Statement(DieselError::BrokenTransactionManager) => {
                Self::Unavailable(DieselError::BrokenTransactionManager.into())
            }
            Failure::Statement(DieselError::RollbackErrorOnCommit { rollback_error, commit_error }) => {
                // The commit is what failed; the rollback fails because nothing is left to roll back.
                drop(rollback_error);
                Failure::Statement(*commit_error).into()
            }
            Failure::Statement(error) => Self::Query(error.into()),
        }
    }
}

/// Whether the same statement may work later. Diesel does not hand on SQLite's result codes or SQLSTATE beyond its own
/// kinds, so the rest is told by the message.
fn is_transient(kind: DatabaseErrorKind, message: &str) -> bool {
    const SQLITE: [&str; 7] = [
        "database is locked",
        "database table is locked",
        "database or disk is full",
        "disk I/O error",
        "attempt to write a readonly database",
        "unable to open database file",
        "locking protocol",
    ];
    const POSTGRES: [&str; 9] = [
        "terminating connection",
        "the database system is",
        "too many clients",
        "too many connections",
        "remaining connection slots",
        "No space left on device",
        "could not extend file",
        "deadlock detected",
        "canceling statement",
    ];
    match kind {
        DatabaseErrorKind::SerializationFailure
        | DatabaseErrorKind::ReadOnlyTransaction
        | DatabaseErrorKind::ClosedConnection
        | DatabaseErrorKind::UnableToSendCommand => true,
        DatabaseErrorKind::Unknown => SQLITE.iter().chain(&POSTGRES).any(|sign| message.contains(sign)),
        _ => false,
    }
}

/// The noun for a unique violation. Postgres names the table, SQLite writes `UNIQUE constraint failed: table.column`.
fn what_exists(information: &(dyn DatabaseErrorInformation + Send + Sync)) -> &'static str {
    const NOUNS: [(&str, &str); 10] = [
        ("users", "a user with this e-mail address"),
        ("accounts", "an account with this label"),
        ("keys", "this key, or another active one,"),
        ("clients", "this client"),
        ("decided_requests", "this request"),
        ("grants", "this grant"),
        ("codes", "this code"),
        ("tokens", "this token"),
        ("outbox", "this message"),
        ("operations", "this operation"),
    ];
    let message = information.message();
    let table = information
        .table_name()
        .or_else(|| message.rsplit_once("failed: ")?.1.split_once('.').map(|(table, _)| table));
    NOUNS.iter().find(|(name, _)| Some(*name) == table).map_or("this", |(_, noun)| noun)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(kind: DatabaseErrorKind, message: &str) -> StoreError {
        Failure::Statement(DieselError::DatabaseError(kind, Box::new(message.to_owned()))).into()
    }

    #[test]
    fn what_may_work_later_is_unavailable() {
        for message in [
            "database is locked",
            "database or disk is full",
            "disk I/O error",
            "attempt to write a readonly database",
            "terminating connection due to administrator command",
            "the database system is starting up",
            "sorry, too many clients already",
        ] {
            let error = failed(DatabaseErrorKind::Unknown, message);
            assert!(matches!(error, StoreError::Unavailable(_)), "{message}");
        }
        let closed = failed(DatabaseErrorKind::UnableToSendCommand, "connection closed");
        assert!(matches!(closed, StoreError::Unavailable(_)));
        assert!(matches!(failed(DatabaseErrorKind::Unknown, "no such table: x"), StoreError::Query(_)));
        assert!(matches!(failed(DatabaseErrorKind::NotNullViolation, "x"), StoreError::Query(_)));
    }

    #[test]
    fn sqlite_itself_says_locked_full_and_read_only_in_these_words() {
        use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        let open = || SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let (mut one, mut other) = (open(), open());
        one.batch_execute("CREATE TABLE x (y BLOB NOT NULL) STRICT; BEGIN IMMEDIATE").unwrap();
        for (setup, statement) in [
            ("", "INSERT INTO x VALUES (x'00')"),
            ("PRAGMA query_only = 1", "INSERT INTO x VALUES (x'00')"),
            ("PRAGMA query_only = 0; PRAGMA max_page_count = 3", "INSERT INTO x VALUES (zeroblob(100000))"),
        ] {
            other.batch_execute(setup).unwrap();
            let error = StoreError::from(Failure::from(other.batch_execute(statement).unwrap_err()));
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            one.batch_execute("ROLLBACK; SAVEPOINT next").unwrap();
        }
    }

    #[test]
    fn a_conflict_says_what_exists_and_nothing_of_the_schema() {
        let error = failed(DatabaseErrorKind::UniqueViolation, "UNIQUE constraint failed: users.email_key");
        assert_eq!(error.to_string(), "a user with this e-mail address already exists");
    }
}
