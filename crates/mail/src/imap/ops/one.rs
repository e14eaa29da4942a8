//! What came of one message.

use crate::imap::{
    connection::batch::Batch,
    wire::{
        fault::{Fault, fetch_refusal},
        fetch::{Body, Fetch},
        response::Kind,
        tap::fetches,
    },
};
use imapmcp_core::mail::MailError;

/// The one section that was asked for.
pub(crate) fn any_body(fetch: Fetch) -> Option<Body> {
    fetch.body.or(fetch.text).or(fetch.header)
}

/// What the command at `place` and everything with it said of the message, or [`MailError::Gone`] if nothing.
pub(crate) fn of_message(batch: Batch, place: usize, uid: u32) -> Result<Fetch, Fault> {
    match batch.statuses.get(place) {
        Some(status) if status.kind == Kind::Ok => {}
        // One message that cannot be had is no reason to slow the account down.
        Some(status) => return Err(Fault::Said(fetch_refusal(status))),
        None => return Err(Fault::PROTOCOL),
    }
    let all: Vec<_> = fetches(batch.items).collect();
    // Changes of flags may come with the sequence number alone.
    let sequence = all.iter().find(|fetch| fetch.uid == Some(uid)).map(|fetch| fetch.sequence);
    // A response that was cut may have lost the UID; there was one message to tell of.
    let sequence = sequence.or_else(|| all.iter().find(|fetch| fetch.cut).map(|fetch| fetch.sequence));
    let own = all.into_iter().filter(|fetch| Some(fetch.sequence) == sequence);
    own.reduce(|mut known, later| {
        known.merge(later);
        known
    })
    .ok_or(Fault::Said(MailError::Gone))
}
