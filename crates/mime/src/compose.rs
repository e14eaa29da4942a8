//! A person's words to a message (RFC 5322, RFC 2045–2049, RFC 2231), by `mail-builder`.
//!
//! Every string is checked before it reaches the builder: a field that carries a line break or NUL is refused by
//! name, whatever the builder would do with it.

use imapmcp_core::{mail::is_address, time::Timestamp};
use mail_builder::{MessageBuilder, headers::address::Address};

/// Octets of all attachments together.
pub const MAX_ATTACHMENTS: usize = 25 * 1024 * 1024;
/// Recipients of one message.
pub const MAX_RECIPIENTS: usize = 100;

/// A name and an address, both fit for a header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAddress {
    name: Option<String>,
    email: String,
}

impl NamedAddress {
    /// Checks both.
    pub fn new(name: Option<&str>, email: &str) -> Result<Self, ComposeError> {
        if !is_address(email) {
            return Err(ComposeError::Address(shorten(email)));
        }
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        if name.is_some_and(|name| breaks_out(name) || name.len() > 200) {
            return Err(ComposeError::Address(shorten(email)));
        }
        Ok(Self { name: name.map(ToOwned::to_owned), email: email.to_owned() })
    }

    /// Reads `a@b.c` or `Name <a@b.c>` (the name perhaps in double quotes).
    pub fn parse(text: &str) -> Result<Self, ComposeError> {
        let text = text.trim_matches(' ');
        if breaks_out(text) {
            return Err(ComposeError::Address(shorten(text)));
        }
        match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, email)) => {
                let name = name.trim();
                let name = name
                    .strip_prefix('"')
                    .and_then(|name| name.strip_suffix('"'))
                    .map_or_else(|| name.to_owned(), |name| name.replace("\\\"", "\"").replace("\\\\", "\\"));
                Self::new(Some(&name), email)
            }
            None => Self::new(None, text),
        }
        .map_err(|_| ComposeError::Address(shorten(text)))
    }

    /// The address alone.
    pub fn email(&self) -> &str {
        &self.email
    }

    fn build(&self) -> Address<'_> {
        Address::new_address(self.name.as_deref(), self.email.as_str())
    }
}

/// A file to go with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// File name.
    pub filename: String,
    /// Media type.
    pub content_type: String,
    /// Octets.
    pub octets: Vec<u8>,
    /// Content-ID without angle brackets, for files shown within the HTML text.
    pub content_id: Option<String>,
}

/// A message to be.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Author.
    pub from: NamedAddress,
    /// To.
    pub to: Vec<NamedAddress>,
    /// Cc.
    pub cc: Vec<NamedAddress>,
    /// Bcc: in our own copy only, never in what is submitted.
    pub bcc: Vec<NamedAddress>,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: Option<String>,
    /// HTML.
    pub html: Option<String>,
    /// Attachments.
    pub files: Vec<File>,
    /// Message-ID without angle brackets.
    pub message_id: String,
    /// Date field.
    pub date: Timestamp,
}

/// What is wrong with a draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// Not an address: its text, shortened.
    #[error("`{0}` is not an e-mail address")]
    Address(String),
    /// Nobody to send to.
    #[error("there is no recipient")]
    NoRecipient,
    /// Too many.
    #[error("more than {MAX_RECIPIENTS} recipients")]
    TooManyRecipients,
    /// A field holds a line break or NUL.
    #[error("`{0}` holds a line break or a control character")]
    ControlCharacter(&'static str),
    /// Neither text nor HTML nor a file.
    #[error("the message is empty")]
    Empty,
    /// Attachments over [`MAX_ATTACHMENTS`].
    #[error("the attachments are larger than 25 MB together")]
    TooLarge,
    /// The attachment's media type or name cannot be written.
    #[error("the attachment's {0} is not valid")]
    File(&'static str),
}

impl Draft {
    /// The message as submitted: no Bcc field.
    pub fn build(&self) -> Result<Vec<u8>, ComposeError> {
        self.check()?;
        let mut message = MessageBuilder::new()
            .message_id(self.message_id.as_str())
            .date(self.date.seconds())
            .from(self.from.build())
            .subject(self.subject.as_str());
        if !self.to.is_empty() {
            message = message.to(list(&self.to));
        }
        if !self.cc.is_empty() {
            message = message.cc(list(&self.cc));
        }
        if let Some(text) = &self.text {
            message = message.text_body(text.as_str());
        } else if self.html.is_none() {
            message = message.text_body("");
        }
        if let Some(html) = &self.html {
            message = message.html_body(html.as_str());
        }
        for file in &self.files {
            message = match &file.content_id {
                Some(id) => message.inline(file.content_type.as_str(), id.as_str(), file.octets.as_slice()),
                None => message.attachment(
                    file.content_type.as_str(),
                    file.filename.as_str(),
                    file.octets.as_slice(),
                ),
            };
        }
        // writing to a vector does not fail
        Ok(message.write_to_vec().unwrap_or_default())
    }

    /// The copy for the Sent folder: what was submitted, with a Bcc field in front if there were any.
    pub fn copy_of(&self, submitted: &[u8]) -> Vec<u8> {
        if self.bcc.is_empty() {
            return submitted.to_vec();
        }
        let list: Vec<&str> = self.bcc.iter().map(NamedAddress::email).collect();
        let mut copy = format!("Bcc: {}\r\n", list.join(",\r\n ")).into_bytes();
        copy.extend_from_slice(submitted);
        copy
    }

    /// Every recipient's address once.
    pub fn recipients(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for address in self.to.iter().chain(&self.cc).chain(&self.bcc) {
            if !all.iter().any(|known| known.eq_ignore_ascii_case(&address.email)) {
                all.push(address.email.clone());
            }
        }
        all
    }

    fn check(&self) -> Result<(), ComposeError> {
        let recipients = self.to.len() + self.cc.len() + self.bcc.len();
        if recipients == 0 {
            return Err(ComposeError::NoRecipient);
        }
        if recipients > MAX_RECIPIENTS {
            return Err(ComposeError::TooManyRecipients);
        }
        if breaks_out(&self.subject) || self.subject.len() > 2000 {
            return Err(ComposeError::ControlCharacter("subject"));
        }
        if breaks_out(&self.message_id) {
            return Err(ComposeError::ControlCharacter("message_id"));
        }
        let says_nothing = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
        if says_nothing(&self.text) && says_nothing(&self.html) && self.files.is_empty() {
            return Err(ComposeError::Empty);
        }
        if self.files.iter().map(|file| file.octets.len()).sum::<usize>() > MAX_ATTACHMENTS {
            return Err(ComposeError::TooLarge);
        }
        for file in &self.files {
            if breaks_out(&file.filename) || file.filename.is_empty() || file.filename.len() > 255 {
                return Err(ComposeError::File("filename"));
            }
            let token = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
            let plain = file.content_type.split_once('/').is_some_and(|(kind, subtype)| {
                !kind.is_empty()
                    && !subtype.is_empty()
                    && kind.chars().all(token)
                    && subtype.chars().all(token)
            });
            if !plain || file.content_type.len() > 100 {
                return Err(ComposeError::File("content_type"));
            }
            if file.content_id.as_deref().is_some_and(|id| {
                id.is_empty()
                    || id.len() > 200
                    || id.chars().any(|c| !c.is_ascii_graphic() || "<>\"".contains(c))
            }) {
                return Err(ComposeError::File("content_id"));
            }
        }
        Ok(())
    }
}

fn list(addresses: &[NamedAddress]) -> Address<'_> {
    Address::new_list(addresses.iter().map(NamedAddress::build).collect())
}

