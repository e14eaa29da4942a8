//! The house in front of a server that can be told to lie.

use crate::house::{House, house_of};
use imapmcp_core::{
    account::{Backend, Endpoint, Login, Security},
    mail::{Criterion, MailStore, Messages, Page},
    time::Timestamp,
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{MailOptions, Timeouts, memory::MemoryMail};
use imapmcp_mcp_tools::reference;
use imapmcp_testkit::{
    FakeClock, builders,
    servers::{Features, Lie, ScriptedImap},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

const THEN: Timestamp = Timestamp(1_740_000_000_000);
/// Folders that tests use.
const FOLDERS: [&str; 4] = ["INBOX", "Projects", "Archive", "Trash"];

/// Where a message lies, and with which flags.
pub(crate) type Places = BTreeSet<(String, u32, Vec<String>)>;
/// Where each message lies, by its Message-ID.
pub(crate) type Really = BTreeMap<String, Places>;

pub(crate) struct Scripted {
    pub(crate) house: House,
    pub(crate) features: Features,
    pub(crate) server: ScriptedImap,
    memory: MemoryMail,
    demo: Login,
    delivered: AtomicI64,
}

/// The UIDs of what was delivered.
pub(crate) fn uids(messages: &[(u32, String)]) -> Vec<u32> {
    messages.iter().map(|(uid, _)| *uid).collect()
}

/// One that gives a silent server half a second.
pub(crate) async fn scripted(features: Features) -> Scripted {
    scripted_of(features, Duration::from_millis(500)).await
}

/// One that waits so long for a silent server.
pub(crate) async fn scripted_of(features: Features, silence: Duration) -> Scripted {
    let memory = MemoryMail::empty(Arc::new(FakeClock::default()));
    let demo = builders::demo_login("behind");
    let server = ScriptedImap::start(memory.mailbox(&demo), features.clone()).await;
    let mut options = MailOptions::new(Arc::new(Dialer::new(server.egress().parse().unwrap())));
    options.allow_insecure = true;
    let command = silence.max(Duration::from_secs(5));
    options.timeouts = Timeouts { silence, command, body_search: command, ..Timeouts::default() };
    let endpoint = Endpoint { host: "127.0.0.1".into(), port: server.port, security: Security::Insecure };
    let house = house_of(options, Backend::Servers { imap: endpoint.clone(), smtp: endpoint }).await;
    Scripted { house, features, server, memory, demo, delivered: AtomicI64::default() }
}

impl Scripted {
    pub(crate) fn deliver(&self, folder: &str, message: &str, second: i64) -> u32 {
        let at = THEN.plus_seconds(second);
        self.memory.deliver(&self.demo, folder, message.to_owned().into(), at).unwrap().uid
    }

    /// Delivers so many small messages, each later than the one before; UIDs and Message-IDs.
    pub(crate) fn fill(&self, folder: &str, count: usize) -> Vec<(u32, String)> {
        let one = |_| {
            let number = self.delivered.fetch_add(1, Ordering::Relaxed);
            (self.deliver(folder, &builders::small_message(number), number), format!("<m{number}@x>"))
        };
        (0..count).map(one).collect()
    }

    /// Removes all messages, past the server.
    pub(crate) async fn clear(&self) {
        let behind = self.memory.mailbox(&self.demo);
        for (folder, uid, _) in self.really().await.into_values().flatten() {
            behind.expunge(&Messages::new(folder.clone(), None, &[uid])).await.unwrap();
        }
    }

    /// What is really there, past the server.
    pub(crate) async fn really(&self) -> Really {
        let behind = self.memory.mailbox(&self.demo);
        let mut all = Really::new();
        for folder in FOLDERS {
            let mut page = Page { limit: 200, after: None };
            loop {
                let found = behind.search(&folder.into(), &Criterion::And(vec![]), &page).await.unwrap();
                for message in found.messages {
                    let id = message.envelope.message_id.unwrap_or_default();
                    let mut flags = message.flags;
                    flags.retain(|flag| flag != "\\Deleted");
                    flags.sort_unstable();
                    all.entry(id).or_default().insert((folder.to_owned(), message.uid, flags));
                }
                page.after = found.next;
                if page.after.is_none() {
                    break;
                }
            }
        }
        all
    }

    pub(crate) async fn validity(&self, folder: &str) -> u32 {
        let page = Page { limit: 1, after: None };
        self.memory.mailbox(&self.demo).list(&folder.into(), &page).await.unwrap().uid_validity
    }

    pub(crate) async fn id(&self, folder: &str, uid: u32) -> String {
        self.ids(folder, [uid]).await.remove(0)
    }

    pub(crate) async fn ids(&self, folder: &str, uids: impl IntoIterator<Item = u32>) -> Vec<String> {
        let validity = self.validity(folder).await;
        let id = |uid| reference::encode(&self.house.account.id, folder, validity, uid);
        uids.into_iter().map(id).collect()
    }

    pub(crate) async fn owner(&self, tool: &str, arguments: Value) -> Value {
        self.house.owner(tool, arguments).await
    }

    /// What a tool answers while the server lies: its result, or the error as the caller sees it.
    pub(crate) async fn lied_to(&self, lies: &[Lie], tool: &str, arguments: Value) -> Result<Value, Value> {
        self.server.lies(lies.iter().cloned());
        let answer = self.house.ask(&self.house.owner, tool, arguments).await;
        self.server.lies([]);
        answer.map_err(|error| error.to_json(&self.house.services.accounts_url))
    }

    /// All connections know what is in the folders.
    pub(crate) async fn look_around(&self) {
        self.owner("list_messages", json!({})).await;
    }
}
