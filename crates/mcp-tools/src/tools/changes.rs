//! What tools that change messages share: which messages, what the server said of each, and how to undo it.

use crate::{
    arguments::{Arguments, Field, Kind},
    context::{Context, Opened},
    error::ToolError,
    operations::{self, Undo},
    reference::{self, Named, Tag},
    reply::Reply,
    tools::folder,
};
use imapmcp_core::{
    id::AccountId,
    mail::{FolderName, MailError, MailErrorKind, MessageRef, Outcome, Transfer},
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// Messages of one call.
pub(crate) const MAX_MESSAGES: usize = 500;

/// `ids` of several messages.
pub(crate) const IDS: Field =
    Field::optional("ids", Kind::Texts(MAX_MESSAGES), "", "[an id from list_messages]");

/// `uids` of several messages.
pub(crate) const UIDS: Field = Field::optional("uids", Kind::Uids(MAX_MESSAGES), "", "[4711]");

/// Members of the answer to a change.
pub(crate) const OUTPUT: &[&str] = &["done", "failed", "unknown"];

/// What the server said, message by message.
pub(crate) struct Answer {
    account: AccountId,
    done: Vec<Value>,
    failed: Vec<Value>,
    unknown: Vec<Value>,
}

impl Answer {
    /// Nothing yet, of messages of this account.
    pub(crate) fn new(account: &AccountId) -> Self {
        Self { account: account.clone(), done: Vec::new(), failed: Vec::new(), unknown: Vec::new() }
    }

    /// Of a change within a folder.
    pub(crate) fn take(&mut self, folder: &str, outcome: &Outcome) {
        self.take_placed(folder, outcome, &HashMap::new());
    }

    /// Of a copy or a move.
    pub(crate) fn take_transfer(&mut self, folder: &str, transfer: &Transfer) {
        let placed: HashMap<u32, &MessageRef> = transfer.placed.iter().map(|(uid, at)| (*uid, at)).collect();
        self.take_placed(folder, &transfer.outcome, &placed);
        self.fail(
            folder,
            transfer.outcome.uid_validity,
            &transfer.originals_left,
            "copied_not_removed",
            "It was copied, but the mail server did not remove the original, which stays.",
        );
    }

    fn take_placed(&mut self, folder: &str, outcome: &Outcome, placed: &HashMap<u32, &MessageRef>) {
        let id = |uid: &u32| reference::encode(&self.account, folder, outcome.uid_validity, *uid);
        self.done.extend(outcome.done.iter().map(|uid| {
            let mut row = json!({ "id": id(uid) });
            if let Some(at) = placed.get(uid) {
                row["new_id"] = json!(reference::of(&self.account, at));
            }
            row
        }));
        self.unknown.extend(outcome.unknown.iter().map(|uid| json!({ "id": id(uid) })));
        let (validity, missing, failed) = (outcome.uid_validity, &outcome.missing, &outcome.failed);
        self.fail(folder, validity, missing, MailErrorKind::Gone.code(), "It is no longer in the folder.");
        self.fail(
            folder,
            validity,
            failed,
            MailErrorKind::Refused.code(),
            "The mail server refused; nothing was changed.",
        );
    }

    fn fail(&mut self, folder: &str, validity: u32, uids: &[u32], code: &str, hint: &str) {
        let rows = uids.iter().map(
            |uid| json!({ "id": reference::encode(&self.account, folder, validity, *uid), "code": code, "hint": hint }),
        );
        self.failed.extend(rows);
    }

    /// Whether no message was worked on yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.done.is_empty() && self.failed.is_empty() && self.unknown.is_empty()
    }

    /// One folder of several could not be worked on.
    pub(crate) fn fail_all(&mut self, place: &Place, uids: &[u32], error: &ToolError, accounts_url: &str) {
        let shown = error.to_json(accounts_url);
        let (code, hint) =
            (shown["code"].as_str().unwrap_or_default(), shown["hint"].as_str().unwrap_or_default());
        self.fail(&place.0, place.1.unwrap_or(0), uids, code, hint);
    }

    /// The answer, with the means to undo it where there are any.
    pub(crate) async fn reply(
        self,
        context: &Context<'_>,
        opened: &Opened,
        to: Option<&str>,
        undo: Option<Undo>,
    ) -> Result<Reply, ToolError> {
        let mut result = Map::new();
        result.insert("done".to_owned(), Value::Array(self.done));
        result.insert("failed".to_owned(), Value::Array(self.failed));
        result.insert("unknown".to_owned(), Value::Array(self.unknown));
        if let Some(folder) = to {
            result.insert("folder".to_owned(), json!(folder));
        }
        if let Some(undo) = undo.filter(|undo| !undo.is_empty()) {
            // the change is done: that it cannot be undone later is no failure of it
            if let Some(id) = operations::record(context, &opened.account.id, &undo).await {
                result.insert("operation_id".to_owned(), json!(id));
            }
        }
        Ok(Value::Object(result).into())
    }
}