/// Line breaks, NUL and other control characters; a tab is the only one a header field may hold.
fn breaks_out(text: &str) -> bool {
    text.chars().any(|c| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}'))
}

fn shorten(text: &str) -> String {
    crate::header::one_line(text).chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn draft() -> Draft {
        Draft {
            from: NamedAddress::parse("Åsa <asa@example.com>").unwrap(),
            to: vec![NamedAddress::parse("\"Doe, \\\"J\\\" \" <j@example.com>").unwrap()],
            cc: vec![],
            bcc: vec![NamedAddress::parse("secret@example.com").unwrap()],
            subject: "Grüße 🎉".into(),
            text: Some("Hi\n.\nthere".into()),
            html: Some("<p>Hi</p>".into()),
            files: vec![File {
                filename: "日本.pdf".into(),
                content_type: "application/pdf".into(),
                octets: vec![0, 1, 2],
                content_id: None,
            }],
            message_id: "1@example.com".into(),
            date: Timestamp(0),
        }
    }

    #[test]
    fn another_parser_reads_what_was_written() {
        let draft = draft();
        let octets = draft.build().unwrap();
        let mail = mailparse::parse_mail(&octets).unwrap();
        let field = |name: &str| {
            mail.headers.iter().find(|header| header.get_key() == name).map(mailparse::MailHeader::get_value)
        };
        assert_eq!(field("Subject").unwrap(), "Grüße 🎉");
        assert_eq!(field("From").unwrap().replace('"', ""), "Åsa <asa@example.com>");
        assert_eq!(field("Message-ID").unwrap(), "<1@example.com>");
        assert_eq!(field("Bcc"), None);
        let copy = draft.copy_of(&octets);
        let copy = mailparse::parse_mail(&copy).unwrap();
        assert!(copy.headers.iter().any(|header| header.get_key() == "Bcc"));
        let file = mail.subparts.last().unwrap();
        assert_eq!(file.get_content_disposition().params["filename"], "日本.pdf");
        assert_eq!(file.get_body_raw().unwrap(), [0, 1, 2]);
        assert_eq!(draft.recipients(), ["j@example.com", "secret@example.com"]);
    }

    #[test]
    fn a_line_break_in_any_field_is_refused_by_name() {
        let refused = |change: fn(&mut Draft)| {
            let mut broken = draft();
            change(&mut broken);
            broken.build().unwrap_err()
        };
        assert_eq!(
            refused(|d| d.subject = "x\r\nBcc: a@b.c".into()),
            ComposeError::ControlCharacter("subject")
        );
        assert_eq!(refused(|d| d.files[0].filename = "a\r\nb".into()), ComposeError::File("filename"));
        assert_eq!(
            refused(|d| d.files[0].content_type = "a/b\r\nX: y".into()),
            ComposeError::File("content_type")
        );
        let empty = refused(|d| (d.text, d.html, d.files) = (None, None, Vec::new()));
        assert_eq!(empty, ComposeError::Empty);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in ["", "a", "x <a@b.c>\r\nBcc: d@e.f", "x\r\n <a@b.c>", "<>", "a@b.c, d@e.f"] {
            assert!(NamedAddress::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_subject_adds_a_header_field(subject in "\\PC*|(.|\r|\n){0,80}") {
            let mut message = draft();
            message.subject = subject;
            if let Ok(octets) = message.build() {
                let mail = mailparse::parse_mail(&octets).unwrap();
                let mut names: Vec<String> = mail.headers.iter().map(mailparse::MailHeader::get_key).collect();
                names.sort();
                names.dedup();
                prop_assert_eq!(names.len(), mail.headers.len());
                prop_assert!(!names.iter().any(|name| name == "Bcc"));
            }
        }
    }
}
