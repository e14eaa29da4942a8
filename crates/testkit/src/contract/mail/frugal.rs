//! What a mailbox costs in round trips: they are what a person waits for.

use super::{Stage, newest, page};
use imapmcp_core::{
    mail::{Beginning, Criterion, Flag, FlagChange, Locator, Messages, ThreadScope, TransferKind},
    time::Timestamp,
};

const THEN: Timestamp = Timestamp(1_740_000_000_000);

/// A mailbox whose client is listened to.
#[derive(Clone, Copy)]
pub struct Counted<'a> {
    /// The mailbox; no connection is open, and no message is there.
    pub stage: Stage<'a>,
    /// How many times its client has said something and waited.
    pub turns: &'a (dyn Fn() -> usize + Sync),
    /// What its client said since this was last asked.
    pub commands: &'a (dyn Fn() -> Vec<String> + Sync),
}

impl Counted<'_> {
    async fn cost<T>(&self, work: impl Future<Output = T>) -> (T, usize) {
        let before = (self.turns)();
        let done = work.await;
        (done, (self.turns)() - before)
    }

    fn deliver(&self, folder: &str, headers: &str, second: i64) {
        let message = format!("{headers}\r\nFrom: bob@example.net\r\n\r\ntext\r\n");
        (self.stage.deliver)(folder, &message, THEN.plus_seconds(second));
    }

    /// As many messages in INBOX, the first of UID 1, and a conversation of twenty over three folders.
    fn fill(&self, many: u32) -> Vec<u32> {
        for number in 0..many {
            self.deliver("INBOX", &format!("Message-ID: <n{number}@x>\r\nSubject: n{number}"), number.into());
        }
        for number in 0..20 {
            let folder = ["INBOX", "Sent", "Archive"][number % 3];
            let refs: Vec<_> = (0..number).map(|one| format!("<t{one}@x>")).collect();
            let refs =
                if number == 0 { String::new() } else { format!("References: {}\r\n", refs.join(" ")) };
            let headers = format!("Message-ID: <t{number}@x>\r\n{refs}Subject: long");
            self.deliver(folder, &headers, 1_000 + i64::try_from(number).unwrap());
        }
        (1..=many).collect()
    }
}

/// Reading, searching and changing cost what docs promise, with so many messages in INBOX (60 at least).
pub async fn round_trips_are_few(counted: Counted<'_>, many: u32) {
    let mut uids = counted.fill(many);
    counted.stage.mailbox.folders(false).await.unwrap();
    let (folders, turns) = counted.cost(counted.stage.mailbox.folders(false)).await;
    assert_eq!((folders.unwrap().len() > 2, turns), (true, 1), "all folders with roles and subscriptions");
    lists(counted, &uids).await;
    uids.push(many + 8);
    news(counted, many + 8).await;
    conversations(counted).await;
    changes(counted, &uids).await;
}

fn at(uid: u32) -> Locator {
    Locator { folder: "INBOX".into(), uid_validity: None, uid }
}

async fn lists(counted: Counted<'_>, uids: &[u32]) {
    let mailbox = counted.stage.mailbox;
    let (message, turns) = counted.cost(mailbox.message(&at(uids[0]), 100)).await;
    assert_eq!((message.unwrap().beginning.len(), turns), (6, 1), "a message of a folder that is not open");
    let (_, turns) = counted.cost(newest(mailbox, "INBOX")).await;
    assert!(turns <= 2, "the first list learns the order in the same flight: {turns}");
    let mut listing = newest(mailbox, "INBOX").await;
    for _ in 0..2 {
        let (again, turns) = counted.cost(newest(mailbox, "INBOX")).await;
        assert_eq!((&again, turns), (&listing, 1), "a warm list, the same of messages known");
        listing = again;
    }
    assert_eq!(listing.total as usize, uids.len() + 7);
    let (older, turns) = counted.cost(mailbox.list(&"INBOX".into(), &page(50, listing.next))).await;
    assert!(
        older.unwrap().messages[0].uid < listing.messages.last().unwrap().uid && turns == 1,
        "the next page"
    );
}

