//! A message's envelope as IMAP tells it (RFC 9051 §7.5.2), out of its header: texts as they came, encoded words and all.
//! Servers misread addresses that people write, and fill gaps with words of their own (MISSING_DOMAIN).

use crate::{addresses::mailboxes, header::Fields};
use imapmcp_core::mail::{Address, Envelope};

/// Of a message's header fields. Groups are told by their members.
pub fn of(fields: &Fields) -> Envelope {
    // a field that stands twice names everybody whom both name (RFC 5322 §3.6 has it once)
    let people = |name: &str| fields.every(name).flat_map(mailboxes).collect::<Vec<_>>();
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

    #[test]
    fn nobody_and_nothing_is_made_up() {
        let envelope = of(&Fields::parse(
            b"From: security@bank.example <x@evil.example>\r\nFrom: Doe, Ann <a@x.example>\r\n\
            To: a@x.example; b@y.example\r\nCc: undisclosed-recipients:;\r\nSubject: one\r\nSubject: two\r\n\r\n",
        ));
        let told = |list: &[Address]| -> Vec<String> {
            list.iter()
                .map(|one| format!("{}|{}", one.name.as_deref().unwrap_or_default(), one.email))
                .collect()
        };
        assert_eq!(told(&envelope.from), ["security@bank.example|x@evil.example", "Doe, Ann|a@x.example"]);
        assert_eq!(told(&envelope.to), ["|a@x.example", "|b@y.example"]);
        assert_eq!(told(&envelope.cc), [""; 0]);
        assert_eq!(envelope.subject.as_deref(), Some("one"));
        let bounce = of(&Fields::parse(b"From: MAILER-DAEMON <>\r\nReply-To: Post Office\r\n\r\n"));
        assert_eq!(told(&bounce.from), ["MAILER-DAEMON|"]);
        assert_eq!(told(&bounce.reply_to), ["|Post Office"]);
    }
}
