//! Messages on their way out.

use super::{Repositories, race};
use crate::builders::{self, NOON};
use imapmcp_core::{
    account::Account,
    oauth::Grant,
    outbox::{OutboxEntry, OutboxState, Refusal},
    secret::TokenHash,
    store::Enqueued,
};

async fn sender(on: &Repositories, name: &str) -> (Account, Grant) {
    let user = builders::user(name);
    on.users.add_user(&user).await.unwrap();
    let client = builders::client(name);
    on.oauth.put_client(&client).await.unwrap();
    let account = builders::account(&user.id, "work");
    on.accounts.add_account(&account).await.unwrap();
    let grant = builders::grant(name, &user.id, &client.id);
    on.oauth.add_personal_token(&grant, &builders::personal_token(name, &grant)).await.unwrap();
    (account, grant)
}

fn before(answer: Enqueued) -> Option<OutboxEntry> {
    match answer {
        Enqueued::New => None,
        Enqueued::Before(entry) => Some(*entry),
    }
}

/// By key for ever (unless cancelled), by content for a while and only while it is not rejected or cancelled; one of any racers records.
pub async fn the_same_message_is_recorded_once(on: &Repositories) {
    let (account, grant) = sender(on, "outbox").await;
    let since = NOON.plus_seconds(-600);
    let first = OutboxEntry {
        recipients: vec!["a@example.org".to_owned(), "jürgen@müller.example".to_owned()],
        ..builders::outbox_entry("first", &account, &grant)
    };
    assert!(before(on.outbox.enqueue(&first, since).await.unwrap()).is_none());
    assert_eq!(on.outbox.find_entry(&account.user, &first.id).await.unwrap(), Some(first.clone()));
    let again = OutboxEntry { id: builders::outbox_id("again"), ..first.clone() };
    assert_eq!(before(on.outbox.enqueue(&again, since).await.unwrap()), Some(first.clone()));
    assert_eq!(before(on.outbox.enqueue(&again, NOON).await.unwrap()), None, "long enough ago");
    assert!(on.outbox.advance(&again.id, OutboxState::Queued, OutboxState::Cancelled, NOON).await.unwrap());
    assert!(on.outbox.advance(&first.id, OutboxState::Queued, OutboxState::Rejected, NOON).await.unwrap());
    let third = OutboxEntry { id: builders::outbox_id("third"), ..first.clone() };
    assert_eq!(before(on.outbox.enqueue(&third, since).await.unwrap()), None, "the earlier ones never left");

    let key = Some(TokenHash::of("key"));
    let keyed = OutboxEntry { idempotency: key, ..builders::outbox_entry("keyed", &account, &grant) };
    assert!(before(on.outbox.enqueue(&keyed, since).await.unwrap()).is_none());
    let other = OutboxEntry { idempotency: key, ..builders::outbox_entry("other", &account, &grant) };
    assert_eq!(before(on.outbox.enqueue(&other, NOON).await.unwrap()).unwrap().id, keyed.id);
    assert!(on.outbox.find_entry(&account.user, &other.id).await.unwrap().is_none());

    assert!(on.outbox.advance(&keyed.id, OutboxState::Queued, OutboxState::Cancelled, NOON).await.unwrap());
    assert_eq!(
        before(on.outbox.enqueue(&other, NOON).await.unwrap()),
        None,
        "a cancelled send frees its key"
    );
    assert_eq!(on.outbox.find_entry(&account.user, &keyed.id).await.unwrap().unwrap().idempotency, None);

    let (stranger, strange_grant) = sender(on, "outbox-stranger").await;
    let theirs =
        OutboxEntry { idempotency: key, ..builders::outbox_entry("theirs", &stranger, &strange_grant) };
    assert!(before(on.outbox.enqueue(&theirs, since).await.unwrap()).is_none(), "keys are per user");
    assert!(on.outbox.find_entry(&stranger.user, &first.id).await.unwrap().is_none());

    for with_key in [false, true] {
        let recorded = race(32, |number| {
            let entry = OutboxEntry {
                content: TokenHash::of(&format!("race {with_key}")),
                idempotency: with_key.then(|| TokenHash::of("race")),
                ..builders::outbox_entry(&format!("race-{with_key}-{number}"), &account, &grant)
            };
            let outbox = on.outbox.clone();
            async move { before(outbox.enqueue(&entry, since).await.unwrap()).is_none() }
        })
        .await;
        assert_eq!(recorded.into_iter().filter(|new| *new).count(), 1, "with key: {with_key}");
    }
    assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
    assert!(on.outbox.find_entry(&account.user, &first.id).await.unwrap().is_none(), "goes with its account");
}

