//! SEARCH over the mailbox in memory: substrings without case, on decoded text.

use super::store::Stored;
use crate::judge::{addresses, contains, has_attachment, has_file};
use imapmcp_core::mail::{Criterion, Part};
use imapmcp_mime::{
    body,
    header::{Fields, decoded},
};

/// Whether the message matches. Depth is bounded by `wire_text::criterion`.
pub(super) fn matches(message: &Stored, criterion: &Criterion) -> bool {
    match criterion {
        Criterion::And(all) => all.iter().all(|one| matches(message, one)),
        Criterion::Or(a, b) => matches(message, a) || matches(message, b),
        Criterion::Not(one) => !matches(message, one),
        Criterion::From(text) => addresses(&message.envelope.from, text),
        Criterion::To(text) => addresses(&message.envelope.to, text),
        Criterion::Cc(text) => addresses(&message.envelope.cc, text),
        Criterion::Subject(text) => field(message, "Subject", text),
        Criterion::Header(name, text) => field(message, name, text),
        Criterion::Body(text) => says_in_text(message, text),
        Criterion::Text(text) => {
            let says = |(name, value): (&str, &str)| contains(&format!("{name}: {}", decoded(value)), text);
            fields(message).iter().any(says) || says_in_text(message, text)
        }
        Criterion::Since(moment) => message.internal_date.seconds() >= moment.seconds(),
        Criterion::Before(moment) => message.internal_date.seconds() < moment.seconds(),
        Criterion::Unseen => !message.has("\\Seen"),
        Criterion::Seen => message.has("\\Seen"),
        Criterion::Flagged => message.has("\\Flagged"),
        Criterion::Answered => message.has("\\Answered"),
        Criterion::Draft => message.has("\\Draft"),
        Criterion::Keyword(flag) => message.has(flag.as_str()),
        Criterion::Bcc(text) => addresses(&message.envelope.bcc, text),
        Criterion::HasAttachment => {
            field(message, "Content-Type", "multipart/mixed") && has_attachment(&parts(message))
        }
        Criterion::Filename(text) => has_file(&parts(message), text),
        // there are none here
        Criterion::Label(_) => false,
        Criterion::Smaller(octets) => message.raw.len() < *octets as usize,
        Criterion::Larger(octets) => message.raw.len() > *octets as usize,
    }
}

fn parts(message: &Stored) -> Vec<Part> {
    message.leaves.iter().map(|leaf| leaf.part.clone()).collect()
}

fn fields(message: &Stored) -> Fields {
    Fields::whole(&message.raw[..message.header_end])
}

fn field(message: &Stored, name: &str, text: &str) -> bool {
    fields(message).every(name).any(|value| contains(&decoded(value), text))
}

fn says_in_text(message: &Stored, text: &str) -> bool {
    message.leaves.iter().filter(|leaf| leaf.part.media_type.starts_with("text/")).any(|leaf| {
        let octets = &message.raw[leaf.body.clone()];
        contains(&body::decode(octets, &leaf.part.encoding, leaf.part.parameter("charset")), text)
    })
}
