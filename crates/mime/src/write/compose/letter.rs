//! What a person writes.

use super::{
    address::NamedAddress,
    error::{ComposeError, MAX_ATTACHMENTS, MAX_RECIPIENTS},
    fields,
    file::File,
    part, reply,
    safe::breaks_out,
};
use imapmcp_core::sender::Sender;

/// A text behind the first, with files between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passage {
    /// Plain text.
    pub text: Option<String>,
    /// HTML, sanitised.
    pub html: Option<String>,
    /// How many of the letter's files stand before it.
    pub behind: usize,
}

/// What a person writes: all of a message but its author, date and identifier.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    /// From: one of the account's addresses; its main one when left out.
    pub from: Option<Sender>,
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
    /// What it says behind files, in order (RFC 2046 §5.1.3).
    pub passages: Vec<Passage>,
    /// Header fields of another program that go along: name and value, unfolded.
    pub fields: Vec<(String, String)>,
    /// In-Reply-To, without angle brackets.
    pub in_reply_to: Option<String>,
    /// References, the oldest first, without angle brackets.
    pub references: Vec<String>,
}

impl Letter {
    /// Every recipient's address once.
    pub fn recipients(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for address in self.to.iter().chain(&self.cc).chain(&self.bcc) {
            if !all.iter().any(|known| known.eq_ignore_ascii_case(address.email())) {
                all.push(address.email().to_owned());
            }
        }
        all
    }

    /// Whether every field of it can be written.
    pub(super) fn check(&self) -> Result<(), ComposeError> {
        let recipients = self.to.len() + self.cc.len() + self.bcc.len();
        if recipients > MAX_RECIPIENTS {
            return Err(ComposeError::TooManyRecipients);
        }
        if breaks_out(&self.subject) || self.subject.len() > 2000 {
            return Err(ComposeError::ControlCharacter("subject"));
        }
        let is_id = |id: &String| reply::is_message_id(id);
        if !self.in_reply_to.iter().chain(&self.references).all(is_id) {
            return Err(ComposeError::ControlCharacter("references"));
        }
        if !self.fields.iter().all(|(name, value)| fields::is_fit(name, value)) {
            return Err(ComposeError::ControlCharacter("header"));
        }
        let known = self.files.iter().filter_map(|file| file.content.size());
        if known.sum::<u64>() > MAX_ATTACHMENTS as u64 {
            return Err(ComposeError::TooLarge);
        }
        for file in &self.files {
            if breaks_out(&file.filename) || file.filename.is_empty() || file.filename.len() > 255 {
                return Err(ComposeError::File("filename"));
            }
            let is_kind = |(kind, subtype)| part::is_token(kind) && part::is_token(subtype);
            let plain = file.content_type.split_once('/').is_some_and(is_kind);
            if !plain
                || file.content_type.len() > 100
                || !file.parameters.iter().all(|(name, value)| part::is_parameter(name, value))
            {
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
