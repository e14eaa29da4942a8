//! Repository ports. A method is one transaction; a transaction never crosses this line.
//!
//! To add a repository: describe its rows in an entity module of this crate, add `store/<name>.rs` here with one
//! object-safe trait (`find` gives `Option`, `list` gives `Vec`, `add` and `remove` do what they say), add the
//! tables to both migration folders, implement the trait in crate `storage`, and describe its promises once in
//! `testkit::contract::storage`, which runs them on SQLite in a file, SQLite in memory and Postgres.

mod accounts;
mod clients;
mod consents;
mod correspondents;
mod exchanges;
mod grants;
mod keys;
mod operations;
mod outbox;
mod parcels;
mod people;
mod personal_tokens;
mod style;
mod tokens;
mod uploads;
mod users;

pub use accounts::AccountRepository;
pub use clients::{ClientBounds, ClientRepository};
pub use consents::ConsentRepository;
pub use correspondents::{CorrespondenceRow, CorrespondentRepository};
pub use exchanges::ExchangeRepository;
pub use grants::GrantRepository;
pub use keys::{KeyRecord, KeyRepository, KeyState, SealedRow};
pub use operations::OperationRepository;
pub use outbox::{Engaged, Enqueued, Leaving, OutboxQuery, OutboxRepository, Risk};
pub use parcels::ParcelRepository;
pub use people::{Amended, PeopleRepository};
pub use personal_tokens::PersonalTokenRepository;
pub use style::{RememberedDraft, StyleRepository, StyleRow};
pub use tokens::{TokenRepository, TokenRow};
pub use uploads::{UploadBounds, UploadRepository};
pub use users::UserRepository;

/// What can go wrong in storage.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique constraint stood in the way: `what` already exists.
    #[error("{0} already exists")]
    Conflict(&'static str),
    /// Retry later: no connection, locked, disk full.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A bug: the query or a stored value is wrong.
    #[error("the database refused a query")]
    Query(#[source] Box<dyn std::error::Error + Send + Sync>),
}
