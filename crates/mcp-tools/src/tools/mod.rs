//! One file per tool: what it is (`SPEC`) and what it does (`run`).

pub(crate) mod answer;
pub(crate) mod bulk;
pub(crate) mod create_upload;
pub(crate) mod drafts;
pub(crate) mod find_contact;
pub(crate) mod flags;
pub(crate) mod folders;
pub(crate) mod get_attachment;
pub(crate) mod get_message;
pub(crate) mod get_thread;
pub(crate) mod list_accounts;
pub(crate) mod list_folders;
pub(crate) mod list_messages;
pub(crate) mod outbox;
pub(crate) mod read_attachment;
pub(crate) mod search_messages;
pub(crate) mod send_message;
pub(crate) mod transfer;
pub(crate) mod undo;

pub(crate) mod changes;
pub(crate) mod letter;
pub(crate) mod search;

use crate::{
    arguments::{Arguments, Field, Kind},
    error::ToolError,
    reference::{self, Named},
};
use imapmcp_core::mail::{FolderName, Locator};
use imapmcp_mime::budget::OCTETS_PER_TOKEN;

/// `account_id`, the same everywhere.
pub(crate) const ACCOUNT: Field =
    Field::optional("account_id", Kind::Text(100), "", "\"acc_…\" from list_accounts");

/// `folder`, INBOX when left out.
pub(crate) const FOLDER: Field = Field::optional("folder", Kind::Text(1000), "", "\"INBOX\"");

/// `limit` of lists.
pub(crate) const LIMIT: Field =
    Field::optional("limit", Kind::Integer { min: 1, max: 200, default: Some(50) }, "", "50");

/// `cursor` of lists.
pub(crate) const CURSOR: Field =
    Field::optional("cursor", Kind::Text(4000), "", "the next_cursor of the answer before");

/// `max_tokens` of every read.
pub(crate) const MAX_TOKENS: Field =
    Field::optional("max_tokens", Kind::Integer { min: 300, max: 20_000, default: Some(6000) }, "", "6000");

/// `id` of one message.
pub(crate) const ID: Field = Field::optional("id", Kind::Text(2000), "", "an id from list_messages");

/// `uid` of one message.
pub(crate) const UID: Field =
    Field::optional("uid", Kind::Integer { min: 1, max: u32::MAX, default: None }, "", "4711");

/// `attachment_index` of one attachment.
pub(crate) const INDEX: Field =
    Field::required("attachment_index", Kind::Integer { min: 0, max: 10_000, default: None }, "", "0");

/// The folder a call names.
pub(crate) fn folder(arguments: &Arguments) -> FolderName {
    arguments.text("folder").map_or_else(FolderName::inbox, FolderName::from)
}

/// Octets a read may answer with.
pub(crate) fn octets(arguments: &Arguments) -> usize {
    arguments.integer("max_tokens") as usize * OCTETS_PER_TOKEN
}

/// Where a text goes on, as `omitted.cursor` said.
pub(crate) fn offset(arguments: &Arguments) -> Result<usize, ToolError> {
    arguments.text("cursor").map_or(Ok(0), |text| {
        text.parse().map_err(|_| {
            ToolError::argument(
                "cursor",
                "is not a cursor of this server",
                "the omitted.cursor of the answer before",
            )
        })
    })
}

/// A message that a call names by an identifier in `field`.
pub(crate) fn named(field: &str, id: &str) -> Result<Named, ToolError> {
    reference::decode(id)
        .ok_or_else(|| ToolError::argument(field, "is not an id of this server", "an id from list_messages"))
}

/// The one message a call names by `id` or by `folder` and `uid`.
pub(crate) fn one_message(arguments: &Arguments) -> Result<Named, ToolError> {
    if let Some(id) = arguments.text("id") {
        return named("id", id);
    }
    match arguments.integer("uid") {
        0 => {
            Err(ToolError::argument("id", "is missing (or give folder and uid)", "an id from list_messages"))
        }
        uid => {
            let at = Locator { folder: folder(arguments), uid_validity: None, uid };
            Ok(Named { account: None, at })
        }
    }
}
