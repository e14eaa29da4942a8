//! A message's envelope as IMAP tells it (RFC 9051 §7.5.2): texts as they came, encoded words and all.

use crate::{addresses::mailboxes, header::Fields};
use imapmcp_core::mail::{Address, Envelope};

/// Of a message's header fields. Groups are told by their members.
pub fn of(fields: &Fields) -> Envelope {
    let people = |name: &str| fields.unfolded(name).map(|raw| people(&raw)).unwrap_or_default();
    let from = people("From");
    let or_from = |given: Vec<Address>| if given.is_empty() { from.clone() } else { given };
    Envelope {
        date: fields.unfolded("Date"),
        subject: fields.unfolded("Subject"),
        sender: or_from(people("Sender")),
        reply_to: or_from(people("Reply-To")),
        to: people("To"),
        cc: people("Cc"),
        bcc: people("Bcc"),
        in_reply_to: fields.unfolded("In-Reply-To"),
        message_id: fields.unfolded("Message-ID"),
        from,
    }
}

/// What cannot be read as addresses stands as it is.
fn people(raw: &str) -> Vec<Address> {
    match mailboxes(raw) {
        Some(found) => {
            found.into_iter().map(|one| Address { name: one.display_name, email: one.addr }).collect()
        }
        None => vec![Address { name: None, email: raw.to_owned() }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_told_as_it_came() {
        let header = b"From: \"Doe, Jane\" <jane@x.example>\r\nSubject: folded\r\n subject\r\n\
            To: =?utf-8?q?J=C3=BCrgen?= <j@x.example>, friends: a@x.example, <b@x.example>;\r\n\
            Cc: nobody at all <\r\nMessage-ID: <1@x.example>\r\n\r\n";
        let envelope = of(&Fields::parse(header));
        assert_eq!(envelope.from[0].name.as_deref(), Some("Doe, Jane"));
        assert_eq!(envelope.sender, envelope.from);
        assert_eq!(envelope.subject.as_deref(), Some("folded subject"));
        assert_eq!(envelope.to[0].name.as_deref(), Some("=?utf-8?q?J=C3=BCrgen?="));
        let to: Vec<_> = envelope.to.iter().map(|one| one.email.as_str()).collect();
        assert_eq!(to, ["j@x.example", "a@x.example", "b@x.example"]);
        assert_eq!(envelope.cc[0].email, "nobody at all <");
        assert_eq!((envelope.message_id.as_deref(), envelope.date), (Some("<1@x.example>"), None));
    }
}
