//! A message as an IMAP server describes it without its body.

use super::MessageRef;
use crate::time::Timestamp;
use bytes::Bytes;

/// ENVELOPE, FLAGS, INTERNALDATE, RFC822.SIZE and BODYSTRUCTURE of one message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// UID.
    pub uid: u32,
    /// INTERNALDATE; `None` if the server's could not be read.
    pub internal_date: Option<Timestamp>,
    /// FLAGS.
    pub flags: Vec<String>,
    /// RFC822.SIZE in octets.
    pub size: u64,
    /// ENVELOPE.
    pub envelope: Envelope,
    /// Leaf parts of BODYSTRUCTURE in order; empty if the server's could not be read.
    pub parts: Vec<Part>,
}

/// ENVELOPE, text as it came: encoded words are still encoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// Date field.
    pub date: Option<String>,
    /// Subject field.
    pub subject: Option<String>,
    /// From.
    pub from: Vec<Address>,
    /// Sender.
    pub sender: Vec<Address>,
    /// Reply-To.
    pub reply_to: Vec<Address>,
    /// To.
    pub to: Vec<Address>,
    /// Cc.
    pub cc: Vec<Address>,
    /// Bcc.
    pub bcc: Vec<Address>,
    /// In-Reply-To.
    pub in_reply_to: Option<String>,
    /// Message-ID, with its angle brackets.
    pub message_id: Option<String>,
}

/// One address of an ENVELOPE.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// Display name, encoded words still encoded.
    pub name: Option<String>,
    /// `local@host`, or whatever of it the server gave.
    pub email: String,
}

/// One leaf part of a BODYSTRUCTURE.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// Section number for BODY[…], such as `1` or `2.1`; `TEXT`, or a stretch of it such as `TEXT<7.3>` (start and length in
    /// octets), of a message that the server cannot take apart.
    pub section: String,
    /// Media type in lower case, such as `text/plain`.
    pub media_type: String,
    /// Content-Type parameters, names as they came.
    pub parameters: Vec<(String, String)>,
    /// Content-ID, with its angle brackets.
    pub content_id: Option<String>,
    /// Content-Transfer-Encoding in lower case; `7bit` if the server gave none.
    pub encoding: String,
    /// Octets on the wire (encoded).
    pub size: u64,
    /// Content-Disposition in lower case.
    pub disposition: Option<String>,
    /// Content-Disposition parameters, names as they came.
    pub disposition_parameters: Vec<(String, String)>,
    /// Subtype of the multipart that it stands in, in lower case, such as `alternative`; `None` where that is not known.
    pub multipart: Option<String>,
}

impl Part {
    /// A Content-Type parameter, by name without case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        find(&self.parameters, name)
    }

    /// A Content-Disposition parameter, by name without case.
    pub fn disposition_parameter(&self, name: &str) -> Option<&str> {
        find(&self.disposition_parameters, name)
    }
}

fn find<'a>(list: &'a [(String, String)], name: &str) -> Option<&'a str> {
    list.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// One message: its summary, its header section and the beginning of its text, octets as the server gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Exact reference.
    pub at: MessageRef,
    /// ENVELOPE, FLAGS, BODYSTRUCTURE and so on.
    pub summary: Summary,
    /// `BODY[HEADER]`.
    pub header: Bytes,
    /// The first octets of `BODY[TEXT]`, as many as were asked for.
    pub beginning: Bytes,
    /// Whether the header is longer than what is kept of it: `header` is its beginning, and fields may be missing.
    pub header_cut: bool,
}
