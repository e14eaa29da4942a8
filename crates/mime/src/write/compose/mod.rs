//! A person's words to a message (RFC 5322, RFC 2045–2049, RFC 2231), by `mail-builder`.
//!
//! Every string is checked before it reaches the builder: a field that carries a line break or NUL is refused by
//! name, whatever the builder would do with it.

mod address;
mod body;
mod declarations;
mod draft;
mod encoded;
mod error;
mod fields;
mod file;
mod flowed;
mod html;
mod letter;
mod lines;
mod markdown;
mod parse;
mod part;
mod reply;
mod safe;

pub use address::NamedAddress;
pub(crate) use body::as_markdown;
pub use body::{Body, Signature};
pub use draft::Draft;
pub use encoded::encoded_words;
pub use error::{ComposeError, MAX_ATTACHMENTS, MAX_RECIPIENTS};
pub(crate) use fields::is_own as is_own_field;
pub use file::File;
pub use html::sanitised;
pub use letter::{Letter, Passage};
pub use lines::{Base64Lines, encoded_length};
pub(crate) use parse::is_text;
pub use parse::{Parsed, file_of, parse};
pub use part::{Piece, parameters};
pub use reply::{Answer, Quoted, answer, forward_subject, forwarded, quoted, reply_subject};
