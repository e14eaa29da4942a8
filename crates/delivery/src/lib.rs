#![doc = include_str!("../README.md")]

mod digest;
mod error;
mod in_hand;
mod recover;
mod send;

pub use error::DeliveryError;
pub use send::{Delivery, DeliveryDeps, Receipt, Request};

use imapmcp_core::outbox::OutboxState;

/// The word clients see for a state.
pub const fn state_word(state: OutboxState) -> &'static str {
    match state {
        OutboxState::Queued | OutboxState::Sending => "queued",
        OutboxState::Accepted | OutboxState::Done => "sent",
        OutboxState::Rejected => "rejected",
        OutboxState::Unknown => "unknown",
        OutboxState::Cancelled => "cancelled",
        OutboxState::PendingApproval => "pending_approval",
    }
}
