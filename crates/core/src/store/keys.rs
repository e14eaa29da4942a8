use super::StoreError;
use crate::{
    secret::{Binding, Sealed, SealedColumn},
    time::Timestamp,
};
use async_trait::async_trait;

/// What a key of the ring is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Seals and opens; exactly one key is active.
    Active,
    /// Opens only.
    DecryptOnly,
    /// Not used any more; nothing sealed with it is left.
    Retired,
}

/// What the database knows of a key: never the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Key identifier.
    pub kid: String,
    /// State.
    pub state: KeyState,
    /// Key check value: proves that the ring holds the same key under this identifier.
    pub check: Vec<u8>,
    /// When it was first seen.
    pub created_at: Timestamp,
}

/// A sealed column of some row, with what its binding is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// Table and column.
    pub column: SealedColumn,
    /// Primary key.
    pub row: String,
    /// Owner.
    pub user: String,
    /// Context of the binding.
    pub context: String,
    /// The sealed value.
    pub sealed: Sealed,
}

impl SealedRow {
    /// What it was sealed with, for whoever seals it anew.
    pub fn binding(&self) -> Binding<'_> {
        Binding { column: self.column, row: &self.row, user: &self.user, context: &self.context }
    }
}

/// The ring's memory, and what is sealed with it.
#[async_trait]
pub trait KeyRepository: Send + Sync {
    /// Every key ever seen, oldest first.
    async fn list_keys(&self) -> Result<Vec<KeyRecord>, StoreError>;
    /// Adds a key; [`StoreError::Conflict`] if the identifier is known.
    async fn add_key(&self, key: &KeyRecord) -> Result<(), StoreError>;
    /// Makes one known key active and the former active one decrypt-only; `false` if unknown or retired.
    async fn activate_key(&self, kid: &str) -> Result<bool, StoreError>;
    /// Sealed values of a column in the order of their rows, after the given one of that column, at most `limit`.
    async fn list_sealed(
        &self,
        column: SealedColumn,
        after: Option<&SealedRow>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, StoreError>;
    /// Replaces a sealed value if it is still `old` (an edit in between wins); `false` if it is not.
    async fn replace_sealed(&self, row: &SealedRow, new: &Sealed) -> Result<bool, StoreError>;
}
