//! Messages on their way out.

use super::{Repositories, race};
use crate::builders::{self, NOON};
use imapmcp_core::{
    account::Account,
    oauth::Grant,
    outbox::{Due, Hold, Lease, OutboxEntry, OutboxState, Refusal, Trouble},
    secret::{Sealed, TokenHash},
    store::{Engaged, Enqueued, Leaving, OutboxQuery},
    time::{Clock, SystemClock, Timestamp},
};

pub(super) async fn sender(on: &Repositories, name: &str) -> (Account, Grant) {
    let user = builders::user(name);
    on.users.add_user(&user).await.unwrap();
    let client = builders::client(name);
    on.clients.put_client(&client).await.unwrap();
    let account = builders::account(&user.id, "work");
    on.accounts.add_account(&account).await.unwrap();
    let grant = builders::grant(name, &user.id, &client.id);
    on.personal_tokens.add_personal_token(&grant, &builders::personal_token(name, &grant)).await.unwrap();
    (account, grant)
}

fn octets() -> Sealed {
    Sealed(vec![4, 5, 6])
}

fn before(answer: Enqueued) -> Option<OutboxEntry> {
    match answer {
        Enqueued::New => None,
        Enqueued::Before(entry) => Some(*entry),
        Enqueued::Lapsed => panic!("there are no parcels"),
    }
}

async fn enqueue(on: &Repositories, entry: &OutboxEntry, since: Timestamp) -> Option<OutboxEntry> {
    before(on.outbox.enqueue(entry, &octets(), &[], since).await.unwrap())
}

/// Ends an entry as whoever holds it would.
async fn end(on: &Repositories, entry: &OutboxEntry, state: OutboxState) {
    let ended = OutboxEntry { state, next_attempt_at: None, ..entry.clone() };
    assert!(on.outbox.settle(&ended).await.unwrap());
}

fn lease(worker: &str, seconds: i64) -> Lease {
    Lease { worker: worker.to_owned(), until: NOON.plus_seconds(seconds) }
}

fn due(entry: &OutboxEntry) -> Due {
    entry.due()
}

fn nobody() -> Engaged {
    Engaged::default()
}

