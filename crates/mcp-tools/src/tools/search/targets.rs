//! Where a search looks: accounts and folders, by name, by role or all of them.

use super::DEADLINE;
use crate::{
    arguments::Arguments,
    context::{Context, Opened},
    error::ToolError,
    present,
    query::Query,
    tools::folder,
};
use futures_util::{StreamExt, stream};
use imapmcp_core::mail::{FolderName, Folders, MailError, Role};
use serde_json::{Value, json};
use std::sync::Arc;

/// Folders of one account that are searched; Junk and Trash only when named.
const MAX_FOLDERS: usize = 60;

/// Where to search.
pub(crate) struct Targets {
    /// In the order of the cursor's entries.
    pub(super) list: Vec<Target>,
    /// Accounts that could not be opened or whose folders could not be listed.
    pub(super) failed: Vec<Value>,
    /// Folders left out.
    pub(super) skipped: Vec<Value>,
    /// Whether lines name the account and the folder.
    pub(super) several: bool,
}

pub(super) struct Target {
    pub(super) opened: Arc<Opened>,
    pub(super) folder: FolderName,
}

/// Resolves `account_id`/`accounts`, `folder`/`folders` and `in:`.
pub(crate) async fn targets(
    context: &Context<'_>,
    arguments: &Arguments,
    query: &Query,
) -> Result<Targets, ToolError> {
    let mut targets = Targets { list: Vec::new(), failed: Vec::new(), skipped: Vec::new(), several: false };
    let every_account = arguments.choice("accounts") == "all";
    let opened = if every_account {
        all_accounts(context, &mut targets).await?
    } else {
        vec![context.open(arguments.text("account_id")).await?]
    };
    let named: Vec<FolderName> = match query.folders.as_slice() {
        [] => vec![folder(arguments)],
        folders => folders.iter().map(|name| name.as_str().into()).collect(),
    };
    let anywhere = |name: &str| name.eq_ignore_ascii_case("anywhere") || name.eq_ignore_ascii_case("all");
    let every_folder =
        arguments.choice("folders") == "all" || query.folders.iter().any(|name| anywhere(name));
    let plain = !every_folder && named.iter().all(FolderName::is_inbox);
    // a folder named as an argument is taken at its word; roles and "all" need the list
    let needs_list = every_folder || (!plain && !query.folders.is_empty());
    let listed = stream::iter(opened.into_iter().map(|opened| async move {
        let folders = if needs_list {
            let folders = tokio::time::timeout(DEADLINE, opened.mailbox.folders(false)).await;
            Some(folders.unwrap_or(Err(MailError::Timeout)).map_err(ToolError::Mail))
        } else {
            None
        };
        (opened, folders)
    }))
    .buffered(16)
    .collect::<Vec<_>>()
    .await;
    let only = listed.len() == 1 && !every_account;
    for (opened, folders) in listed {
        let chosen = match folders {
            None => named.clone(),
            Some(Ok(folders)) if every_folder => everywhere(&opened, folders, &mut targets.skipped),
            Some(Ok(folders)) => resolved(&named, &folders, only)?,
            Some(Err(error)) if only => return Err(error),
            Some(Err(error)) => {
                targets.failed.push(failure(context, &opened, None, &error));
                continue;
            }
        };
        let opened = Arc::new(opened);
        let of_account = chosen.into_iter().map(|folder| Target { opened: Arc::clone(&opened), folder });
        targets.list.extend(of_account);
    }
    targets.several = every_account || targets.list.len() > 1;
    Ok(targets)
}

async fn all_accounts(context: &Context<'_>, targets: &mut Targets) -> Result<Vec<Opened>, ToolError> {
    let accounts = context.services.accounts.list(&context.principal.user).await?;
    let mut opened = Vec::new();
    for account in accounts.into_iter().filter(|account| context.principal.accounts.covers(&account.id)) {
        match context.open(Some(account.id.as_str())).await {
            Ok(one) => opened.push(one),
            Err(ToolError::Unavailable) => return Err(ToolError::Unavailable),
            Err(error) => targets.failed.push(json!({
                "account": account.label, "code": error.code(), "hint": error.to_json(&context.services.accounts_url)["hint"]
            })),
        }
    }
    if opened.is_empty() && targets.failed.is_empty() {
        return Err(ToolError::NoSuchAccount);
    }
    Ok(opened)
}

/// Every folder that holds the user's own mail: All Mail alone where there is one.
fn everywhere(opened: &Opened, folders: Folders, skipped: &mut Vec<Value>) -> Vec<FolderName> {
    if let Some(all) = folders.by_role(Role::All) {
        return vec![all.name.clone()];
    }
    let mut names: Vec<(u8, FolderName)> = folders
        .into_iter()
        .filter(|folder| folder.selectable)
        .filter(|folder| !matches!(folder.role, Some(Role::Junk | Role::Trash | Role::Flagged)))
        .map(|folder| {
            let first = match folder.role {
                Some(Role::Inbox) => 0,
                Some(Role::Sent | Role::Archive) => 1,
                _ => 2,
            };
            (first, folder.name)
        })
        .collect();
    names.sort_by_key(|(first, _)| *first);
    if names.len() > MAX_FOLDERS {
        skipped.push(json!({
            "account": opened.account.label, "folders": names.len() - MAX_FOLDERS, "why": "too many folders; name one"
        }));
        names.truncate(MAX_FOLDERS);
    }
    names.into_iter().map(|(_, name)| name).collect()
}

/// Folders by name, or by role where none has the name.
fn resolved(named: &[FolderName], folders: &Folders, only: bool) -> Result<Vec<FolderName>, ToolError> {
    let mut found = Vec::new();
    for name in named {
        let by_name = folders.named(name);
        let by_role = || {
            folders.iter().find(|folder| {
                folder.role.is_some_and(|role| role.as_str().eq_ignore_ascii_case(name))
                    || folder.name.eq_ignore_ascii_case(name)
            })
        };
        match by_name.or_else(by_role) {
            Some(folder) => found.push(folder.name.clone()),
            None if only => return Err(ToolError::Mail(MailError::NoFolder)),
            None => {}
        }
    }
    found.dedup();
    Ok(found)
}

pub(super) fn failure(
    context: &Context<'_>,
    opened: &Opened,
    folder: Option<&str>,
    error: &ToolError,
) -> Value {
    let shown = error.to_json(&context.services.accounts_url);
    let mut row = json!({ "account": opened.account.label, "code": shown["code"], "hint": shown["hint"] });
    if let Some(folder) = folder {
        row["folder"] = json!(present::shorten(folder, 100));
    }
    row
}
