//! What the server does wrong, once it is told to: by name, on every connection, until it is told otherwise.

use super::{
    lie::{Lie, Refuses},
    session::{Answer, Session},
    wire::{Token, list},
};
use imapmcp_core::mail::Messages;
use tokio::io::AsyncReadExt;

impl Session {
    /// The lie of this kind, if it is told.
    pub(super) fn lie(&self, is: impl Fn(&Lie) -> bool) -> Option<Lie> {
        self.shared.lies.lock().unwrap().iter().find(|lie| is(lie)).cloned()
    }

    fn lies(&self, own: &Lie) -> bool {
        self.lie(|lie| lie == own).is_some()
    }

    /// What is answered instead of obeying; `None` ends the connection.
    pub(super) async fn instead(&mut self, verb: &str, tokens: &[Token]) -> Option<Option<Answer>> {
        let ok = || Some(Some(Ok(String::new())));
        let quiet = self.lie(|lie| matches!(lie, Lie::Silent(own) | Lie::Mutes(own) if *own == verb));
        if let Some(lie) = quiet {
            self.send().await?;
            if matches!(lie, Lie::Mutes(_)) {
                let _ = self.obey(tokens).await;
            }
            // until the client gives up
            self.stream.read_to_end(&mut Vec::new()).await.ok()?;
            return None;
        }
        let ends = self.lie(|lie| matches!(lie, Lie::Dies(own) | Lie::Drops(own) if *own == verb));
        if let Some(lie) = ends {
            if matches!(lie, Lie::Dies(_)) {
                let _ = self.obey(tokens).await;
            }
            return None;
        }
        if let Some(lie) = self.lie(|lie| matches!(lie, Lie::Vanishes(own) if *own == verb)) {
            self.shared.lies.lock().unwrap().retain(|own| *own != lie);
            self.vanish().await;
        }
        if self.lie(|lie| matches!(lie, Lie::Halves(own) if *own == verb)).is_some() {
            let named = self.named(&tokens[2].text(), true).ok()?;
            if named.len() > 1 {
                let half = named.iter().take(named.len() / 2).map(|(_, uid)| *uid);
                let tokens = [&tokens[..2], &[Token::Atom(list(half))], &tokens[3..]].concat();
                let _ = self.obey(&tokens).await;
            }
            return Some(Some(Err("NO not all of them".to_owned())));
        }
        if self.lie(|lie| matches!(lie, Lie::Floods(own) if *own == verb)).is_some() {
            loop {
                self.say(&"* OK still here\r\n* 7 EXISTS\r\n".repeat(1_000));
                self.send().await?;
            }
        }
        if let Some(Lie::Refuses(_, code)) =
            self.lie(|lie| matches!(lie, Lie::Refuses(own, _) if *own == verb))
        {
            return Some(Some(Err(format!("NO {code} no"))));
        }
        if self.lie(|lie| matches!(lie, Lie::Misunderstands(own) if *own == verb)).is_some() {
            return Some(Some(Err("BAD what?".to_owned())));
        }
        let read_only = self.lies(&Lie::ReadOnly);
        match verb {
            "MOVE" | "COPY" if read_only => ok(),
            "MOVE" if self.lies(&Lie::MovesNothing) => ok(),
            "COPY" if self.lies(&Lie::CopiesNothing) => ok(),
            "MOVE" if self.lies(&Lie::MovesHalfWay) => {
                let copy = [&tokens[..1], &[Token::Atom("COPY".to_owned())], &tokens[2..]].concat();
                let _ = self.obey(&copy).await;
                Some(Some(Err("NO they cannot be removed".to_owned())))
            }
            "MOVE" if self.lies(&Lie::MovesOnPaper) => {
                let named = self.named(&tokens[2].text(), true).ok()?;
                let old: Vec<u32> = named.into_iter().map(|(_, uid)| uid).collect();
                let new = old.iter().map(|uid| uid + 1_000).collect();
                let code = self.copyuid(9, old, new);
                self.say(&format!("* OK {code} moved"));
                ok()
            }
            "STORE" if self.lies(&Lie::StoresNothing) => ok(),
            "STORE" if read_only || self.lies(&Lie::StoresOnPaper) => {
                let flags: Vec<String> =
                    tokens[4..].iter().map(Token::text).filter(|flag| !flag.is_empty()).collect();
                for (sequence, uid) in self.named(&tokens[2].text(), true).ok()? {
                    self.say(&format!("* {sequence} FETCH (UID {uid} FLAGS ({}))", flags.join(" ")));
                }
                ok()
            }
            "EXPUNGE" if read_only || self.lies(&Lie::ExpungesNothing) => ok(),
            _ => Some(None),
        }
    }

