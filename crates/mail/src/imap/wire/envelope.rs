//! ENVELOPE (RFC 9051 §7.5.2), and the header fields that say what a server did not understand of them.

use super::tokens::Value;
use imapmcp_core::mail::{Address, Envelope};
use imapmcp_mime::{envelope, header::Fields};

/// What servers write where an address has no mailbox or no host: Dovecot, Cyrus, UW IMAP.
const PLACEHOLDERS: [&str; 8] = [
    "MISSING_DOMAIN",
    "MISSING_MAILBOX",
    "SYNTAX_ERROR",
    "MISSING-DOMAIN",
    "MISSING-MAILBOX",
    "MISSING-HOST-NAME",
    "SYNTAX-ERROR",
    "UNEXPECTED_DATA_AFTER_ADDRESS",
];

/// Reads an ENVELOPE; `None` if it is none.
pub(super) fn read(value: Value<'_>) -> Option<Envelope> {
    if !value.is_list() || value.is_damaged() {
        return None;
    }
    let mut values = value.values();
    let date = values.next()?.text();
    let subject = values.next().and_then(Value::text);
    let mut list = || values.next().map(addresses).unwrap_or_default();
    Some(Envelope {
        date,
        subject,
        from: list(),
        sender: list(),
        reply_to: list(),
        to: list(),
        cc: list(),
        bcc: list(),
        in_reply_to: values.next().and_then(Value::text),
        message_id: values.next().and_then(Value::text),
    })
}

/// Addresses; the markers of groups (no host, RFC 9051 §7.5.2) are not addresses.
fn addresses(list: Value<'_>) -> Vec<Address> {
    let address = |value: Value<'_>| {
        let mut values = value.values();
        let name = values.next().and_then(Value::text);
        values.next();
        let (mailbox, host) = (values.next(), values.next()?);
        if host.is_nil() {
            return None;
        }
        let mailbox = mailbox.filter(|mailbox| !mailbox.is_nil() && !is_placeholder(mailbox.bytes()));
        let host = Some(host).filter(|host| !is_placeholder(host.bytes()));
        let room = |value: Option<Value<'_>>| value.map_or(0, |value| value.bytes().len());
        let mut email = String::with_capacity(1 + room(mailbox) + room(host));
        if mailbox.is_some_and(|mailbox| mailbox.append_to(&mut email)) && host.is_some() {
            email.push('@');
        }
        if let Some(host) = host {
            host.append_to(&mut email);
        }
        (!email.is_empty() || name.is_some()).then_some(Address { name, email })
    };
    list.values().filter(|value| value.is_list()).filter_map(address).collect()
}

fn is_placeholder(word: &[u8]) -> bool {
    let word = word.strip_prefix(b".").unwrap_or(word);
    let word = word.strip_suffix(b".").unwrap_or(word);
    PLACEHOLDERS.iter().any(|placeholder| word == placeholder.as_bytes())
}

/// Puts the fields of a header, or of those that were asked for, in the place of what a server made of them: it may have
/// taken a display name for an address, or a part of a list or of a text for all of it.
pub(super) fn amend(known: &mut Envelope, header: &[u8]) {
    let fields = Fields::parse(header);
    let own = envelope::of(&fields);
    let has = |name: &str| fields.raw(name).is_some();
    if has("From") {
        // a server repeats From where there is no such field
        for (repeated, name) in [(&mut known.sender, "Sender"), (&mut known.reply_to, "Reply-To")] {
            if !has(name) && *repeated == known.from {
                repeated.clone_from(&own.from);
            }
        }
        known.from = own.from;
    }
    let people = [
        ("Sender", &mut known.sender, own.sender),
        ("Reply-To", &mut known.reply_to, own.reply_to),
        ("To", &mut known.to, own.to),
        ("Cc", &mut known.cc, own.cc),
        ("Bcc", &mut known.bcc, own.bcc),
    ];
    for (name, told, own) in people {
        if has(name) {
            *told = own;
        }
    }
    let texts = [
        (&mut known.date, own.date),
        (&mut known.subject, own.subject),
        (&mut known.in_reply_to, own.in_reply_to),
        (&mut known.message_id, own.message_id),
    ];
    for (told, own) in texts {
        if own.is_some() {
            *told = own;
        }
    }
}

#[cfg(test)]
mod tests;
