//! A mailbox in memory, behind a server that can be told to lie.

use imapmcp_core::{
    account::Login,
    mail::{Criterion, MailStore, Mailbox, Outcome, Page, Transfer},
    time::Timestamp,
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions, Timeouts, memory::MemoryMail};
use imapmcp_testkit::{
    FakeClock, builders,
    servers::{Features, ScriptedImap},
};
use std::{sync::Arc, time::Duration};

pub(crate) const NEWEST: Page = Page { limit: 50, after: None };
const THEN: Timestamp = Timestamp(1_740_000_000_000);

pub(crate) struct House {
    pub(crate) memory: MemoryMail,
    pub(crate) demo: Login,
    pub(crate) server: ScriptedImap,
    pub(crate) mailbox: Arc<dyn Mailbox>,
    _mail: Mail,
}

pub(crate) async fn house(features: Features) -> House {
    house_of(features, Duration::from_millis(600)).await
}

/// One that waits so long for a silent server.
pub(crate) async fn house_of(features: Features, silence: Duration) -> House {
    let memory = MemoryMail::empty(Arc::new(FakeClock::default()));
    let demo = builders::demo_login("behind");
    let server = ScriptedImap::start(memory.mailbox(&demo), features).await;
    let mut options = MailOptions::new(Arc::new(Dialer::new(server.egress().parse().unwrap())));
    options.allow_insecure = true;
    options.timeouts =
        Timeouts { silence, command: silence.max(Duration::from_secs(5)), ..Timeouts::default() };
    let mail = Mail::new(options).unwrap();
    let mailbox = mail.mailbox(&server.login(&"acc_front".parse().unwrap(), "ada@example.org"));
    House { memory, demo, server, mailbox, _mail: mail }
}

impl House {
    pub(crate) fn deliver(&self, folder: &str, message: &str, second: i64) -> u32 {
        let at = THEN.plus_seconds(second);
        self.memory.deliver(&self.demo, folder, message.to_owned().into(), at).unwrap().uid
    }

    /// Delivers so many small messages to INBOX.
    pub(crate) fn fill(&self, count: i64) -> Vec<u32> {
        (0..count).map(|number| self.deliver("INBOX", &builders::small_message(number), number)).collect()
    }

    /// What is really in a folder, past the server.
    pub(crate) async fn really(&self, folder: &str) -> Vec<u32> {
        let behind = self.memory.mailbox(&self.demo);
        let page = Page { limit: 200, after: None };
        let found = behind.search(&folder.into(), &Criterion::And(vec![]), &page).await.unwrap();
        let mut uids: Vec<u32> = found.messages.iter().map(|message| message.uid).collect();
        uids.sort_unstable();
        uids
    }

    /// What some calls cost in round trips.
    pub(crate) async fn turns<T>(&self, work: impl Future<Output = T>) -> (T, usize) {
        let before = self.server.turns();
        let done = work.await;
        (done, self.server.turns() - before)
    }
}

/// Every message asked for stands in exactly one list.
pub(crate) fn settled(asked: &[u32], outcome: &Outcome, originals_left: &[u32], told: &str) {
    let Outcome { done, missing, failed, unknown, changed, .. } = outcome;
    let mut all = [done, missing, failed, unknown].map(Clone::clone).concat();
    all.extend(originals_left);
    all.sort_unstable();
    let mut asked = asked.to_vec();
    asked.sort_unstable();
    assert_eq!(all, asked, "{told}: {outcome:?}, left {originals_left:?}");
    assert!(changed.iter().all(|uid| done.contains(uid)), "{told}: {outcome:?}");
}

pub(crate) fn settled_transfer(asked: &[u32], transfer: &Transfer, told: &str) {
    settled(asked, &transfer.outcome, &transfer.originals_left, told);
    let places: Vec<_> = transfer.placed.iter().map(|(_, at)| at).collect();
    let distinct: std::collections::HashSet<_> = places.iter().collect();
    assert_eq!(distinct.len(), places.len(), "{told}: two messages in one place");
}
