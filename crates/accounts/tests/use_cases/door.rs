//! What a mailbox tells of its login is remembered, whatever was asked of it.

use futures_util::{FutureExt, StreamExt, future::BoxFuture};

use crate::house::{house, new};
use imapmcp_core::{
    account::Health,
    mail::{
        Criterion, FlagChange, Locator, MailError, Mailbox, MessageRef, Messages, Page, Part, ThreadScope,
        TransferKind,
    },
};
use std::sync::Arc;

const PAGE: Page = Page { limit: 1, after: None };

fn part(section: &str) -> Part {
    Part { section: section.to_owned(), ..Part::default() }
}

fn at() -> Locator {
    Locator { folder: "INBOX".into(), uid_validity: None, uid: 1 }
}

fn one() -> Messages {
    Messages::new("INBOX", None, &[1])
}

/// Asks for something and tells how that ended.
type Ask = for<'m> fn(&'m dyn Mailbox) -> BoxFuture<'m, Option<MailError>>;

/// Everything that can be asked of a mailbox.
const ASKS: [(&str, Ask); 16] = [
    ("folders", |m| async { m.folders(true).await.err() }.boxed()),
    ("list", |m| async { m.list(&"INBOX".into(), &PAGE).await.err() }.boxed()),
    ("search", |m| async { m.search(&"INBOX".into(), &Criterion::Seen, &PAGE).await.err() }.boxed()),
    ("message", |m| async { m.message(&at(), 1).await.err() }.boxed()),
    ("thread", |m| {
        let scope = ThreadScope { limit: 1, beginning: 1, cross_folder: true };
        async move { m.thread(&at(), &scope).await.err() }.boxed()
    }),
    ("find_again", |m| {
        let known = MessageRef { folder: "INBOX".into(), uid_validity: 1, uid: 1 };
        async move { m.find_again(&known).await.err() }.boxed()
    }),
    ("section", |m| async { m.section(&at(), "1", 1).await.err() }.boxed()),
    ("stream", |m| async { m.stream(&at(), &part("1")).await.err() }.boxed()),
    ("a stream that broke off", |m| {
        async {
            m.stream(&at(), &part("late"))
                .await
                .ok()?
                .filter_map(|piece| async { piece.err() })
                .boxed()
                .next()
                .await
        }
        .boxed()
    }),
    ("change_flags", |m| async { m.change_flags(&one(), &FlagChange::default()).await.err() }.boxed()),
    ("append", |m| async { m.append(&"Sent".into(), "x".into(), &[]).await.err() }.boxed()),
    ("transfer", |m| async { m.transfer(&one(), &"Archive".into(), TransferKind::Move).await.err() }.boxed()),
    ("expunge", |m| async { m.expunge(&one()).await.err() }.boxed()),
    ("create_folder", |m| async { m.create_folder(&"x".into()).await.err() }.boxed()),
    ("rename_folder", |m| async { m.rename_folder(&"x".into(), &"y".into()).await.err() }.boxed()),
    ("delete_folder", |m| async { m.delete_folder(&"x".into()).await.err() }.boxed()),
];

#[tokio::test]
async fn a_refused_login_is_noted_whatever_was_asked() {
    for (name, ask) in ASKS {
        let house = house().await;
        let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
        let (_, mailbox) = house.accounts.mailbox(&house.owner, &account.id).await.unwrap();
        *house.servers.imap.lock().unwrap() = Err(MailError::LoginRefused);
        assert_eq!(ask(&*mailbox).await, Some(MailError::LoginRefused), "{name}");
        let found = house.accounts.get(&house.owner, &account.id).await.unwrap();
        assert!(matches!(found.reading, Health::NeedsAttention { .. }), "{name}: {:?}", found.reading);
        assert_eq!(found.sending, Health::Untried, "{name}: the submission server said nothing");
        assert!(
            house.accounts.mailbox(&house.owner, &account.id).await.is_err(),
            "{name}: nothing is tried any more"
        );
    }
}

#[tokio::test]
async fn what_tells_nothing_of_the_login_changes_nothing() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
    let (_, mailbox) = house.accounts.mailbox(&house.owner, &account.id).await.unwrap();
    for said in [MailError::Timeout, MailError::Gone, MailError::NoFolder, MailError::Protocol] {
        *house.servers.imap.lock().unwrap() = Err(said.clone());
        assert_eq!(mailbox.folders(false).await.err(), Some(said));
    }
    assert_eq!(house.accounts.get(&house.owner, &account.id).await.unwrap().reading, Health::Untried);
    *house.servers.imap.lock().unwrap() = Ok(());
    mailbox.folders(false).await.unwrap();
    assert!(matches!(
        house.accounts.get(&house.owner, &account.id).await.unwrap().reading,
        Health::Working { failing: None, .. }
    ));
}

#[tokio::test]
async fn accounts_that_are_dropped_let_go_of_the_database() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
    let (_, mailbox) = house.accounts.mailbox(&house.owner, &account.id).await.unwrap();
    mailbox.folders(false).await.unwrap();
    house.accounts.correspondents().wrote_to(&account, ["friend@example.net".to_owned()]);
    drop((mailbox, house.accounts));
    assert_eq!(Arc::strong_count(&house.database), 1);
}
