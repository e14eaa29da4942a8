//! The same promises in front of servers that can do more, and less: the same answers, in few round trips.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_core::{
    account::Login,
    mail::{
        Criterion, Flag, FlagChange, Locator, MailStore, Mailbox, Messages, Page, ThreadScope,
        ThreadStrategy, TransferKind,
    },
    time::Timestamp,
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions, memory::MemoryMail};
use imapmcp_testkit::{
    FakeClock, builders,
    contract::{
        self,
        mail::{Abilities, Stage},
    },
    servers::{ALL_MAIL, Features, ScriptedImap},
};
use std::sync::Arc;

const THEN: Timestamp = Timestamp(1_740_000_000_000);

struct House {
    memory: MemoryMail,
    demo: Login,
    server: ScriptedImap,
    mailbox: Arc<dyn Mailbox>,
    _mail: Mail,
}

async fn house(features: Features) -> House {
    let memory = MemoryMail::empty(Arc::new(FakeClock::default()));
    let demo = builders::demo_login("behind");
    for folder in contract::mail::FOLDERS {
        memory.add_folder(&demo, folder);
    }
    let server = ScriptedImap::start(memory.mailbox(&demo), features).await;
    let mut options = MailOptions::new(Arc::new(Dialer::new(server.egress().parse().unwrap())));
    options.allow_insecure = true;
    let mail = Mail::new(options).unwrap();
    let mailbox = mail.mailbox(&server.login(&"acc_front".parse().unwrap(), "ada@example.org"));
    House { memory, demo, server, mailbox, _mail: mail }
}

impl House {
    async fn keeps_the_contract(&self, abilities: Abilities) {
        let deliver = |folder: &str, message: &str, at| {
            self.memory.deliver(&self.demo, folder, message.to_owned().into(), at).unwrap();
        };
        let stage = Stage { mailbox: &*self.mailbox, deliver: &deliver, abilities };
        contract::mail::mailbox(stage).await;
    }

    fn deliver(&self, folder: &str, headers: &str, second: i64) -> u32 {
        let message = format!("{headers}\r\nFrom: bob@example.net\r\n\r\ntext\r\n");
        let at = THEN.plus_seconds(second);
        self.memory.deliver(&self.demo, folder, message.into(), at).unwrap().uid
    }