/// By key for ever (unless cancelled), by content for a while and only while it is not rejected or cancelled; one of any racers records.
pub async fn the_same_message_is_recorded_once(on: &Repositories) {
    let (account, grant) = sender(on, "outbox").await;
    let since = NOON.plus_seconds(-600);
    let first = OutboxEntry {
        recipients: vec!["a@example.org".to_owned(), "jürgen@müller.example".to_owned()],
        hold: Some(Hold::Undo),
        not_before: Some(NOON),
        lease: Some(lease("w", 10)),
        ..builders::outbox_entry("first", &account, &grant)
    };
    assert_eq!(enqueue(on, &first, since).await, None);
    assert_eq!(on.outbox.find_entry(&account.user, &first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(on.outbox.find_message(&account.user, &first.id).await.unwrap(), Some(octets()));
    let again = OutboxEntry { id: builders::outbox_id("again"), ..first.clone() };
    assert_eq!(enqueue(on, &again, since).await, Some(first.clone()));
    assert_eq!(enqueue(on, &again, NOON).await, None, "long enough ago");
    end(on, &again, OutboxState::Cancelled).await;
    end(on, &first, OutboxState::Rejected).await;
    let third = OutboxEntry { id: builders::outbox_id("third"), ..first.clone() };
    assert_eq!(enqueue(on, &third, since).await, None, "the earlier ones never left");

    let key = Some(TokenHash::of("key"));
    let keyed = OutboxEntry { idempotency: key, ..builders::outbox_entry("keyed", &account, &grant) };
    assert_eq!(enqueue(on, &keyed, since).await, None);
    let other = OutboxEntry { idempotency: key, ..builders::outbox_entry("other", &account, &grant) };
    assert_eq!(enqueue(on, &other, NOON).await.unwrap().id, keyed.id);
    assert!(on.outbox.find_entry(&account.user, &other.id).await.unwrap().is_none());

    end(on, &keyed, OutboxState::Cancelled).await;
    assert_eq!(enqueue(on, &other, NOON).await, None, "a cancelled send frees its key");
    assert_eq!(on.outbox.find_entry(&account.user, &keyed.id).await.unwrap().unwrap().idempotency, None);

    let (stranger, strange_grant) = sender(on, "outbox-stranger").await;
    let theirs =
        OutboxEntry { idempotency: key, ..builders::outbox_entry("theirs", &stranger, &strange_grant) };
    assert_eq!(enqueue(on, &theirs, since).await, None, "keys are per user");
    assert!(on.outbox.find_entry(&stranger.user, &first.id).await.unwrap().is_none());
    assert!(on.outbox.find_message(&stranger.user, &first.id).await.unwrap().is_none());

    for with_key in [false, true] {
        let recorded = race(50, |number| {
            let entry = OutboxEntry {
                content: TokenHash::of(&format!("race {with_key}")),
                idempotency: with_key.then(|| TokenHash::of("race")),
                ..builders::outbox_entry(&format!("race-{with_key}-{number}"), &account, &grant)
            };
            let on = on.clone();
            async move { enqueue(&on, &entry, since).await.is_none() }
        })
        .await;
        assert_eq!(recorded.into_iter().filter(|new| *new).count(), 1, "with key: {with_key}");
    }
    assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
    assert!(on.outbox.find_entry(&account.user, &first.id).await.unwrap().is_none(), "goes with its account");
    assert!(on.accounts.remove_account(&stranger.user, &stranger.id).await.unwrap());
}

/// One of any racers takes an entry; when its lease is over another may, and then the first one's writes are refused.
pub async fn an_entry_belongs_to_one_worker_at_a_time(on: &Repositories) {
    let (account, grant) = sender(on, "workers").await;
    let entry = builders::outbox_entry("taken", &account, &grant);
    enqueue(on, &entry, NOON).await;
    let listed = on.outbox.list_due(NOON, &nobody(), 100).await.unwrap();
    assert!(listed.contains(&due(&entry)));
    let taken = race(16, |number| {
        let (outbox, due) = (on.outbox.clone(), due(&entry));
        let lease = lease(&format!("worker {number}"), 45);
        async move { outbox.take(&due, OutboxState::Sending, &lease, NOON).await.unwrap() }
    })
    .await;
    let mut taken: Vec<_> = taken.into_iter().flatten().collect();
    assert_eq!(taken.len(), 1);
    let (mut held, message) = taken.remove(0);
    assert_eq!((held.state, held.fence, message), (OutboxState::Sending, 1, octets()));
    assert_eq!(held.lease.as_ref().map(|lease| lease.until), Some(NOON.plus_seconds(45)));
    assert!(!on.outbox.list_due(NOON.plus_seconds(44), &nobody(), 100).await.unwrap().contains(&due(&held)));
    assert!(on.outbox.renew(&held.id, 1, NOON.plus_seconds(60)).await.unwrap());
    let (listed, theirs) = (due(&held), lease("b", 99));
    let early = on.outbox.take(&listed, OutboxState::Sending, &theirs, NOON.plus_seconds(59));
    assert!(early.await.unwrap().is_none(), "the lease was renewed");

    held.at_risk = true;
    held.lease = Some(lease("worker", 60));
    held.attempts = 3;
    held.looks = 2;
    held.departed = true;
    held.last_error = Some(Trouble::Reply(451));
    held.hold = Some(Hold::Scheduled);
    held.saved_to_sent = Some(false);
    held.refusals =
        vec![Refusal { address: "b@example.org".to_owned(), code: 550, enhanced: Some("5.1.1".to_owned()) }];
    held.updated_at = NOON.plus_seconds(7);
    held.expires_at = NOON.plus_seconds(70);
    assert!(on.outbox.settle(&held).await.unwrap());
    assert_eq!(on.outbox.find_entry(&account.user, &held.id).await.unwrap(), Some(held.clone()));
    assert!(on.outbox.next_due(&nobody()).await.unwrap().is_some_and(|at| at <= NOON.plus_seconds(60)));

    let later = NOON.plus_seconds(60);
    assert!(on.outbox.list_due(later, &nobody(), 100).await.unwrap().contains(&due(&held)));
    let stale = Due { at_risk: false, ..due(&held) };
    assert!(on.outbox.take(&stale, OutboxState::Sending, &lease("b", 99), later).await.unwrap().is_none());
    let (mut next, _) =
        on.outbox.take(&due(&held), OutboxState::Unknown, &lease("b", 99), later).await.unwrap().unwrap();
    assert_eq!((next.state, next.fence, next.at_risk), (OutboxState::Unknown, 2, true));
    assert!(!on.outbox.settle(&held).await.unwrap(), "an older fence");
    assert!(!on.outbox.renew(&held.id, 1, NOON.plus_seconds(200)).await.unwrap());
    next.state = OutboxState::Done;
    next.next_attempt_at = None;
    next.lease = None;
    next.last_error = None;
    next.hold = None;
    assert!(on.outbox.settle(&next).await.unwrap());
    assert_eq!(on.outbox.find_entry(&account.user, &held.id).await.unwrap(), Some(next.clone()));
    assert!(!on.outbox.renew(&next.id, 2, later).await.unwrap(), "it is settled");
    assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
}

/// The most overdue first, and only what is due and free.
pub async fn what_is_due_is_found_in_order(on: &Repositories) {
    let (account, grant) = sender(on, "due").await;
    for (name, seconds) in [("1", Some(30)), ("2", Some(10)), ("3", Some(20)), ("never", None)] {
        let at = seconds.map(|seconds| NOON.plus_seconds(seconds));
        let entry = builders::outbox_entry(&format!("due-{name}"), &account, &grant);
        enqueue(on, &OutboxEntry { next_attempt_at: at, ..entry }, NOON).await;
    }
    let found = async |at: i64, limit| {
        let list = on.outbox.list_due(NOON.plus_seconds(at), &nobody(), limit).await.unwrap();
        list.into_iter().map(|due| due.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found(30, 10).await, ["out_due-2", "out_due-3", "out_due-1"]);
    assert_eq!(found(29, 1).await, ["out_due-2"]);
    assert!(found(9, 10).await.is_empty());
    assert_eq!(on.outbox.next_due(&nobody()).await.unwrap(), Some(NOON.plus_seconds(10)));
    let first = on.outbox.list_due(NOON.plus_seconds(10), &nobody(), 1).await.unwrap().remove(0);
    let taken =
        on.outbox.take(&first, OutboxState::Sending, &lease("a", 50), NOON.plus_seconds(10)).await.unwrap();
    assert!(taken.is_some());
    assert_eq!(on.outbox.next_due(&nobody()).await.unwrap(), Some(NOON.plus_seconds(20)), "that one is held");
    assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
    assert_eq!(on.outbox.next_due(&nobody()).await.unwrap(), None);
}

/// One of every user stands before the second of any, and whoever has no place is left out.
pub async fn nobody_waits_behind_another_users_backlog(on: &Repositories) {
    let (busy, busy_grant) = sender(on, "backlog").await;
    let (other, other_grant) = sender(on, "behind").await;
    let second = builders::account(&busy.user, "second");
    on.accounts.add_account(&second).await.unwrap();
    for number in 0..120 {
        let entry = builders::outbox_entry(&format!("backlog-{number:03}"), &busy, &busy_grant);
        enqueue(on, &OutboxEntry { next_attempt_at: Some(NOON.plus_seconds(number)), ..entry }, NOON).await;
    }
    let at = NOON.plus_seconds(1000);
    let mine =
        OutboxEntry { next_attempt_at: Some(at), ..builders::outbox_entry("mine", &other, &other_grant) };
    let aside =
        OutboxEntry { next_attempt_at: Some(at), ..builders::outbox_entry("aside", &second, &busy_grant) };
    enqueue(on, &mine, NOON).await;
    enqueue(on, &aside, NOON).await;
    let listed = async |engaged: Engaged, limit| {
        let list = on.outbox.list_due(at, &engaged, limit).await.unwrap();
        list.into_iter().map(|due| due.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(listed(nobody(), 3).await, ["out_backlog-000", "out_mine", "out_backlog-001"]);
    let without = Engaged { accounts: vec![busy.id.clone()], ..nobody() };
    assert_eq!(listed(without.clone(), 9).await, ["out_aside", "out_mine"]);
    assert_eq!(on.outbox.next_due(&without).await.unwrap(), Some(at));
    let without = Engaged { users: vec![busy.user.clone()], ..nobody() };
    assert_eq!(listed(without.clone(), 9).await, ["out_mine"]);
    assert_eq!(on.outbox.next_due(&nobody()).await.unwrap(), Some(NOON));
    let due = on.outbox.list_due(at, &without, 9).await.unwrap().remove(0);
    assert_eq!((due.user, due.account), (other.user.clone(), other.id.clone()));
    for account in [busy, second, other] {
        assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
    }
}

/// Moments are told by the database: they move on, and are today's.
pub async fn the_database_has_one_clock(on: &Repositories) {
    let (before, now) = (SystemClock.now(), on.outbox.time().await.unwrap());
    let later = on.outbox.time().await.unwrap();
    assert!(now <= later, "{now:?} {later:?}");
    assert!((now.0 - before.0).abs() < 60_000, "{now:?} is not {before:?}");
}

/// A cancellation and a worker race: one wins. What others have already stays theirs.
pub async fn what_waits_is_withdrawn_or_taken(on: &Repositories) {
    let (account, grant) = sender(on, "withdraw").await;
    for round in 0..12 {
        let entry = builders::outbox_entry(&format!("withdraw-{round}"), &account, &grant);
        enqueue(on, &entry, NOON).await;
        let outcomes = race(2, |number| {
            let (outbox, due, user) = (on.outbox.clone(), due(&entry), account.user.clone());
            async move {
                if number == 0 {
                    outbox.withdraw(&user, &due.id, NOON).await.unwrap()
                } else {
                    let taken = outbox.take(&due, OutboxState::Sending, &lease("a", 45), NOON).await.unwrap();
                    taken.is_some()
                }
            }
        })
        .await;
        assert_ne!(outcomes[0], outcomes[1]);
        let state = on.outbox.find_entry(&account.user, &entry.id).await.unwrap().unwrap().state;
        let expected = if outcomes[0] { OutboxState::Cancelled } else { OutboxState::Sending };
        assert_eq!(state, expected);
        assert!(!on.outbox.withdraw(&account.user, &entry.id, NOON).await.unwrap(), "once");
    }
    let partial = OutboxEntry { departed: true, ..builders::outbox_entry("partial", &account, &grant) };
    enqueue(on, &partial, NOON).await;
    assert!(!on.outbox.withdraw(&builders::user_id("other"), &partial.id, NOON).await.unwrap());
    let now = NOON.plus_seconds(5);
    assert!(on.outbox.withdraw(&account.user, &partial.id, now).await.unwrap());
    let found = on.outbox.find_entry(&account.user, &partial.id).await.unwrap().unwrap();
    assert_eq!((found.state, found.expires_at), (OutboxState::Accepted, now));
    assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
}

/// A message that waits for a person goes nowhere until that person lets it go, once.
pub async fn what_is_held_is_released_by_its_owner(on: &Repositories) {
    let (account, grant) = sender(on, "release").await;
    let held = OutboxEntry {
        state: OutboxState::PendingApproval,
        hold: Some(Hold::Approval),
        next_attempt_at: None,
        ..builders::outbox_entry("held", &account, &grant)
    };
    enqueue(on, &held, NOON).await;
    assert!(on.outbox.list_due(NOON.plus_seconds(1_000_000), &nobody(), 10).await.unwrap().is_empty());
    let (now, expires) = (NOON.plus_seconds(9), NOON.plus_seconds(900));
    let release = |user, id, due| on.outbox.release(user, id, due, expires, now);
    let other = builders::user_id("other");
    assert!(!release(&other, &held.id, now).await.unwrap());
    assert!(release(&account.user, &held.id, now).await.unwrap());
    assert!(!release(&account.user, &held.id, now).await.unwrap(), "once");
    let found = on.outbox.find_entry(&account.user, &held.id).await.unwrap().unwrap();
    assert_eq!((found.state, found.hold), (OutboxState::Queued, None));
    assert_eq!((found.next_attempt_at, found.expires_at), (Some(now), expires));

    let undo = OutboxEntry { hold: Some(Hold::Undo), ..builders::outbox_entry("undo", &account, &grant) };
    enqueue(on, &undo, NOON).await;
    assert!(release(&account.user, &undo.id, now.plus_seconds(60)).await.unwrap());
    let found = on.outbox.find_entry(&account.user, &undo.id).await.unwrap().unwrap();
    assert_eq!(found.hold, Some(Hold::Scheduled), "at a later time all the same");
    assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
}

/// A person makes the next step due; not another user's, not while somebody works on it, not if it has moved on.
pub async fn a_step_is_made_due_by_its_owner(on: &Repositories) {
    let (account, grant) = sender(on, "hasten").await;
    let entry = OutboxEntry {
        state: OutboxState::Unknown,
        at_risk: true,
        next_attempt_at: None,
        ..builders::outbox_entry("hasten", &account, &grant)
    };
    enqueue(on, &entry, NOON).await;
    let now = NOON.plus_seconds(9);
    let hasten = |user, due| on.outbox.hasten(user, due, false, now);
    let (this, older) = (due(&entry), Due { fence: entry.fence + 1, ..due(&entry) });
    let elsewhere = Due { state: OutboxState::Queued, ..due(&entry) };
    let other = builders::user_id("other");
    assert!(!hasten(&other, &this).await.unwrap());
    assert!(
        !hasten(&account.user, &older).await.unwrap() && !hasten(&account.user, &elsewhere).await.unwrap()
    );
    assert!(on.outbox.take(&this, OutboxState::Unknown, &lease("w", 60), now).await.unwrap().is_none());
    assert!(hasten(&account.user, &this).await.unwrap());
    let taken = on.outbox.take(&this, OutboxState::Unknown, &lease("w", 60), now).await.unwrap();
    let (taken, _) = taken.unwrap();
    assert!(!hasten(&account.user, &this).await.unwrap(), "it has moved on");
    assert!(!hasten(&account.user, &due(&taken)).await.unwrap(), "somebody works on it");
    assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
}

/// Newest first, page by page, by state and account, and never another user's; octets of what ended are forgotten.
pub async fn a_user_lists_the_outbox(on: &Repositories) {
    let (account, grant) = sender(on, "lister").await;
    let (other, other_grant) = sender(on, "lister-other").await;
    enqueue(on, &builders::outbox_entry("theirs-2", &other, &other_grant), NOON).await;
    for number in 0..5 {
        let entry = OutboxEntry {
            state: if number == 4 { OutboxState::Done } else { OutboxState::Queued },
            created_at: NOON.plus_seconds(number / 2),
            updated_at: NOON.plus_seconds(number),
            ..builders::outbox_entry(&format!("list-{number}"), &account, &grant)
        };
        enqueue(on, &entry, NOON.plus_seconds(100)).await;
    }
    let all = OutboxQuery {
        states: OutboxState::ALL.to_vec(),
        accounts: None,
        leaving: Leaving::Any,
        after: None,
        limit: 2,
    };
    let names = |list: &[OutboxEntry]| list.iter().map(|entry| entry.id.to_string()).collect::<Vec<_>>();
    let (mut seen, mut query) = (Vec::new(), all.clone());
    loop {
        let page = on.outbox.list_entries(&account.user, &query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = Some((last.created_at, last.id.clone()));
        seen.extend(names(&page));
    }
    assert_eq!(seen, ["out_list-4", "out_list-3", "out_list-2", "out_list-1", "out_list-0"]);
    let open = OutboxQuery { states: OutboxState::OPEN.to_vec(), limit: 9, ..all.clone() };
    assert_eq!(on.outbox.list_entries(&account.user, &open).await.unwrap().len(), 4);
    let elsewhere = OutboxQuery { accounts: Some(vec![other.id.clone()]), limit: 9, ..all.clone() };
    assert!(on.outbox.list_entries(&account.user, &elsewhere).await.unwrap().is_empty());
    let nowhere = OutboxQuery { accounts: Some(Vec::new()), limit: 9, ..all.clone() };
    assert!(on.outbox.list_entries(&account.user, &nowhere).await.unwrap().is_empty());
    let here = OutboxQuery { accounts: Some(vec![account.id.clone()]), limit: 9, ..all };
    assert_eq!(on.outbox.list_entries(&account.user, &here).await.unwrap().len(), 5);
    assert_eq!(on.outbox.count_waiting(&account.user).await.unwrap(), 0);

    assert_eq!(on.outbox.forget_messages(NOON.plus_seconds(4)).await.unwrap(), 0);
    assert_eq!(on.outbox.forget_messages(NOON.plus_seconds(5)).await.unwrap(), 1);
    assert_eq!(on.outbox.forget_messages(NOON.plus_seconds(5)).await.unwrap(), 0);
    let done = builders::outbox_id("list-4");
    assert_eq!(on.outbox.find_message(&account.user, &done).await.unwrap(), None);
    assert!(on.outbox.find_entry(&account.user, &done).await.unwrap().unwrap().subject.is_none());
    for account in [account, other] {
        assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
    }
}

/// What leaves by itself within a time comes by itself, the soonest first, and is left out elsewhere; what waits for a person is
/// counted.
pub async fn what_leaves_soon_is_listed_by_itself(on: &Repositories) {
    let (account, grant) = sender(on, "leaver").await;
    let (other, other_grant) = sender(on, "leaver-other").await;
    enqueue(on, &builders::outbox_entry("leaver-theirs", &other, &other_grant), NOON).await;
    for (name, state, due) in [
        ("late", OutboxState::Queued, Some(61)),
        ("second", OutboxState::Queued, Some(30)),
        ("third", OutboxState::Queued, Some(60)),
        ("also-second", OutboxState::Queued, Some(30)),
        ("first", OutboxState::Queued, Some(-5)),
        ("never", OutboxState::Queued, None),
        ("retried", OutboxState::Queued, Some(10)),
        ("waits", OutboxState::PendingApproval, None),
        ("copied", OutboxState::Accepted, Some(1)),
    ] {
        let entry = OutboxEntry {
            state,
            hold: (name != "retried").then_some(Hold::Undo),
            next_attempt_at: due.map(|due| NOON.plus_seconds(due)),
            ..builders::outbox_entry(&format!("leaver-{name}"), &account, &grant)
        };
        enqueue(on, &entry, NOON).await;
    }
    let list = async |leaving| {
        let states = vec![OutboxState::Queued, OutboxState::PendingApproval];
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let query = OutboxQuery { states: states.clone(), accounts: None, leaving, after, limit: 2 };
            let page = on.outbox.list_entries(&account.user, &query).await.unwrap();
            let Some(last) = page.last() else { return seen };
            let soonest = matches!(leaving, Leaving::Until(_));
            let at = if soonest { last.next_attempt_at.unwrap() } else { last.created_at };
            after = Some((at, last.id.clone()));
            seen.extend(
                page.iter().map(|entry| entry.id.as_str().trim_start_matches("out_leaver-").to_owned()),
            );
        }
    };
    let minute = NOON.plus_seconds(60);
    assert_eq!(list(Leaving::Until(minute)).await, ["first", "also-second", "second", "third"]);
    assert_eq!(list(Leaving::NotUntil(minute)).await, ["waits", "retried", "never", "late"]);
    assert_eq!(list(Leaving::Any).await.len(), 8);
    assert_eq!(on.outbox.count_waiting(&account.user).await.unwrap(), 1);
    assert_eq!(on.outbox.count_waiting(&other.user).await.unwrap(), 0);
    for account in [account, other] {
        assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
    }
}

/// 64 transactions at once all succeed: nobody is told that the database is locked.
pub async fn many_writers_wait_for_each_other(on: &Repositories) {
    let (account, grant) = sender(on, "writers").await;
    let recorded = race(64, |number| {
        let entry = builders::outbox_entry(&format!("writer-{number}"), &account, &grant);
        let on = on.clone();
        async move { enqueue(&on, &entry, NOON).await.is_none() }
    })
    .await;
    assert_eq!(recorded.into_iter().filter(|new| *new).count(), 64);
}
