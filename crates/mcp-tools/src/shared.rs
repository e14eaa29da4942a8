//! Arguments that many tools take, and what they mean.

use crate::{
    arguments::{Arguments, Integer, Number, RequiredNumber, Text},
    error::ToolError,
    reference::{self, Named},
};
use imapmcp_core::mail::{FolderName, Locator};
use imapmcp_mime::budget::OCTETS_PER_TOKEN;

/// `account_id`, the same everywhere.
pub(crate) const ACCOUNT: Text =
    Text::new("account_id", 100, "\"acc_…\" from list_accounts").about("id or label");

/// `folder`, INBOX when left out.
pub(crate) const FOLDER: Text = Text::new("folder", 1000, "\"INBOX\"");

/// `limit` of lists.
pub(crate) const LIMIT: Integer = Integer::new("limit", 1, 200, 50, "50");

/// How days are written.
pub(crate) const DATE: &str = "2026-11-22 or RFC 3339";

/// `account_id` of tools that name messages by `id` or `ids`, which name their account too.
pub(crate) const ACCOUNT_OF_UIDS: Text = ACCOUNT.unlisted();

/// `folder` of `uid` and `uids`.
pub(crate) const FOLDER_OF_UIDS: Text = FOLDER.unlisted();

/// `cursor` of lists.
pub(crate) const CURSOR: Text =
    Text::new("cursor", 4000, "the next_cursor of the answer before").about("next_cursor");

/// `cursor` of texts.
pub(crate) const TEXT_CURSOR: Text =
    Text::new("cursor", 20, "the omitted.cursor of the answer before").about("omitted.cursor");

/// `max_tokens` of every read.
pub(crate) const MAX_TOKENS: Integer = Integer::new("max_tokens", 300, 20_000, 6000, "6000");

/// `id` of one message.
pub(crate) const ID: Text = Text::new("id", 2000, "an id from list_messages").about("of a list");

/// `uid` of one message of a folder, as the original names it; the model is shown `id`, which says more.
pub(crate) const UID: Number = Number::new("uid", 1, u32::MAX, "4711").unlisted();

/// `attachment_index` of one attachment.
pub(crate) const INDEX: RequiredNumber = Number::new("attachment_index", 0, 10_000, "0").required();

/// The folder a call names.
pub(crate) fn folder(arguments: &Arguments) -> FolderName {
    arguments.get(&FOLDER).map_or_else(FolderName::inbox, FolderName::from)
}

/// Octets a read may answer with.
pub(crate) fn octets(arguments: &Arguments) -> usize {
    arguments.get(&MAX_TOKENS) as usize * OCTETS_PER_TOKEN
}

/// Where a text goes on, as `omitted.cursor` said.
pub(crate) fn offset(arguments: &Arguments) -> Result<usize, ToolError> {
    arguments
        .get(&TEXT_CURSOR)
        .map_or(Ok(0), |text| text.parse().map_err(|_| TEXT_CURSOR.wrong("is not a cursor of this server")))
}

/// A message that a call names by an identifier.
pub(crate) fn named(argument: &Text, id: &str) -> Result<Named, ToolError> {
    reference::decode(id).ok_or_else(|| argument.wrong("is not an id of this server"))
}

/// The one message a call names by `id`.
pub(crate) fn message_by_id(arguments: &Arguments) -> Result<Named, ToolError> {
    arguments.get(&ID).map_or_else(|| Err(no_message()), |id| named(&ID, id))
}

/// The one message a call names by `id` or by `folder` and `uid`.
pub(crate) fn one_message(arguments: &Arguments) -> Result<Named, ToolError> {
    if let Some(id) = arguments.get(&ID) {
        return named(&ID, id);
    }
    let uid = arguments.get(&UID).ok_or_else(no_message)?;
    let at = Locator { folder: folder(arguments), uid_validity: None, uid };
    Ok(Named { account: None, at })
}

fn no_message() -> ToolError {
    ID.wrong("is missing (or give folder and uid)")
}