    /// What some calls cost in round trips.
    async fn turns<T>(&self, work: impl Future<Output = T>) -> (T, usize) {
        let before = self.server.turns();
        let done = work.await;
        (done, self.server.turns() - before)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_modern_server_keeps_the_contract() {
    house(Features::modern()).await.keeps_the_contract(Abilities::ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gmail_keeps_the_contract_in_its_own_language() {
    let house = house(Features::gmail()).await;
    house.keeps_the_contract(Abilities::ALL).await;
    let commands = house.server.take_commands();
    let some = |word: &str| commands.iter().any(|command| command.contains(word));
    assert!(some("X-GM-RAW \"from:") && some("has:attachment") && some("SEARCH X-GM-THRID "));
    assert!(!some("HEADER \"References\"") && !some("multipart/mixed"));
    let at = house.deliver("INBOX", "Message-ID: <g1@x>\r\nSubject: g", 1);
    house.deliver("Archive", "Message-ID: <g2@x>\r\nReferences: <g1@x>\r\nSubject: Re: g", 2);
    let at = Locator { folder: "INBOX".into(), uid_validity: None, uid: at };
    let scope = ThreadScope { cross_folder: true, limit: 50, beginning: 4 };
    let thread = house.mailbox.thread(&at, &scope).await.unwrap();
    assert_eq!((thread.strategy, thread.messages.len()), (ThreadStrategy::Gmail, 2));
    assert_eq!(thread.messages[0].at.folder, "INBOX", "its own copy rather than that of All Mail");
    assert_eq!(thread.messages[1].at.folder, ALL_MAIL);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_can_do_nothing_more_than_it_must_gives_the_same_answers() {
    let house = house(Features::bare()).await;
    let abilities = Abilities { uidplus: false, unicode: false };
    house.keeps_the_contract(abilities).await;
    let commands = house.server.take_commands();
    let refused = ["UID MOVE", "EXPUNGE", "RETURN", "X-GM-"];
    let tried = commands.iter().find(|command| refused.iter().any(|word| command.contains(word)));
    assert_eq!(tried, None, "what is not offered is not tried");
    let charsets = commands.iter().filter(|command| command.contains("CHARSET")).count();
    assert_eq!(charsets, 1, "what was refused once is not tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_capability_may_be_missing_by_itself() {
    for missing in ["MOVE", "ESEARCH", "LIST-STATUS", "LITERAL+", "SASL-IR", "ID"] {
        house(Features::modern().without(missing)).await.keeps_the_contract(Abilities::ALL).await;
    }
    let plain = Abilities { uidplus: false, ..Abilities::ALL };
    house(Features::modern().without("UIDPLUS").without("MOVE")).await.keeps_the_contract(plain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn round_trips_are_few() {
    let modern = Features::modern();
    for (features, many) in [(modern.clone(), 600), (modern.without("MOVE"), 100), (Features::gmail(), 60)] {
        let house = house(features).await;
        let mut uids = Vec::new();
        for number in 0..many {
            uids.push(house.deliver(
                "INBOX",
                &format!("Message-ID: <n{number}@x>\r\nSubject: n{number}"),
                number,
            ));
        }
        for number in 0..20 {
            let folder = ["INBOX", "Sent", "Archive"][number % 3];
            let refs: Vec<_> = (0..number).map(|one| format!("<t{one}@x>")).collect();
            let refs =
                if number == 0 { String::new() } else { format!("References: {}\r\n", refs.join(" ")) };
            let headers = format!("Message-ID: <t{number}@x>\r\n{refs}Subject: long");
            house.deliver(folder, &headers, 1_000 + i64::try_from(number).unwrap());
        }
        let mailbox = &house.mailbox;
        let page = Page { limit: 50, after: None };
        mailbox.folders(false).await.unwrap();
        let (folders, turns) = house.turns(mailbox.folders(false)).await;
        assert_eq!((folders.unwrap().len() > 2, turns), (true, 1), "all folders with roles and subscriptions");
        let at = |uid| Locator { folder: "INBOX".into(), uid_validity: None, uid };
        let (message, turns) = house.turns(mailbox.message(&at(uids[0]), 100)).await;
        assert_eq!(
            (message.unwrap().beginning.len(), turns),
            (6, 1),
            "a message of a folder that is not open"
        );
        let (_, turns) = house.turns(mailbox.list(&"INBOX".into(), &page)).await;
        assert!(turns <= 2, "the first list learns the order in the same flight: {turns}");
        let mut listing = mailbox.list(&"INBOX".into(), &page).await.unwrap();
        for _ in 0..2 {
            let (again, turns) = house.turns(mailbox.list(&"INBOX".into(), &page)).await;
            assert_eq!((again.as_ref(), turns), (Ok(&listing), 1), "a warm list, the same of messages known");
            listing = again.unwrap();
        }
        assert_eq!(listing.total as usize, uids.len() + 7);
        let (older, turns) =
            house.turns(mailbox.list(&"INBOX".into(), &Page { after: listing.next, ..page.clone() })).await;
        assert!(
            older.unwrap().messages[0].uid < listing.messages.last().unwrap().uid && turns == 1,
            "the next page"
        );
        uids.push(house.deliver("INBOX", "Message-ID: <new@x>\r\nSubject: just now", 2_000));
        house.server.take_commands();
        let (listing, turns) = house.turns(mailbox.list(&"INBOX".into(), &page)).await;
        let (listing, commands) = (listing.unwrap(), house.server.take_commands());
        assert_eq!((listing.messages[0].uid, turns), (*uids.last().unwrap(), 1), "a list with a new message");
        assert_eq!(listing.messages[0].envelope.subject.as_deref(), Some("just now"));
        assert!(listing.messages.iter().all(|message| message.envelope.message_id.is_some()));
        assert!(commands.iter().any(|command| command.contains(":* (UID FLAGS INTERNALDATE RFC822.SIZE)")));
        mailbox.list(&"Sent".into(), &page).await.unwrap();
        let (_, turns) = house.turns(mailbox.list(&"INBOX".into(), &page)).await;
        assert_eq!(turns, 1, "a list of a folder that was open before");
        let newest = mailbox.list(&"INBOX".into(), &page).await.unwrap().messages[1].uid;
        let (_, turns) = house.turns(mailbox.message(&at(newest), 100)).await;
        assert_eq!(turns, 1, "a warm message");
        let (found, turns) =
            house.turns(mailbox.search(&"INBOX".into(), &Criterion::Subject("n5".into()), &page)).await;
        assert!(found.unwrap().total > 0);
        assert_eq!(turns, 2, "a search");
        let scope = ThreadScope { cross_folder: true, limit: 50, beginning: 100 };
        let (thread, turns) = house.turns(mailbox.thread(&at(newest), &scope)).await;
        assert_eq!(thread.unwrap().messages.len(), 20);
        assert!(turns <= 3, "a conversation over three folders took {turns}");
        let seen = FlagChange { add: vec![Flag::seen()], remove: vec![] };
        mailbox.list(&"INBOX".into(), &page).await.unwrap();
        let (_, turns) = house
            .turns(mailbox.change_flags(&Messages::new("INBOX", None, &uids[..uids.len().min(500)]), &seen))
            .await;
        assert_eq!(turns, 1, "five hundred flags");
        mailbox.list(&"Sent".into(), &page).await.unwrap();
        let (_, turns) =
            house.turns(mailbox.change_flags(&Messages::new("INBOX", None, &uids[..50]), &seen)).await;
        assert_eq!(turns, 1, "flags in a folder that is not open");
        let scattered: Vec<_> = uids.iter().copied().filter(|uid| uid % 7 != 0).take(500).collect();
        mailbox.list(&"Sent".into(), &page).await.unwrap();
        house.server.take_commands();
        let (messages, archive) = (Messages::new("INBOX", None, &scattered), "Archive".into());
        let moved = mailbox.transfer(&messages, &archive, TransferKind::Move);
        let (moved, turns) = house.turns(moved).await;
        let moved = moved.unwrap();
        assert_eq!((moved.outcome.done.len(), moved.placed.len()), (scattered.len(), scattered.len()));
        assert!(turns <= 3, "a move of five hundred took {turns}");
        assert!(house.server.take_commands().iter().all(|command| command.len() < 8_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_that_hundreds_have_hides_no_conversation() {
    let house = house(Features::modern()).await;
    let first = house.deliver("INBOX", "Message-ID: <r0@x>\r\nSubject: Daily report", 0);
    for number in 0..230 {
        house.deliver("INBOX", &format!("Message-ID: <d{number}@x>\r\nSubject: Daily report"), 10 + number);
    }
    let reply = "Message-ID: <r1@x>\r\nReferences: <r0@x>\r\nSubject: Re: Daily report";
    let last = house.deliver("INBOX", reply, 1_000);
    for uid in [first, last] {
        let at = Locator { folder: "INBOX".into(), uid_validity: None, uid };
        let scope = ThreadScope { cross_folder: true, limit: 50, beginning: 0 };
        let thread = house.mailbox.thread(&at, &scope).await.unwrap();
        let uids: Vec<_> = thread.messages.iter().map(|message| message.at.uid).collect();
        assert_eq!((uids, thread.omitted), (vec![first, last], 0));
    }
}
