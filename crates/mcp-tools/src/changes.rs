//! What tools that change messages share: which messages, what the server said of each, and how to undo it.

use crate::{
    arguments::{Arguments, Text, Texts, Uids},
    context::Context,
    error::ToolError,
    reference::{self, Named, Tag},
    reply::Reply,
    spec::Shows,
};
use imapmcp_core::{
    id::AccountId,
    mail::{FolderName, MailErrorKind, MessageRef, Messages, Transfer},
};
use imapmcp_organizing::{ChangeError, Changed, InFolder, Opened};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// Messages of one call.
pub(crate) const MAX_MESSAGES: usize = 500;

/// `ids` of several messages.
pub(crate) const IDS: Texts =
    Texts::new("ids", MAX_MESSAGES, "[an id from list_messages]").about("of a list");

/// `uids` of several messages of a folder, as the original names them; the model is shown `ids`, which say more.
pub(crate) const UIDS: Uids = Uids::new("uids", MAX_MESSAGES, "[4711]").unlisted();

/// Members of the answer to a change.
pub(crate) const OUTPUT: &[&str] = &["done", "failed", "unknown"];

/// One that it has where something was changed.
pub(crate) const SHOWN: &[(&str, Shows)] = &[("operation_id", Shows::Text)];

/// The answer to a change: what the server said, message by message.
pub(crate) struct Report {
    account: AccountId,
    accounts_url: String,
    done: Vec<Value>,
    failed: Vec<Value>,
    unknown: Vec<Value>,
}

impl Report {
    /// Of a change that was made; `to` is the folder that messages went to.
    pub(crate) fn of(
        context: &Context<'_>,
        opened: &Opened,
        to: Option<&FolderName>,
        changed: &Changed,
    ) -> Reply {
        let mut report = Self {
            account: opened.account.id.clone(),
            accounts_url: context.services.accounts_url.clone(),
            done: Vec::new(),
            failed: Vec::new(),
            unknown: Vec::new(),
        };
        for folder in &changed.folders {
            match folder {
                InFolder::Done { folder, transfer } => report.take(folder, transfer),
                InFolder::Failed { messages, error } => report.fail_all(messages, error),
            }
        }
        let mut result = Map::new();
        result.insert("done".to_owned(), Value::Array(report.done));
        result.insert("failed".to_owned(), Value::Array(report.failed));
        result.insert("unknown".to_owned(), Value::Array(report.unknown));
        if let Some(folder) = to {
            result.insert("folder".to_owned(), json!(folder.as_str()));
        }
        if let Some(id) = &changed.operation {
            result.insert("operation_id".to_owned(), json!(id.as_str()));
        }
        Value::Object(result).into()
    }

    fn take(&mut self, folder: &str, transfer: &Transfer) {
        let outcome = &transfer.outcome;
        let placed: HashMap<u32, &MessageRef> = transfer.placed.iter().map(|(uid, at)| (*uid, at)).collect();
        let id = |uid: &u32| reference::encode(&self.account, folder, outcome.uid_validity, *uid);
        self.done.extend(outcome.done.iter().map(|uid| {
            let mut row = json!({ "id": id(uid) });
            if let Some(at) = placed.get(uid) {
                row["new_id"] = json!(reference::of(&self.account, at));
            }
            row
        }));
        self.unknown.extend(outcome.unknown.iter().map(|uid| json!({ "id": id(uid) })));
        let mut fail = |uids: &[u32], code, hint| self.fail(folder, outcome.uid_validity, uids, code, hint);
        fail(&outcome.missing, MailErrorKind::Gone.code(), "It is no longer in the folder.");
        fail(&outcome.failed, MailErrorKind::Refused.code(), "The mail server refused; nothing was changed.");
        fail(
            &transfer.originals_left,
            "copied_not_removed",
            "It was copied, but the mail server did not remove the original, which stays.",
        );
    }

    fn fail(&mut self, folder: &str, validity: u32, uids: &[u32], code: &str, hint: &str) {
        let rows = uids.iter().map(
            |uid| json!({ "id": reference::encode(&self.account, folder, validity, *uid), "code": code, "hint": hint }),
        );
        self.failed.extend(rows);
    }

    /// The messages of one folder could not be worked on.
    fn fail_all(&mut self, messages: &Messages, error: &ChangeError) {
        let shown = ToolError::from(error.clone()).to_json(&self.accounts_url);
        let (code, hint) =
            (shown["code"].as_str().unwrap_or_default(), shown["hint"].as_str().unwrap_or_default());
        self.fail(&messages.folder, messages.uid_validity.unwrap_or(0), &messages.uids, code, hint);
    }
}

/// A folder and the UIDVALIDITY the caller relies on.
type Place = (FolderName, Option<u32>);

/// The messages a call names, folder by folder.
type Groups = BTreeMap<Place, Vec<u32>>;

/// The messages a call names, and the account that they are of where identifiers name one.
pub(crate) async fn named(
    context: &Context<'_>,
    arguments: &Arguments,
    folder: &Text,
) -> Result<(Opened, Vec<Messages>), ToolError> {
    let (tag, groups) = read(arguments, folder)?;
    let messages = |((folder, uid_validity), uids)| Messages { folder, uid_validity, uids };
    Ok((context.open_for(arguments, tag.as_ref()).await?, groups.into_iter().map(messages).collect()))
}

/// Reads `ids`, or the argument that names a folder, and `uids`.
fn read(arguments: &Arguments, folder: &Text) -> Result<(Option<Tag>, Groups), ToolError> {
    let (mut groups, mut tag) = (Groups::new(), None);
    for id in arguments.get(&IDS) {
        let Named { account, at } = reference::decode(id)
            .ok_or_else(|| IDS.wrong("holds something that is not an id of this server"))?;
        if tag.is_some() && account != tag {
            let problem = "holds messages of several accounts; call once for each account";
            return Err(ToolError::argument(IDS.name(), problem, "[ids of one account]"));
        }
        tag = account;
        groups.entry((at.folder, at.uid_validity)).or_default().push(at.uid);
    }
    let uids = arguments.get(&UIDS);
    if !uids.is_empty() {
        let named = arguments.get(folder).map_or_else(FolderName::inbox, FolderName::from);
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
        0 => Err(IDS.wrong("is missing (or give folder and uids)")),
        many if many > MAX_MESSAGES => Err(ToolError::argument(
            IDS.name(),
            format!("and uids name more than {MAX_MESSAGES} messages"),
            "at most 500",
        )),
        _ => Ok((tag, groups)),
    }
}