async fn news(counted: Counted<'_>, newcomer: u32) {
    let mailbox = counted.stage.mailbox;
    counted.deliver("INBOX", "Message-ID: <new@x>\r\nSubject: just now", 2_000);
    (counted.commands)();
    let (listing, turns) = counted.cost(newest(mailbox, "INBOX")).await;
    let commands = (counted.commands)();
    assert_eq!((listing.messages[0].uid, turns), (newcomer, 1), "a list with a new message");
    assert_eq!(listing.messages[0].envelope.subject.as_deref(), Some("just now"));
    assert!(listing.messages.iter().all(|message| message.envelope.message_id.is_some()));
    assert!(
        commands.iter().any(|command| command.contains(":* (UID FLAGS INTERNALDATE RFC822.SIZE)")),
        "{commands:?}"
    );
    newest(mailbox, "Sent").await;
    let (listing, turns) = counted.cost(newest(mailbox, "INBOX")).await;
    assert_eq!(turns, 1, "a list of a folder that was open before");
    let first = |uid| Beginning { section: "1".to_owned(), octets: 4, uid };
    let beginnings: Vec<_> = listing.messages.iter().map(|message| first(message.uid)).collect();
    let (begun, turns) =
        counted.cost(mailbox.beginnings(&"INBOX".into(), listing.uid_validity, &beginnings)).await;
    assert_eq!(
        (begun.unwrap().len(), turns),
        (listing.messages.len(), 1),
        "the first octets of a whole list"
    );
    let (_, turns) = counted.cost(mailbox.message(&at(listing.messages[1].uid), 100)).await;
    assert_eq!(turns, 1, "a warm message");
}

async fn conversations(counted: Counted<'_>) {
    let mailbox = counted.stage.mailbox;
    let uid = newest(mailbox, "INBOX").await.messages[1].uid;
    let (found, turns) = counted
        .cost(mailbox.search(&"INBOX".into(), &Criterion::Subject("n5".into()), &page(50, None)))
        .await;
    assert!(found.unwrap().total > 0);
    assert_eq!(turns, 2, "a search");
    let scope = ThreadScope { cross_folder: true, limit: 50, beginning: 100 };
    let (thread, turns) = counted.cost(mailbox.thread(&at(uid), &scope)).await;
    assert_eq!(thread.unwrap().messages.len(), 20);
    assert!(turns <= 3, "a conversation over three folders took {turns}");
}

async fn changes(counted: Counted<'_>, uids: &[u32]) {
    let mailbox = counted.stage.mailbox;
    let seen = FlagChange { add: vec![Flag::seen()], remove: vec![] };
    newest(mailbox, "INBOX").await;
    let most = Messages::new("INBOX", None, &uids[..uids.len().min(Messages::MOST)]);
    let (_, turns) = counted.cost(mailbox.change_flags(&most, &seen)).await;
    assert_eq!(turns, 1, "five hundred flags");
    newest(mailbox, "Sent").await;
    let some = Messages::new("INBOX", None, &uids[..50]);
    let (_, turns) = counted.cost(mailbox.change_flags(&some, &seen)).await;
    assert_eq!(turns, 1, "flags in a folder that is not open");
    let scattered: Vec<_> = uids.iter().copied().filter(|uid| uid % 7 != 0).take(Messages::MOST).collect();
    newest(mailbox, "Sent").await;
    (counted.commands)();
    let (messages, archive) = (Messages::new("INBOX", None, &scattered), "Archive".into());
    let (moved, turns) = counted.cost(mailbox.transfer(&messages, &archive, TransferKind::Move)).await;
    let moved = moved.unwrap();
    assert_eq!((moved.outcome.done.len(), moved.placed.len()), (scattered.len(), scattered.len()));
    assert!(turns <= 3, "a move of five hundred took {turns}");
    assert!((counted.commands)().iter().all(|command| command.len() < 8_000));
}
