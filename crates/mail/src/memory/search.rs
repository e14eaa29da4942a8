//! SEARCH over the mailbox in memory: substrings without case, on decoded text.

use super::{mime, store::Stored};
use crate::{
    decode::decode,
    judge::{addresses, contains, has_attachment},
    words::decode_words,
};
use imapmcp_core::mail::Criterion;

/// Whether the message matches. Depth is bounded by `wire_text::criterion`.
pub(super) fn matches(message: &Stored, criterion: &Criterion) -> bool {
    match criterion {
        Criterion::And(all) => all.iter().all(|one| matches(message, one)),
        Criterion::Or(a, b) => matches(message, a) || matches(message, b),
        Criterion::Not(one) => !matches(message, one),
        Criterion::From(text) => addresses(&message.structure.envelope.from, text),
        Criterion::To(text) => addresses(&message.structure.envelope.to, text),
        Criterion::Cc(text) => addresses(&message.structure.envelope.cc, text),
        Criterion::Subject(text) => field(message, "Subject", text),
        Criterion::Header(name, text) => field(message, name, text),
        Criterion::Body(text) => body(message, text),
        Criterion::Text(text) => {
            let header = String::from_utf8_lossy(&message.raw[..message.structure.header_end]);
            contains(&decode_words(&header), text) || body(message, text)
        }
        Criterion::Since(day) => message.internal_date.date() >= day.date(),
        Criterion::Before(day) => message.internal_date.date() < day.date(),
        Criterion::Unseen => !message.has("\\Seen"),
        Criterion::Seen => message.has("\\Seen"),
        Criterion::Flagged => message.has("\\Flagged"),
        Criterion::Answered => message.has("\\Answered"),
        Criterion::Draft => message.has("\\Draft"),
        Criterion::Keyword(flag) => message.has(flag.as_str()),
        Criterion::Bcc(text) => addresses(&message.structure.envelope.bcc, text),
        Criterion::HasAttachment => {
            let parts: Vec<_> = message.structure.leaves.iter().map(|leaf| leaf.part.clone()).collect();
            field(message, "Content-Type", "multipart/mixed") && has_attachment(&parts)
        }
        Criterion::Smaller(octets) => message.raw.len() < *octets as usize,
        Criterion::Larger(octets) => message.raw.len() > *octets as usize,
    }
}

fn field(message: &Stored, name: &str, text: &str) -> bool {
    mime::fields(&message.raw[..message.structure.header_end])
        .iter()
        .any(|(key, value)| key.eq_ignore_ascii_case(name) && contains(&decode_words(value), text))
}

fn body(message: &Stored, text: &str) -> bool {
    message.structure.leaves.iter().filter(|leaf| leaf.part.media_type.starts_with("text/")).any(|leaf| {
        let octets = decode(&leaf.part.encoding, &message.raw[leaf.body.clone()]);
        contains(&String::from_utf8_lossy(&octets), text)
    })
}
