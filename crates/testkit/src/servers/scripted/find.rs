//! SEARCH, as far as the server is willing.

use super::{
    Lie,
    search::{self, Sought},
    session::{Answer, Session, message_hash},
    wire::{Token, among, list},
};
use imapmcp_core::mail::{Criterion, Page};

/// A command, without what says how it is answered.
struct Question<'t> {
    extended: bool,
    within: String,
    keys: &'t [Token],
}

impl Session {
    pub(super) async fn search(&mut self, rest: &[Token]) -> Answer {
        let Question { extended, within, keys } = self.question(rest)?;
        let (_, _, known) = self.open.clone().ok_or("BAD no folder is open")?;
        let hits = match search::keys(keys) {
            Sought::Criterion(criterion) => self.hits(known, criterion).await,
            sought => self.hits_by_name(known, &sought).await,
        };
        let (hits, code) = self.found(among(&within, &hits));
        let all = if hits.is_empty() { String::new() } else { format!(" ALL {}", list(hits.clone())) };
        self.say(&if extended {
            format!("* ESEARCH (TAG \"x\") UID COUNT {}{all}", hits.len())
        } else {
            format!("* SEARCH {}", list(hits).replace(',', " "))
        });
        Ok(code)
    }

    fn question<'t>(&self, mut rest: &'t [Token]) -> Result<Question<'t>, String> {
        let features = &self.shared.features;
        let extended = rest[0].text() == "RETURN";
        if extended {
            if !features.has("ESEARCH") {
                return Err("BAD RETURN?".to_owned());
            }
            rest = &rest[rest.iter().position(|token| *token == Token::Close).unwrap() + 1..];
        }
        if rest[0].text() == "CHARSET" {
            if features.ascii_only {
                return Err("NO [BADCHARSET (US-ASCII)] no".to_owned());
            }
            rest = &rest[2..];
        }
        let mut within = "1:*".to_owned();
        if rest[0].text() == "UID" {
            within = rest[1].text();
            rest = &rest[2..];
        }
        let gmail = rest.iter().any(|token| token.text().starts_with("X-GM-"));
        if gmail && !features.has("X-GM-EXT-1") {
            return Err("BAD this is not Gmail".to_owned());
        }
        Ok(Question { extended, within, keys: rest })
    }

    /// The real places have their own UIDs; those of All Mail are asked one folder after the other.
    async fn hits(&self, known: Vec<u32>, criterion: Criterion) -> Vec<u32> {
        let criterion = match self.lie(|lie| matches!(lie, Lie::Zone(_))) {
            Some(Lie::Zone(hours)) => search::in_zone(criterion, hours * 3_600),
            _ => criterion,
        };
        let (mut hits, mut found) = (Vec::new(), Vec::<(String, Vec<u32>)>::new());
        for uid in known {
            let at = self.place(uid);
            if !found.iter().any(|(name, _)| **name == *at.folder) {
                found.push((at.folder.clone().into(), self.matches(&at.folder, &criterion).await));
            }
            let own = found.iter().find(|(name, _)| **name == *at.folder);
            if own.is_some_and(|(_, uids)| uids.contains(&at.uid)) {
                hits.push(uid);
            }
        }
        hits
    }

    /// By Gmail's identifiers.
    async fn hits_by_name(&self, known: Vec<u32>, sought: &Sought) -> Vec<u32> {
        let mut hits = Vec::new();
        for uid in known {
            let Ok(message) = self.shared.mailbox.message(&self.place(uid), 0).await else { continue };
            let is = match sought {
                Sought::Thread(id) => self.thread_hash(&message.at).await == *id,
                Sought::Message(id) => message_hash(&message) == *id,
                Sought::Criterion(_) => unreachable!("dealt with above"),
            };
            if is {
                hits.push(uid);
            }
        }
        hits
    }

    async fn matches(&self, folder: &str, criterion: &Criterion) -> Vec<u32> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = Page { limit: 200, after };
            let found = self.shared.mailbox.search(&folder.into(), criterion, &page).await.unwrap();
            all.extend(found.messages.iter().map(|message| message.uid));
            after = found.next;
            if after.is_none() {
                all.sort_unstable();
                return all;
            }
        }
    }
}
