//! The folders: what LIST, STATUS and SELECT show, and what came and went.

use super::{
    ALL_MAIL, Lie,
    session::{Answer, Session, no},
    wire::{Token, encode_name, nstring},
};
use imapmcp_core::mail::{Criterion, Folder, Locator, MailError, Page, Role};

impl Session {
    pub(super) async fn folders(&self) -> Vec<Folder> {
        let mut folders: Vec<_> = self.shared.mailbox.folders(true).await.unwrap().into_iter().collect();
        if self.shared.features.has("X-GM-EXT-1") {
            folders.push(Folder {
                name: ALL_MAIL.into(),
                role: Some(Role::All),
                counts: None,
                ..folders[0].clone()
            });
        }
        folders
    }

    pub(super) fn status(&mut self, folder: &Folder) {
        let counts = folder.counts.unwrap_or(imapmcp_core::mail::FolderCounts { total: 0, unread: 0 });
        let name = nstring(Some(&encode_name(&folder.name)));
        self.say(&format!("* STATUS {name} (MESSAGES {} UNSEEN {})", counts.total, counts.unread));
    }

    pub(super) async fn list(&mut self, rest: &[Token]) -> Answer {
        let extended = rest.iter().any(|token| token.text() == "RETURN");
        if extended && !self.shared.features.has("LIST-EXTENDED") {
            return Err("BAD LIST has two arguments".to_owned());
        }
        let counts = rest.iter().any(|token| token.text() == "STATUS");
        let pattern = rest.get(1).map(Token::text).unwrap_or_default();
        if pattern.is_empty() {
            self.say("* LIST (\\Noselect) \"/\" \"\"");
            return Ok(String::new());
        }
        let spells = self.lie(|lie| matches!(lie, Lie::Spells(..)));
        for folder in self.folders().await {
            if pattern != "*" && pattern != encode_name(&folder.name) {
                continue;
            }
            let mut attributes = Vec::new();
            if extended {
                attributes.push("\\Subscribed".to_owned());
                attributes.extend(folder.role.map(|role| format!("\\{}", role.as_str())));
            }
            let wire = encode_name(&folder.name);
            let wire = match &spells {
                Some(Lie::Spells(usual, own)) if *usual == wire => (*own).to_owned(),
                _ => wire,
            };
            let name = nstring(Some(&wire));
            self.say(&format!("* LIST ({}) \"/\" {name}", attributes.join(" ")));
            if counts {
                self.status(&folder);
            }
        }
        Ok(String::new())
    }

    /// RFC 3501 §6.3.9: every folder is subscribed to.
    pub(super) async fn subscriptions(&mut self) -> Answer {
        for folder in self.folders().await {
            let name = nstring(Some(&encode_name(&folder.name)));
            self.say(&format!("* LSUB () \"/\" {name}"));
        }
        Ok(String::new())
    }

    pub(super) async fn uids(&self, folder: &str) -> Result<(u32, Vec<u32>), MailError> {
        if folder == ALL_MAIL && self.shared.features.has("X-GM-EXT-1") {
            return Ok((7, self.everything().await));
        }
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = Page { limit: 200, after };
            let found = self.shared.mailbox.search(&folder.into(), &Criterion::And(vec![]), &page).await?;
            all.extend(found.messages.iter().map(|message| message.uid));
            after = found.next;
            if after.is_none() {
                all.sort_unstable();
                return Ok((found.uid_validity, all));
            }
        }
    }

    /// UIDs of everything that is somewhere.
    async fn everything(&self) -> Vec<u32> {
        let mut here = Vec::new();
        for folder in self.shared.mailbox.folders(false).await.unwrap() {
            if matches!(folder.role, Some(Role::Trash | Role::Junk)) {
                continue;
            }
            let (validity, uids) = Box::pin(self.uids(&folder.name)).await.unwrap();
            let mut everything = self.shared.everything.lock().unwrap();
            for uid in uids {
                let at = Locator { folder: folder.name.clone(), uid_validity: Some(validity), uid };
                let next = u32::try_from(everything.0.len()).unwrap() + 1;
                let (places, numbers) = &mut *everything;
                here.push(*numbers.entry(at.clone()).or_insert_with(|| {
                    places.push(at);
                    next
                }));
            }
        }
        here.sort_unstable();
        here
    }

    /// Where a message of the open folder really is.
    pub(super) fn place(&self, uid: u32) -> Locator {
        let (folder, validity, _) = self.open.as_ref().unwrap();
        if folder == ALL_MAIL {
            return self.shared.everything.lock().unwrap().0[uid as usize - 1].clone();
        }
        Locator { folder: folder.clone().into(), uid_validity: Some(*validity), uid }
    }

    pub(super) async fn select(&mut self, folder: &str) -> Answer {
        self.open = None;
        let (validity, uids) = self.uids(folder).await.map_err(no)?;
        self.say(&format!("* {} EXISTS\r\n* OK [UIDVALIDITY {validity}] x", uids.len()));
        self.open = Some((folder.to_owned(), validity, uids));
        let read_only = self.lie(|lie| matches!(lie, Lie::ReadOnly)).is_some();
        Ok(if read_only { "[READ-ONLY]" } else { "[READ-WRITE]" }.to_owned())
    }

    /// Tells the client what came and went.
    pub(super) async fn look(&mut self) {
        let Some((folder, _, known)) = self.open.clone() else { return };
        let Ok((_, now)) = self.uids(&folder).await else { return };
        for (index, _) in known.iter().enumerate().rev().filter(|(_, uid)| !now.contains(uid)) {
            self.say(&format!("* {} EXPUNGE", index + 1));
        }
        if now.iter().any(|uid| !known.contains(uid)) {
            self.say(&format!("* {} EXISTS", now.len()));
        }
        self.open.as_mut().unwrap().2 = now;
    }
}
