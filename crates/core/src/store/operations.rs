use super::StoreError;
use crate::{
    id::{OperationId, UserId},
    operation::{Operation, OperationState},
    time::Timestamp,
};
use async_trait::async_trait;

/// Plans and what can be undone.
#[async_trait]
pub trait OperationRepository: Send + Sync {
    /// Records all or none; a detail beyond [`MAX_DETAIL`](crate::operation::MAX_DETAIL) is [`StoreError::Query`].
    async fn add_operations(&self, operations: &[Operation]) -> Result<(), StoreError>;
    /// One live operation of a user; `None` if unknown, lapsed, or another user's.
    async fn find_operation(
        &self,
        user: &UserId,
        id: &OperationId,
        now: Timestamp,
    ) -> Result<Option<Operation>, StoreError>;
    /// Moves a live operation on, with a new detail if one is given. `false` if it is not in `from` (any more): of any
    /// number of racers one wins.
    async fn advance_operation(
        &self,
        user: &UserId,
        id: &OperationId,
        from: OperationState,
        to: OperationState,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Removes those that lapsed before `before`; returns how many.
    async fn purge_operations(&self, before: Timestamp) -> Result<usize, StoreError>;
}
