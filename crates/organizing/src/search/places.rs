//! Where a search looks: folders of accounts, by name, by role or all of them.

use super::DEADLINE;
use crate::Opened;
use futures_util::{StreamExt, stream};
use imapmcp_core::mail::{Folder, FolderName, Folders, MailError, Role};
use std::sync::Arc;

/// Folders of one account that are searched; Junk and Trash only when named.
const MAX_FOLDERS: usize = 60;
/// Accounts whose folders are listed at a time.
const AT_A_TIME: usize = 16;

/// One folder of one account.
#[derive(Clone)]
pub struct Place {
    /// The account.
    pub opened: Arc<Opened>,
    /// The folder.
    pub folder: FolderName,
}

/// Which folders of each account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// These, taken at their word.
    Folders(Vec<FolderName>),
    /// These, by name or by the word of a role.
    Named(Vec<FolderName>),
    /// Every folder that holds the user's own mail: All Mail alone where there is one.
    Everywhere,
}

/// Where to search.
#[derive(Default)]
pub struct Places {
    /// The folders.
    pub list: Vec<Place>,
    /// Accounts whose folders could not be listed.
    pub failed: Vec<Failure>,
    /// Accounts of which folders were left out.
    pub skipped: Vec<Skipped>,
}

/// A place that could not be searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Label of the account.
    pub account: String,
    /// The folder; `None` if it is the account.
    pub folder: Option<FolderName>,
    /// Why.
    pub error: MailError,
}

impl Failure {
    pub(super) fn of(place: &Place, error: MailError) -> Self {
        let account = place.opened.account.label.clone();
        Self { account, folder: Some(place.folder.clone()), error }
    }
}

/// Folders left out, because there are too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Label of the account.
    pub account: String,
    /// How many.
    pub folders: usize,
}

impl Places {
    /// The folders of this scope in each account. A folder that is not there, or an account whose folders cannot be listed,
    /// is an error where the account is the `only` one that was asked for, and else left out.
    pub async fn of(accounts: Vec<Opened>, scope: &Scope, only: bool) -> Result<Self, MailError> {
        let listed = stream::iter(accounts.into_iter().map(|opened| async move {
            let folders = match scope {
                Scope::Folders(_) => None,
                Scope::Named(named) if named.iter().all(FolderName::is_inbox) => None,
                Scope::Named(_) | Scope::Everywhere => {
                    let folders = tokio::time::timeout(DEADLINE, opened.mailbox.folders(false)).await;
                    Some(folders.unwrap_or(Err(MailError::Timeout)))
                }
            };
            (opened, folders)
        }));
        let mut places = Self::default();
        for (opened, folders) in listed.buffered(AT_A_TIME).collect::<Vec<_>>().await {
            let chosen = match (folders, scope) {
                (None, Scope::Folders(named) | Scope::Named(named)) => named.clone(),
                (None, Scope::Everywhere) => Vec::new(),
                (Some(Ok(folders)), Scope::Everywhere) => places.everywhere(&opened, folders),
                (Some(Ok(folders)), Scope::Folders(named) | Scope::Named(named)) => {
                    resolved(named, &folders, only)?
                }
                (Some(Err(error)), _) if only => return Err(error),
                (Some(Err(error)), _) => {
                    let account = opened.account.label.clone();
                    places.failed.push(Failure { account, folder: None, error });
                    continue;
                }
            };
            let opened = Arc::new(opened);
            places
                .list
                .extend(chosen.into_iter().map(|folder| Place { opened: Arc::clone(&opened), folder }));
        }
        Ok(places)
    }

    fn everywhere(&mut self, opened: &Opened, folders: Folders) -> Vec<FolderName> {
        if let Some(all) = folders.by_role(Role::All) {
            return vec![all.name.clone()];
        }
        let own = |role: Option<Role>| !matches!(role, Some(Role::Junk | Role::Trash | Role::Flagged));
        let mut names: Vec<(u8, FolderName)> = folders
            .into_iter()
            .filter(|folder| folder.selectable && own(folder.role))
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
            let (account, folders) = (opened.account.label.clone(), names.len() - MAX_FOLDERS);
            self.skipped.push(Skipped { account, folders });
            names.truncate(MAX_FOLDERS);
        }
        names.into_iter().map(|(_, name)| name).collect()
    }
}

/// Folders by name, or by role where none has the name.
fn resolved(named: &[FolderName], folders: &Folders, only: bool) -> Result<Vec<FolderName>, MailError> {
    let mut found = Vec::new();
    for name in named {
        let by_role = || {
            folders.iter().find(|folder| {
                folder.role.is_some_and(|role| role.as_str().eq_ignore_ascii_case(name))
                    || folder.name.eq_ignore_ascii_case(name)
            })
        };
        // the last step of the way to it, where no other folder is called so
        let below = || {
            let ends = |folder: &&Folder| {
                let (path, name) = (folder.name.to_lowercase(), name.to_lowercase());
                folder.delimiter.is_some_and(|delimiter| path.ends_with(&format!("{delimiter}{name}")))
            };
            // one that lies less deep hides the others
            let depth = |folder: &&Folder| folder.name.matches(folder.delimiter.unwrap_or('\0')).count();
            let least = folders.iter().filter(ends).map(|folder| depth(&folder)).min();
            let mut found = folders.iter().filter(ends).filter(|folder| Some(depth(folder)) == least);
            found.next().filter(|_| found.next().is_none())
        };
        match folders.named(name).or_else(by_role).or_else(below) {
            Some(folder) => found.push(folder.name.clone()),
            None if only => return Err(MailError::NoFolder),
            None => {}
        }
    }
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(names: &[&str], delimiter: char) -> Folders {
        let folder = |name: &&str| Folder {
            name: FolderName::from(*name),
            delimiter: Some(delimiter),
            role: (*name == "INBOX.Archived").then_some(Role::Archive),
            selectable: true,
            subscribed: true,
            counts: None,
        };
        names.iter().map(folder).collect::<Vec<_>>().into()
    }

    #[test]
    fn a_folder_is_found_by_the_last_step_of_the_way_to_it() {
        let all = folders(
            &[
                "INBOX",
                "INBOX.Work",
                "INBOX.Archived",
                "INBOX.Old.Work",
                "INBOX.a.Notes",
                "INBOX.b.Notes",
                "INBOX.Homework",
            ],
            '.',
        );
        for (name, found) in [
            ("Work", Some("INBOX.Work")),
            ("work", Some("INBOX.Work")),
            ("INBOX.Work", Some("INBOX.Work")),
            ("inbox.work", Some("INBOX.Work")),
            ("Old.Work", Some("INBOX.Old.Work")),
            ("archive", Some("INBOX.Archived")),
            ("inbox", Some("INBOX")),
            // which of the two?
            ("Notes", None),
            ("ork", None),
            ("Play", None),
        ] {
            let named = [FolderName::from(name)];
            let expected = found.map(|name| vec![FolderName::from(name)]).ok_or(MailError::NoFolder);
            assert_eq!(resolved(&named, &all, true), expected, "{name}");
            assert_eq!(resolved(&named, &all, false), Ok(expected.unwrap_or_default()), "{name}");
        }
        let all = folders(&["INBOX", "INBOX/Work", "Work.d"], '/');
        assert_eq!(resolved(&["Work".into()], &all, true), Ok(vec!["INBOX/Work".into()]));
        // its own name comes before what ends in it
        let all = folders(&["Projects/Work", "Work"], '/');
        assert_eq!(resolved(&["work".into()], &all, true), Ok(vec!["Work".into()]));
    }
}
