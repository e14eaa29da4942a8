//! Every event in every state, spelled out; and what no row of events can ever do.

mod alone;
mod model;
mod table;

use super::{NewEntry, start};
use imapmcp_core::{
    oauth::SendPolicy,
    outbox::{Lease, OutboxEntry, Refusal},
    secret::{Sealed, TokenHash},
    time::Timestamp,
};

const NOW: Timestamp = Timestamp(1_767_268_800_000);

fn refusal(address: &str, code: u16) -> Refusal {
    Refusal { address: address.to_owned(), code, enhanced: None }
}

fn addresses(list: &[&str]) -> Vec<String> {
    list.iter().map(|address| (*address).to_owned()).collect()
}

/// A message to `recipients`, as it is recorded.
fn begun(recipients: &[&str], policy: SendPolicy, send_at: Option<Timestamp>) -> OutboxEntry {
    let new = NewEntry {
        id: "out_x".parse().unwrap(),
        user: "usr_x".parse().unwrap(),
        account: "acc_x".parse().unwrap(),
        grant: "grt_x".parse().unwrap(),
        message_id: "x@example.com".to_owned(),
        subject: Sealed(Vec::new()),
        sender: "me@example.com".to_owned(),
        recipients: addresses(recipients),
        idempotency: None,
        content: TokenHash::of("x"),
    };
    let lease = Lease { worker: "worker".to_owned(), until: NOW.plus_seconds(30) };
    (*start(new, policy, send_at, lease, NOW)).clone()
}
