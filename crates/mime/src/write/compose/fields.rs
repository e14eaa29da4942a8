//! Header fields of a draft that another program wrote: what people set there goes along, what programs note for
//! themselves does not, and what cannot go along is told.

use super::{encoded::encoded_words, safe::shorten};
use crate::header::Fields;

/// Fields that go along, at most.
const MAX_FIELDS: usize = 60;
/// Octets of one of them.
const MAX_VALUE: usize = 4000;

/// Fields that a letter has a place for, or that every message gets anew.
const OWN: &[&str] = &[
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
];

/// What servers and programs note about a stored message, for themselves.
const NOTES: &[&str] = &[
    "apparently-to",
    "authentication-results",
    "autocrypt-draft-state",
    "delivered-to",
    "envelope-to",
    "fcc",
    "lines",
    "return-path",
    "received",
    "received-spf",
    "status",
    "user-agent",
    "x-account-key",
    "x-apparently-to",
    "x-authentication-results",
    "x-delivered-to",
    "x-enigmail-draft-status",
    "x-identity-key",
    "x-imap",
    "x-imapbase",
    "x-keywords",
    "x-mailer",
    "x-newsreader",
    "x-original-to",
    "x-originating-ip",
    "x-received",
    "x-spam-checker-version",
    "x-status",
    "x-tuid",
    "x-uid",
    "x-uidl",
    "x-uniform-type-identifier",
    "x-universally-unique-identifier",
    "x-unsent",
];

/// Beginnings of the names of such notes.
const NOTES_OF: &[&str] = &[
    "arc-",
    "dkim-",
    "domainkey-",
    "content-",
    "x-apple-",
    "x-claws-",
    "x-evolution-",
    "x-forwarded-",
    "x-gm-",
    "x-gmail-",
    "x-google-",
    "x-kmail-",
    "x-mimeole",
    "x-ms-exchange-",
    "x-microsoft-",
    "x-mozilla-",
    "x-sylpheed-",
    "x-spam-",
    "x-virus-",
    "x-yahoo-",
];

/// Fields of addresses: encoded words stand for names there, not for everything.
const PEOPLE: &[&str] = &[
    "reply-to",
    "disposition-notification-to",
    "return-receipt-to",
    "x-confirm-reading-to",
    "mail-followup-to",
    "mail-reply-to",
    "errors-to",
];

/// Whether a field is one that a page of the message shows by itself, or a mere note.
pub(crate) fn is_own(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    OWN.contains(&name.as_str()) || name == "reply-to" || is_note(&name)
}

fn is_note(name: &str) -> bool {
    NOTES.contains(&name) || NOTES_OF.iter().any(|start| name.starts_with(start))
}

/// Whether a field can be written: printable ASCII, and nothing that a letter has a place for.
pub(super) fn is_fit(name: &str, value: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    // a reply to what has several parents names them there
    let has_a_place = OWN.contains(&lower.as_str()) && lower != "in-reply-to";
    let is_name =
        !name.is_empty() && name.len() <= 76 && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    // a word of more than a line cannot be folded (RFC 5322 §2.1.1)
    let fits = value.len() <= MAX_VALUE && value.split(' ').all(|word| word.len() <= 900);
    is_name && !has_a_place && fits && value.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
}

/// What goes along of a draft's header; the error names the field that cannot.
pub(super) fn kept(fields: &Fields) -> Result<Vec<(String, String)>, String> {
    for once in ["from", "subject"] {
        if fields.every(once).count() > 1 {
            return Err(format!("it has several {once} fields"));
        }
    }
    let mut kept = Vec::new();
    for (name, value) in fields.iter() {
        let lower = name.to_ascii_lowercase();
        if OWN.contains(&lower.as_str()) || is_note(&lower) {
            continue;
        }
        if lower.starts_with("resent-") {
            return Err(format!("it was sent before ({name})"));
        }
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if value.is_empty() {
            continue;
        }
        let is_text = !PEOPLE.contains(&lower.as_str()) && !value.is_ascii();
        let value = if is_text && value.len() <= MAX_VALUE / 2 { encoded_words(&value) } else { value };
        if !is_fit(name, &value) || kept.len() >= MAX_FIELDS {
            return Err(format!("its field {} cannot be written", shorten(name)));
        }
        kept.push((name.to_owned(), value));
    }
    Ok(kept)
}
