//! What is known of the recipients.

use imapmcp_core::outbox::{OutboxEntry, Refusal, Trouble};

/// What is known of the recipients after a submission to `tried` that refused `refused`.
pub(super) fn merged(known: &[Refusal], tried: &[String], refused: &[Refusal]) -> Vec<Refusal> {
    let before = |refusal: &&Refusal| !tried.contains(&refusal.address);
    known.iter().filter(before).chain(refused).cloned().collect()
}

/// As if each recipient that is left was refused like the message as a whole.
pub(super) fn all_refused(entry: &OutboxEntry, code: u16, enhanced: Option<&String>) -> Vec<Refusal> {
    // those whom the server has refused for good meanwhile are not refused again with the whole message
    let left = entry.pending();
    let refusal = |address: &String| Refusal { address: address.clone(), code, enhanced: enhanced.cloned() };
    let refused: Vec<Refusal> = left.iter().map(refusal).collect();
    merged(&entry.refusals, &left, &refused)
}

/// What to tell of refused recipients: the reply for one that is tried again, if there is one.
pub(super) fn refused_with(refusals: &[Refusal]) -> Option<Trouble> {
    let again = refusals.iter().find(|refusal| refusal.may_pass());
    again.or(refusals.first()).map(|refusal| Trouble::Reply(refusal.code))
}
