#![doc = include_str!("../README.md")]

mod attend;
mod by_hand;
mod digest;
mod dot;
mod error;
mod in_hand;
mod lanes;
mod lease;
mod listing;
mod machine;
mod outbox;
mod preview;
mod receipt;
mod retake;
mod schedule;
mod send;
mod sent_copy;
mod service;
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
pub use send::Request;
pub use service::{Delivery, DeliveryDeps};
pub use writing::WrittenDraft;
