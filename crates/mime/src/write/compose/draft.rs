//! A letter under its Message-ID, and how it is written.

use super::{
    address::NamedAddress,
    encoded::encoded_words,
    error::ComposeError,
    file::File,
    flowed,
    letter::{Letter, Passage},
    lines::Base64Lines,
    part::{self, Piece},
    safe::{breaks_out, shorten},
};
use bytes::Bytes;
use imapmcp_core::{
    account::Account,
    octets::Content,
    random::{self, Entropy},
    sender::Sender,
    time::Timestamp,
};
use mail_builder::{
    MessageBuilder,
    headers::{address::Address, content_type::ContentType, message_id::MessageId, raw::Raw},
    mime::{BodyPart, MimePart},
};

/// A message to be.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Author.
    pub from: NamedAddress,
    /// Message-ID without angle brackets.
    pub message_id: String,
    /// Date field.
    pub date: Timestamp,
    /// The rest.
    pub letter: Letter,
}

impl Draft {
    /// A letter by the holder of an account, under a Message-ID of its own. The name is the account's too: who writes
    /// chooses among its addresses and makes none up.
    pub fn new(
        account: &Account,
        letter: Letter,
        date: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Self, ComposeError> {
        let address = letter.from.as_ref().map_or(&*account.email, Sender::email);
        let sender = account.sender(address).ok_or_else(|| ComposeError::Address(shorten(address)))?;
        let from = NamedAddress::new(sender.name(), sender.email())?;
        let domain = from.email().rsplit('@').next().unwrap_or("localhost");
        let message_id = format!("{}@{domain}", random::token(entropy, 18));
        Ok(Self { from, message_id, date, letter })
    }

    /// The message as submitted: no Bcc field.
    pub fn compose(&self) -> Result<Vec<Piece>, ComposeError> {
        let Letter { to, cc, bcc, text, html, files, passages, .. } = &self.letter;
        if to.len() + cc.len() + bcc.len() == 0 {
            return Err(ComposeError::NoRecipient);
        }
        let says_nothing = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
        let mut more = passages.iter().flat_map(|passage| [&passage.text, &passage.html]);
        if says_nothing(text) && says_nothing(html) && files.is_empty() && more.all(says_nothing) {
            return Err(ComposeError::Empty);
        }
        self.compose_unsent()
    }

    /// As [`Self::compose`] for the drafts: it may still lack recipients and text.
    pub fn compose_unsent(&self) -> Result<Vec<Piece>, ComposeError> {
        Ok(part::cut(self.written()?))
    }

    /// The message whole; a file that is not in memory is [`ComposeError::File`].
    pub fn build(&self) -> Result<Vec<u8>, ComposeError> {
        let (mut out, mut lines) = (Vec::new(), Base64Lines::new());
        for piece in self.compose()? {
            match piece {
                Piece::Octets(octets) => out.extend_from_slice(&octets),
                Piece::File(place) => match self.letter.files.get(place).map(|file| &file.content) {
                    Some(Content::Memory(octets)) => {
                        lines.push(octets, &mut out);
                        lines.finish(&mut out);
                    }
                    _ => return Err(ComposeError::File("content")),
                },
            }
        }
        Ok(out)
    }

    /// The field that stands in front of our own copy, if there are such recipients.
    pub fn bcc_field(&self) -> Option<Bytes> {
        let list: Vec<&str> = self.letter.bcc.iter().map(NamedAddress::email).collect();
        (!list.is_empty()).then(|| format!("Bcc: {}\r\n", list.join(",\r\n ")).into())
    }

    fn written(&self) -> Result<Vec<u8>, ComposeError> {
        self.letter.check()?;
        if breaks_out(&self.message_id) {
            return Err(ComposeError::ControlCharacter("message_id"));
        }
        let mut message = MessageBuilder::new()
            .message_id(self.message_id.as_str())
            .date(self.date.seconds())
            .from(self.from.build());
        message = if self.letter.subject.contains("=?") {
            message.header("Subject", Raw::new(encoded_words(&self.letter.subject)))
        } else {
            message.subject(self.letter.subject.as_str())
        };
        if !self.letter.to.is_empty() {
            message = message.to(list(&self.letter.to));
        }
        if !self.letter.cc.is_empty() {
            message = message.cc(list(&self.letter.cc));
        }
        if let Some(id) = &self.letter.in_reply_to {
            message = message.in_reply_to(id.as_str());
        }
        if !self.letter.references.is_empty() {
            message =
                message.references(MessageId::new_list(self.letter.references.iter().map(String::as_str)));
        }
        for (name, value) in &self.letter.fields {
            message = message.header(name.as_str(), Raw::new(value.as_str()));
        }
        let message = message.body(self.content());
        // writing to a vector does not fail
        Ok(message.write_to_vec().unwrap_or_default())
    }

    /// mixed( related( alternative( text, HTML ), pictures of the HTML ), attachments and further texts ), each level
    /// only where it has something to hold (RFC 2046 §5.1, RFC 2387).
    fn content(&self) -> MimePart<'_> {
        let Letter { text, html, files, passages, .. } = &self.letter;
        let text = text.as_deref().filter(|text| !text.trim().is_empty() || html.is_none());
        let text = text.or(html.is_none().then_some(""));
        let mut content = said(text, html.as_deref());
        let is_picture = |file: &File| html.is_some() && file.content_id.is_some() && !file.in_place;
        let pictures: Vec<_> = (files.iter().enumerate())
            .filter(|(_, file)| is_picture(file))
            .map(|(place, file)| part::picture(place, file, file.content_id.as_deref().unwrap_or_default()))
            .collect();
        if !pictures.is_empty() {
            content = together("multipart/related", std::iter::once(content).chain(pictures).collect());
        }
        let mut parts = vec![content];
        let mut passages = passages.iter().peekable();
        for (place, file) in files.iter().enumerate() {
            while let Some(passage) = passages.next_if(|passage| passage.behind <= place) {
                parts.push(passage_of(passage));
            }
            if !is_picture(file) {
                parts.push(part::attached(place, file));
            }
        }
        parts.extend(passages.map(passage_of));
        let eight_bit = parts.iter().any(part::is_eight_bit);
        let whole = together("multipart/mixed", parts);
        if eight_bit { whole.transfer_encoding("8bit") } else { whole }
    }
}

