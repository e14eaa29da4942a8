#![doc = include_str!("../README.md")]

mod by_hand;
mod digest;
mod dot;
mod error;
mod in_hand;
mod lanes;
mod lease;
mod listing;
mod outbox;
mod preview;
mod receipt;
mod retake;
mod schedule;
mod send;
mod sent_copy;
mod stored_message;
mod submit;
mod sweep;
mod writing;

pub use by_hand::HandOutcome;
pub use error::DeliveryError;
pub use imapmcp_mime::shown::{Shown, ShownFile, ShownHtml};
pub use listing::{Listing, ListingPage};
pub use outbox::{CancelOutcome, OutboxPage, OutboxView, ReleaseOutcome};
pub use preview::Preview;
pub use receipt::{Receipt, state_word};
pub use send::{Delivery, DeliveryDeps, Request};
pub use writing::WrittenDraft;
