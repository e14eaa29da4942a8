//! Operations on record: plans that wait for a confirmation, and changes that can be taken back.

use crate::{Journal, OperationError, steps::Undo};
use imapmcp_core::{
    account::Account,
    id::{AccountId, OperationId, UserId},
    operation::{MAX_DETAIL, Operation, OperationState},
    random::Entropy,
    time::Clock,
};
use std::sync::Arc;

/// How long a change can be taken back.
const LIFETIME_SECONDS: i64 = 7 * 86_400;
/// How long a plan can be carried out: it is of a mailbox that moves on.
const PLAN_SECONDS: i64 = 900;

/// What an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// A change that was made, and how to take it back.
    Change,
    /// A change that was prepared.
    Plan,
}

impl OperationKind {
    /// The stored word.
    const fn word(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Plan => "plan",
        }
    }

    const fn seconds(self) -> i64 {
        match self {
            Self::Change => LIFETIME_SECONDS,
            Self::Plan => PLAN_SECONDS,
        }
    }

    /// The state of one that nobody used yet, and of one whose use changed nothing.
    pub(crate) const fn ready(self) -> OperationState {
        match self {
            Self::Change => OperationState::Done,
            Self::Plan => OperationState::Planned,
        }
    }
}

/// Changes mailboxes, and remembers how to take each change back.
pub struct Organizer {
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Organizer {
    /// Ready for use.
    pub fn new(journal: Arc<Journal>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { journal, clock, entropy }
    }

    /// An operation of this user on one of the accounts that `covers` names.
    pub async fn find(
        &self,
        user: &UserId,
        covers: impl Fn(&AccountId) -> bool + Send,
        kind: OperationKind,
        id: &str,
    ) -> Result<Operation, OperationError> {
        let id: OperationId = id.parse().map_err(|_| OperationError::Unknown)?;
        let operations = self.journal.written().await;
        let found = operations.find_operation(user, &id, self.clock.now()).await?;
        found
            .filter(|operation| operation.kind == kind.word() && covers(&operation.account))
            .ok_or(OperationError::Unknown)
    }

    /// Records a plan; it is on the disk before its identifier is told.
    pub(crate) async fn record_plan(
        &self,
        account: &Account,
        detail: String,
    ) -> Result<OperationId, OperationError> {
        let operation = self.made(account, OperationKind::Plan, detail)?;
        self.journal.operations().add_operations(std::slice::from_ref(&operation)).await?;
        Ok(operation.id)
    }

    /// Records how to take a change back. The change is done: that it cannot be undone later is no failure of it.
    pub(crate) async fn record(&self, account: &Account, undo: &Undo) -> Option<OperationId> {
        if undo.is_empty() {
            return None;
        }
        let detail = serde_json::to_string(undo).ok()?;
        let operation = self.made(account, OperationKind::Change, detail).ok()?;
        let id = operation.id.clone();
        self.journal.add(operation).await;
        Some(id)
    }

    fn made(
        &self,
        account: &Account,
        kind: OperationKind,
        detail: String,
    ) -> Result<Operation, OperationError> {
        if detail.len() > MAX_DETAIL {
            return Err(OperationError::Record("it is too long".to_owned()));
        }
        let now = self.clock.now();
        Ok(Operation {
            id: OperationId::random(&*self.entropy),
            user: account.user.clone(),
            account: account.id.clone(),
            kind: kind.word().to_owned(),
            state: kind.ready(),
            detail,
            created_at: now,
            expires_at: now.plus_seconds(kind.seconds()),
        })
    }

    /// Takes an operation for this call alone.
    pub(crate) async fn take(
        &self,
        operation: &Operation,
        kind: OperationKind,
    ) -> Result<(), OperationError> {
        let (operations, now) = (self.journal.operations(), self.clock.now());
        let Operation { user, id, .. } = operation;
        let taken =
            operations.advance_operation(user, id, kind.ready(), OperationState::Running, None, now).await?;
        if taken { Ok(()) } else { Err(OperationError::Used) }
    }

    /// Says how a taken operation ended. What happened happened: a database that is away now is logged only.
    pub(crate) async fn settle(&self, operation: &Operation, to: OperationState) {
        let (operations, now) = (self.journal.operations(), self.clock.now());
        let Operation { user, id, .. } = operation;
        let from = OperationState::Running;
        if let Err(error) = operations.advance_operation(user, id, from, to, None, now).await {
            tracing::warn!(operation = %id, %error, "the end of an operation could not be recorded");
        }
    }
}