    /// What is said besides, before the answer.
    pub(super) async fn besides(&mut self, verb: &str) {
        let known = self.open.as_ref().map_or(0, |(_, _, uids)| uids.len());
        if self.lies(&Lie::Jumps) {
            self.say(&format!("* 4000000000 EXISTS\r\n* 0 EXISTS\r\n* {known} EXISTS"));
        }
        if verb == "NOOP" && self.lies(&Lie::Arrives) {
            let folder = self.open.as_ref().map(|(folder, _, _)| folder.clone());
            if let Some(folder) = folder {
                let message = "Subject: just now\r\n\r\nx\r\n".to_owned();
                self.shared.mailbox.append(&folder.into(), message.into(), &[]).await.unwrap();
                self.look().await;
            }
        }
        if self.lies(&Lie::TellsOfOthers) {
            self.say("* 1 FETCH (UID 4242 FLAGS (\\Seen \\Deleted) RFC822.SIZE 1 INTERNALDATE \"1-Jan-2030 00:00:00 +0000\")");
            self.say("* 77 FETCH (FLAGS ())");
        }
        if self.lie(|lie| matches!(lie, Lie::Rebuilds(own) if *own == verb)).is_some() {
            self.say("* OK [UIDVALIDITY 4711] rebuilt");
        }
        if self.lie(|lie| matches!(lie, Lie::Nests(own) if *own == verb)).is_some() {
            let deep = 200_000;
            self.say(&format!("* 1 FETCH (BODYSTRUCTURE {}{})", "(".repeat(deep), ")".repeat(deep)));
            self.say(&format!("* 1 FETCH (BODYSTRUCTURE {}", "(".repeat(deep)));
        }
    }

    /// Whether the connection ends behind the answer to this command.
    pub(super) fn hangs_up(&self, verb: &str) -> bool {
        self.lie(|lie| matches!(lie, Lie::HangsUp(own) if *own == verb)).is_some()
    }

    async fn vanish(&mut self) {
        let Some((folder, validity, known)) = &self.open else { return };
        if let Some(first) = known.first() {
            let gone = self
                .shared
                .mailbox
                .expunge(&Messages::new(folder.as_str(), Some(*validity), &[*first]))
                .await;
            gone.unwrap();
        }
    }

    /// How a FETCH of a message's summary is refused, and with which code.
    pub(super) fn unfetchable(&self, uid: u32) -> Option<(Refuses, &'static str)> {
        match self.lie(|lie| matches!(lie, Lie::Unfetchable(own, ..) if *own == uid)) {
            Some(Lie::Unfetchable(_, how, code)) => Some((how, code)),
            _ => None,
        }
    }

    /// The messages a command comes to, and the code that tells it.
    pub(super) fn limited(&self, mut named: Vec<(u32, u32)>) -> (Vec<(u32, u32)>, String) {
        let Some(Lie::Limits(limit)) = self.lie(|lie| matches!(lie, Lie::Limits(_))) else {
            return (named, String::new());
        };
        let surplus = named.len().saturating_sub(limit);
        named.drain(..surplus);
        let code = if surplus > 0 { format!("[MESSAGELIMIT {limit} {}]", named[0].1) } else { String::new() };
        (named, code)
    }

    /// What SEARCH says to have found.
    pub(super) fn found(&self, hits: Vec<u32>) -> (Vec<u32>, String) {
        let all = self.open.as_ref().map(|(_, _, uids)| uids.clone()).unwrap_or_default();
        let kind = |lie: &Lie| matches!(lie, Lie::SearchesAll | Lie::SearchesNothing | Lie::SearchesFor(_));
        let hits = match self.lie(kind) {
            Some(Lie::SearchesAll) => all,
            Some(Lie::SearchesNothing) => vec![],
            Some(Lie::SearchesFor(uids)) => uids,
            _ => hits,
        };
        let (hits, code) = self.limited(hits.into_iter().map(|uid| (0, uid)).collect());
        (hits.into_iter().map(|(_, uid)| uid).collect(), code)
    }

    /// COPYUID, as it is or not.
    pub(super) fn copyuid(&self, validity: u32, mut old: Vec<u32>, mut new: Vec<u32>) -> String {
        if self.lies(&Lie::CopyUidOfOthers) {
            old = old.iter().map(|uid| uid + 5_000).collect();
        }
        if self.lies(&Lie::CopyUidTooLong) {
            new.push(77);
        }
        if self.lies(&Lie::CopyUidTwice) {
            new = vec![new[0]; new.len()];
        }
        if self.lies(&Lie::CopyUidOfOne) {
            old.truncate(1);
            new.truncate(1);
        }
        format!("[COPYUID {validity} {} {}]", list(old), list(new))
    }
}
