//! The promises of a mailbox, and their price.

use crate::house::House;
use imapmcp_core::{account::Security, mail::MailStore};
use imapmcp_testkit::{
    contract::{
        self,
        mail::{Abilities, Counted, FOLDERS, Stage},
    },
    proxy::Proxy,
    servers::Kind,
};
use std::sync::Mutex;

/// What a server cannot do, and why the contract does not ask for it.
const fn abilities(kind: Kind) -> Abilities {
    match kind {
        // A folder's name may hold no quote and no backslash (`NO Invalid mailbox name`), and THREADID, which it gives each
        // message, follows References alone.
        Kind::Cyrus | Kind::CyrusBelowInbox => Abilities { quotes: false, subjects: false, ..Abilities::ALL },
        Kind::Courier => Abilities::ALL,
    }
}

/// Over each of these ways; those of `only_tried` are only logged in on.
async fn keeps_the_contract(kind: Kind, ways: &[(&str, Security)], only_tried: &[(&str, Security)]) {
    let Some(house) = House::start(kind) else { return };
    for (name, security) in only_tried {
        let opened = house.open(name, *security, None);
        opened.mail.probe(&opened.account).await.unwrap();
    }
    for (name, security) in ways {
        let opened = house.open(name, *security, None);
        opened.mail.probe(&opened.account).await.unwrap();
        let abilities = abilities(kind);
        let named: Vec<_> = FOLDERS.into_iter().filter(|folder| abilities.names(folder)).collect();
        house.furnish(&*opened.mailbox, &named).await;
        let deliver = |folder: &str, message: &str, at| house.deliver(&opened.login, folder, message, at);
        contract::mail::mailbox(Stage { mailbox: &*opened.mailbox, deliver: &deliver, abilities }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cyrus_keeps_the_contract() {
    keeps_the_contract(Kind::Cyrus, &[("tls", Security::Tls), ("starttls", Security::StartTls)], &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cyrus_with_folders_below_inbox_keeps_the_contract() {
    keeps_the_contract(Kind::CyrusBelowInbox, &[("clear", Security::Insecure)], &[]).await;
}

/// Every removal of a folder takes Courier two seconds.
#[tokio::test(flavor = "multi_thread")]
async fn courier_keeps_the_contract() {
    let others = [("starttls", Security::StartTls), ("clear", Security::Insecure)];
    keeps_the_contract(Kind::Courier, &[("tls", Security::Tls)], &others).await;
}

async fn costs_few_round_trips(kind: Kind, many: u32) {
    let Some(house) = House::start(kind) else { return };
    let proxy = Proxy::recording(house.server.imap_port);
    let furnished = house.open("ada", Security::Insecure, None);
    house.furnish(&*furnished.mailbox, &[]).await;
    let opened = house.open("ada", Security::Insecure, Some(proxy.port));
    let deliver = |folder: &str, message: &str, at| house.deliver(&opened.login, folder, message, at);
    let stage = Stage { mailbox: &*opened.mailbox, deliver: &deliver, abilities: abilities(kind) };
    let heard = Mutex::new(0);
    let commands = || {
        let all = proxy.dialogues().concat();
        let text = String::from_utf8_lossy(&all);
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let before = std::mem::replace(&mut *heard.lock().unwrap(), lines.len());
        lines[before..].to_vec()
    };
    let turns = || proxy.turns();
    contract::mail::round_trips_are_few(Counted { stage, turns: &turns, commands: &commands }, many).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cyrus_is_asked_sparingly() {
    costs_few_round_trips(Kind::Cyrus, 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn courier_is_asked_sparingly() {
    costs_few_round_trips(Kind::Courier, 100).await;
}