/// A folder and the UIDVALIDITY the caller relies on.
pub(crate) type Place = (FolderName, Option<u32>);

/// The messages a call names, folder by folder.
pub(crate) type Groups = BTreeMap<Place, Vec<u32>>;

/// The messages a call names, and the account that they are of where identifiers name one.
pub(crate) async fn groups(
    context: &Context<'_>,
    arguments: &Arguments,
    folder_field: &str,
) -> Result<(Opened, Groups), ToolError> {
    let (tag, groups) = read(arguments, folder_field)?;
    Ok((context.open_for(arguments, tag.as_ref()).await?, groups))
}

/// Reads `ids`, or `folder` (under this name) and `uids`.
fn read(arguments: &Arguments, folder_field: &str) -> Result<(Option<Tag>, Groups), ToolError> {
    let (mut groups, mut tag) = (Groups::new(), None);
    for id in arguments.texts("ids") {
        let Named { account, at } = reference::decode(id).ok_or_else(|| {
            ToolError::argument(
                "ids",
                "holds something that is not an id of this server",
                "[an id from list_messages]",
            )
        })?;
        if tag.is_some() && account != tag {
            let problem = "holds messages of several accounts; call once for each account";
            return Err(ToolError::argument("ids", problem, "[ids of one account]"));
        }
        tag = account;
        groups.entry((at.folder, at.uid_validity)).or_default().push(at.uid);
    }
    let uids = arguments.uids("uids");
    if !uids.is_empty() {
        let named = arguments.text(folder_field).map_or_else(|| folder(arguments), FolderName::from);
        groups.entry((named, None)).or_default().extend(uids);
    }
    for uids in groups.values_mut() {
        uids.sort_unstable();
        uids.dedup();
    }
    // one message, named both ways, is asked for once: by its id, which says more
    let by_id = groups.clone();
    for ((folder, _), uids) in groups.iter_mut().filter(|((_, validity), _)| validity.is_none()) {
        uids.retain(|uid| {
            let named = |((own, validity), uids): (&Place, &Vec<u32>)| {
                validity.is_some() && own == folder && uids.binary_search(uid).is_ok()
            };
            !by_id.iter().any(named)
        });
    }
    groups.retain(|_, uids| !uids.is_empty());
    match groups.values().map(Vec::len).sum::<usize>() {
        0 => Err(ToolError::argument(
            "ids",
            "is missing (or give folder and uids)",
            "[an id from list_messages]",
        )),
        many if many > MAX_MESSAGES => Err(ToolError::argument(
            "ids",
            format!("and uids name more than {MAX_MESSAGES} messages"),
            "at most 500",
        )),
        _ => Ok((tag, groups)),
    }
}

/// Whether an error of one folder leaves the others to be worked on.
pub(crate) fn concerns_one_folder(error: &ToolError) -> bool {
    matches!(error, ToolError::Mail(MailError::NoFolder | MailError::Stale))
}