fn passage_of(passage: &Passage) -> MimePart<'_> {
    said(passage.text.as_deref(), passage.html.as_deref())
}

/// A text in the forms it has.
fn said<'a>(text: Option<&'a str>, html: Option<&'a str>) -> MimePart<'a> {
    let plain = text.map(|text| {
        let kind = ContentType::new("text/plain").attribute("charset", "utf-8").attribute("format", "flowed");
        MimePart::new(kind, flowed::encode(&speakable(text)))
    });
    let html = html.map(|html| {
        MimePart::new(ContentType::new("text/html").attribute("charset", "utf-8"), speakable(html))
    });
    together("multipart/alternative", [plain, html].into_iter().flatten().collect())
}

/// Several parts in one; a single one stays what it is.
fn together<'a>(kind: &'static str, mut parts: Vec<MimePart<'a>>) -> MimePart<'a> {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            MimePart::new(kind, BodyPart::Multipart(parts))
        }
    }
}

fn list(addresses: &[NamedAddress]) -> Address<'_> {
    Address::new_list(addresses.iter().map(NamedAddress::build).collect())
}

/// Text as it may stand in a body: one kind of line end, no control characters (they would make it binary).
fn speakable(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::compose::parse;
    use proptest::prelude::*;

    fn draft() -> Draft {
        Draft {
            from: NamedAddress::parse("Åsa <asa@example.com>").unwrap(),
            message_id: "1@example.com".into(),
            date: Timestamp(0),
            letter: Letter {
                to: vec![NamedAddress::parse("\"Doe, \\\"J\\\" \" <j@example.com>").unwrap()],
                bcc: vec![NamedAddress::parse("secret@example.com").unwrap()],
                subject: "Grüße 🎉".into(),
                text: Some("Hi\n.\nthere".into()),
                html: Some("<p>Hi</p>".into()),
                files: vec![File::new("日本.pdf", "application/pdf", Content::Memory(vec![0, 1, 2].into()))],
                ..Letter::default()
            },
        }
    }

    /// The message whole; files that are not in memory are these octets.
    fn whole(draft: &Draft, elsewhere: &[u8]) -> Vec<u8> {
        for file in &draft.letter.files {
            if !matches!(file.content, Content::Memory(_)) {
                let pieces = draft.compose().unwrap();
                let (mut out, mut lines) = (Vec::new(), Base64Lines::new());
                for piece in pieces {
                    match piece {
                        Piece::Octets(octets) => out.extend_from_slice(&octets),
                        Piece::File(_) => {
                            lines.push(elsewhere, &mut out);
                            lines.finish(&mut out);
                        }
                    }
                }
                return out;
            }
        }
        draft.build().unwrap()
    }

    #[test]
    fn another_parser_reads_what_was_written() {
        let draft = draft();
        let octets = whole(&draft, b"");
        let mail = mailparse::parse_mail(&octets).unwrap();
        let field = |name: &str| {
            mail.headers.iter().find(|header| header.get_key() == name).map(mailparse::MailHeader::get_value)
        };
        assert_eq!(field("Subject").unwrap(), "Grüße 🎉");
        assert_eq!(field("From").unwrap().replace('"', ""), "Åsa <asa@example.com>");
        assert_eq!(field("Message-ID").unwrap(), "<1@example.com>");
        assert_eq!(field("Bcc"), None);
        let copy = [&draft.bcc_field().unwrap()[..], &octets].concat();
        let copy = mailparse::parse_mail(&copy).unwrap();
        assert!(copy.headers.iter().any(|header| header.get_key() == "Bcc"));
        let file = mail.subparts.last().unwrap();
        assert_eq!(file.get_content_disposition().params["filename"], "日本.pdf");
        assert_eq!(file.get_body_raw().unwrap(), [0, 1, 2]);
        assert_eq!(draft.letter.recipients(), ["j@example.com", "secret@example.com"]);
    }

    #[test]
    fn a_line_break_in_any_field_is_refused_by_name() {
        let refused = |change: fn(&mut Draft)| {
            let mut broken = draft();
            change(&mut broken);
            broken.compose().unwrap_err()
        };
        assert_eq!(
            refused(|d| d.letter.subject = "x\r\nBcc: a@b.c".into()),
            ComposeError::ControlCharacter("subject")
        );
        assert_eq!(refused(|d| d.letter.files[0].filename = "a\r\nb".into()), ComposeError::File("filename"));
        assert_eq!(
            refused(|d| d.letter.files[0].content_type = "a/b\r\nX: y".into()),
            ComposeError::File("content_type")
        );
        let empty = refused(|d| d.letter = Letter { to: d.letter.to.clone(), ..Letter::default() });
        assert_eq!(empty, ComposeError::Empty);
    }

    #[test]
    fn a_file_leaves_under_a_name_without_a_path_or_unseen_characters() {
        for (given, sent) in [
            ("../../../etc/passwd", "passwd"),
            ("a/b\\c.txt", "c.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("re\u{200b}port\u{2066}.pdf", "report.pdf"),
            ("..", "attachment"),
            ("日本 2.pdf", "日本 2.pdf"),
        ] {
            for inline in [false, true] {
                let mut draft = draft();
                draft.letter.files[0].filename = given.into();
                draft.letter.files[0].content_id = inline.then(|| "a@b".into());
                let octets = whole(&draft, b"");
                let parsed = mailparse::parse_mail(&octets).unwrap();
                let part = parsed.parts().find(|part| part.ctype.mimetype == "application/pdf").unwrap();
                let name = part.get_content_disposition().params.get("filename").cloned();
                let name = name.or_else(|| part.ctype.params.get("name").cloned()).unwrap();
                assert_eq!(name, sent);
            }
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in ["", "a", "x <a@b.c>\r\nBcc: d@e.f", "x\r\n <a@b.c>", "<>", "a@b.c, d@e.f"] {
            assert!(NamedAddress::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_file_is_the_same_wherever_it_lies(
            octets in prop::collection::vec(any::<u8>(), 0..300),
            text in "\\PC*|[\0-9\n]{0,20}",
            kind in prop::sample::select(vec!["text/plain", "application/pdf", "image/png", "multipart/mixed"]),
            inline in any::<bool>(),
        ) {
            let file = |content| File {
                content_id: inline.then(|| "a@b".into()),
                ..File::new("a\u{e9}.bin", kind, content)
            };
            let parcel = "prc_x 300 1 0000000000000000000000000000000000000000000000000000000000000000";
            let mut draft = draft();
            draft.letter.html = Some(text.clone());
            draft.letter.text = Some(text);
            let read = |draft: &Draft| {
                let message = whole(draft, &octets);
                let parsed = parse(&message);
                let files: Vec<_> = parsed.letter.files.into_iter().map(|file| match file.content {
                    Content::Memory(octets) => (file.filename, file.content_type, file.content_id, octets),
                    other => panic!("{other:?}"),
                }).collect();
                (parsed.letter.text, parsed.letter.html, files)
            };
            draft.letter.files[0] = file(Content::Memory(octets.clone().into()));
            let here = read(&draft);
            draft.letter.files[0] = file(Content::Sealed(parcel.parse().unwrap()));
            let there = read(&draft);
            prop_assert_eq!(&here.2[0].3[..], &octets[..]);
            prop_assert_eq!(here, there);
        }

        #[test]
        fn no_subject_adds_a_header_field(subject in "\\PC*|(.|\r|\n){0,80}") {
            let mut message = draft();
            message.letter.subject = subject;
            if message.compose().is_ok() {
                let octets = whole(&message, b"");
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