/// `advance` is how a worker takes an entry: one succeeds.
pub async fn an_entry_is_taken_by_one_worker(on: &Repositories) {
    let (account, grant) = sender(on, "workers").await;
    let entry = builders::outbox_entry("taken", &account, &grant);
    on.outbox.enqueue(&entry, NOON).await.unwrap();
    let later = NOON.plus_seconds(5);
    let taken = race(16, |_| {
        let (outbox, id) = (on.outbox.clone(), entry.id.clone());
        async move { outbox.advance(&id, OutboxState::Queued, OutboxState::Sending, later).await.unwrap() }
    })
    .await;
    assert_eq!(taken.into_iter().filter(|won| *won).count(), 1);

    let claimed = race(16, |_| {
        let (outbox, id) = (on.outbox.clone(), entry.id.clone());
        let now = later.plus_seconds(1);
        async move { outbox.claim(&id, OutboxState::Sending, later, now).await.unwrap() }
    })
    .await;
    assert_eq!(claimed.into_iter().filter(|won| *won).count(), 1);

    let refusals =
        [Refusal { address: "b@example.org".to_owned(), code: 550, enhanced: Some("5.1.1".to_owned()) }];
    on.outbox.settle(&entry.id, OutboxState::Done, &refusals, Some(false), later).await.unwrap();
    let found = on.outbox.find_entry(&account.user, &entry.id).await.unwrap().unwrap();
    assert_eq!((found.state, found.refusals.as_slice()), (OutboxState::Done, &refusals[..]));
    assert_eq!((found.saved_to_sent, found.updated_at, found.created_at), (Some(false), later, NOON));
}

/// What a restarted process has to look at, oldest first.
pub async fn stalled_entries_are_found(on: &Repositories) {
    let (account, grant) = sender(on, "stalled").await;
    for (number, seconds) in [(1, 30), (2, 10), (3, 20)] {
        let entry = builders::outbox_entry(&format!("stalled-{number}"), &account, &grant);
        on.outbox.enqueue(&entry, NOON).await.unwrap();
        let at = NOON.plus_seconds(seconds);
        assert!(on.outbox.advance(&entry.id, OutboxState::Queued, OutboxState::Accepted, at).await.unwrap());
    }
    let found = async |before: i64, limit| {
        let before = NOON.plus_seconds(before);
        let list = on.outbox.list_stalled(OutboxState::Accepted, before, limit).await.unwrap();
        list.into_iter().map(|entry| entry.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found(31, 10).await, ["out_stalled-2", "out_stalled-3", "out_stalled-1"]);
    assert_eq!(found(30, 1).await, ["out_stalled-2"]);
    assert!(found(10, 10).await.is_empty());
}

/// 64 transactions at once all succeed: nobody is told that the database is locked.
pub async fn many_writers_wait_for_each_other(on: &Repositories) {
    let (account, grant) = sender(on, "writers").await;
    let recorded = race(64, |number| {
        let entry = builders::outbox_entry(&format!("writer-{number}"), &account, &grant);
        let outbox = on.outbox.clone();
        async move { before(outbox.enqueue(&entry, NOON).await.unwrap()).is_none() }
    })
    .await;
    assert_eq!(recorded.into_iter().filter(|new| *new).count(), 64);
}
