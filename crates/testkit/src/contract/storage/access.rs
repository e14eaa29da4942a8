//! Messages rest on the access they were sent with.

use super::{Repositories, oauth, outbox, race};
use crate::builders::{self, NOON};
use imapmcp_core::{
    account::Account,
    id::OutboxId,
    oauth::{Exchange, Grant},
    outbox::{Hold, Lease, OutboxEntry, OutboxState, Trouble},
    secret::{Sealed, TokenHash},
    store::Risk,
    time::Timestamp,
    user::User,
};

fn lease(seconds: i64) -> Lease {
    Lease { worker: "w".to_owned(), until: NOON.plus_seconds(seconds) }
}

async fn enqueue(on: &Repositories, entry: &OutboxEntry) {
    on.outbox.enqueue(entry, &Sealed(vec![1]), &[], NOON).await.unwrap();
}

async fn found(on: &Repositories, account: &Account, id: &OutboxId) -> OutboxEntry {
    on.outbox.find_entry(&account.user, id).await.unwrap().unwrap()
}

/// One of every kind that waits.
async fn waiting(on: &Repositories, name: &str, account: &Account, grant: &Grant) -> Vec<OutboxId> {
    let entry = |kind: &str| builders::outbox_entry(&format!("{name}-{kind}"), account, grant);
    let later = Some(NOON.plus_seconds(3600));
    let entries = [
        entry("queued"),
        OutboxEntry { hold: Some(Hold::Scheduled), next_attempt_at: later, ..entry("scheduled") },
        OutboxEntry { hold: Some(Hold::Undo), next_attempt_at: later, ..entry("undo") },
        OutboxEntry {
            state: OutboxState::PendingApproval,
            hold: Some(Hold::Approval),
            next_attempt_at: None,
            ..entry("approval")
        },
    ];
    for entry in &entries {
        enqueue(on, entry).await;
    }
    entries.into_iter().map(|entry| entry.id).collect()
}

/// Cancelled, with the reason, and nothing takes it any more.
async fn is_withdrawn(on: &Repositories, account: &Account, ids: &[OutboxId], way: &str) {
    for id in ids {
        let entry = found(on, account, id).await;
        let seen = (entry.state, entry.last_error, entry.next_attempt_at);
        assert_eq!(seen, (OutboxState::Cancelled, Some(Trouble::AccessEnded), None), "{way}: {id}");
    }
}

/// However a grant ends, what it queued is withdrawn in the same moment; what left already goes on to its copy, and what
/// nobody can know stays so.
pub async fn what_an_ended_grant_queued_is_withdrawn(on: &Repositories) {
    let ways =
        ["by its user", "by its token", "by its client", "by a replayed code", "by a spent refresh token"];
    for (number, way) in ways.iter().enumerate() {
        let name = format!("ended-{number}");
        let (user, client) = oauth::parties(on, &name).await;
        let account = builders::account(&user, "work");
        on.accounts.add_account(&account).await.unwrap();
        let (grant, code) = if number == 1 {
            let grant = builders::grant(&name, &user, &client.id);
            on.personal_tokens
                .add_personal_token(&grant, &builders::personal_token(&name, &grant))
                .await
                .unwrap();
            (grant, None)
        } else {
            let (grant, code) = oauth::consent(on, &name, &user, &client).await;
            on.exchanges.spend_code(&code.hash, &builders::issue(&name, NOON), NOON).await.unwrap();
            (grant, Some(code))
        };
        let (other, _) = oauth::consent(on, &format!("{name}-other"), &user, &client).await;
        let ids = waiting(on, &name, &account, &grant).await;
        let kept = waiting(on, &format!("{name}-kept"), &account, &other).await;
        let entry = |kind: &str| builders::outbox_entry(&format!("{name}-{kind}"), &account, &grant);
        let partial = OutboxEntry { departed: true, ..entry("partial") };
        let unknown = OutboxEntry { state: OutboxState::Unknown, at_risk: true, ..entry("unknown") };
        let accepted = OutboxEntry { state: OutboxState::Accepted, departed: true, ..entry("accepted") };
        for entry in [&partial, &unknown, &accepted] {
            enqueue(on, entry).await;
        }
        let refresh = TokenHash::of(&format!("{name}-refresh"));
        match number {
            0 => assert!(on.grants.revoke_grant(&user, &grant.id, NOON).await.unwrap()),
            1 => assert!(
                on.personal_tokens.revoke_personal_token(&builders::token_id(&name), NOON).await.unwrap()
            ),
            2 => assert!(on.tokens.revoke_token(&refresh, &client.id, NOON).await.unwrap()),
            3 => {
                let (code, again) = (code.unwrap(), builders::issue(&format!("{name}-thief"), NOON));
                let outcome = on.exchanges.spend_code(&code.hash, &again, NOON).await.unwrap();
                assert!(matches!(outcome, Exchange::Replayed));
            }
            _ => {
                let rotate = async |old: &TokenHash, new: &str, at: Timestamp| {
                    on.exchanges
                        .rotate(old, &builders::issue(&format!("{name}-{new}"), at), &[0; 32], at)
                        .await
                        .unwrap()
                };
                assert!(matches!(rotate(&refresh, "next", NOON).await, Exchange::Issued(_)));
                let spent = oauth::bearer(on, &format!("{name}-next-access"), NOON).await;
                assert!(spent.is_some());
                // long after any time in which two processes of one client may have asked at once
                let late = NOON.plus_seconds(600);
                assert!(matches!(rotate(&refresh, "thief", late).await, Exchange::Replayed));
            }
        }
        is_withdrawn(on, &account, &ids, way).await;
        for id in &kept {
            assert!(found(on, &account, id).await.state != OutboxState::Cancelled, "{way}: another grant's");
        }
        let left = found(on, &account, &partial.id).await;
        assert_eq!(left.state, OutboxState::Accepted, "{way}: the retries end");
        assert_eq!(found(on, &account, &unknown.id).await, unknown, "{way}");
        assert_eq!(found(on, &account, &accepted.id).await, accepted, "{way}");
        assert!(on.accounts.remove_account(&user, &account.id).await.unwrap());
    }
}

/// The end of access and a worker race for a message: if the worker wins, it is stopped before the final dot.
pub async fn the_end_of_access_and_a_worker_have_one_winner(on: &Repositories) {
    let user = builders::user("end-race");
    on.users.add_user(&user).await.unwrap();
    let client = builders::client("end-race");
    on.clients.put_client(&client).await.unwrap();
    let account = builders::account(&user.id, "work");
    on.accounts.add_account(&account).await.unwrap();
    for round in 0..12 {
        let name = format!("end-race-{round}");
        let grant = builders::grant(&name, &user.id, &client.id);
        on.personal_tokens
            .add_personal_token(&grant, &builders::personal_token(&name, &grant))
            .await
            .unwrap();
        let entry = builders::outbox_entry(&name, &account, &grant);
        enqueue(on, &entry).await;
        let outcomes = race(2, |number| {
            let (on, due, grant) = (on.clone(), entry.due(), grant.clone());
            async move {
                if number == 0 {
                    on.grants.revoke_grant(&grant.user, &grant.id, NOON).await.unwrap();
                    None
                } else {
                    on.outbox.take(&due, OutboxState::Sending, &lease(45), NOON).await.unwrap()
                }
            }
        })
        .await;
        let Some((mut held, _)) = outcomes.into_iter().flatten().next() else {
            is_withdrawn(on, &account, std::slice::from_ref(&entry.id), "the end won").await;
            continue;
        };
        held.at_risk = true;
        assert_eq!(on.outbox.risk(&held, NOON).await.unwrap(), Risk::AccessEnded, "no dot is risked");
        assert!(!found(on, &account, &entry.id).await.at_risk, "nothing was written");
        let stale = OutboxEntry { fence: held.fence - 1, ..held.clone() };
        assert_eq!(on.outbox.risk(&stale, NOON).await.unwrap(), Risk::Taken);
        assert!(
            on.outbox.settle(&OutboxEntry { at_risk: false, ..held }).await.unwrap(),
            "its outcome is told"
        );
    }
    assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
}

/// Nobody ends anything in these moments: a user is disabled, a grant lapses, a worker died.
pub async fn what_rests_on_lapsed_access_is_withdrawn(on: &Repositories) {
    let disabled = User { disabled_at: Some(NOON), ..builders::user("disabled-sender") };
    on.users.add_user(&disabled).await.unwrap();
    let user = builders::user("lapsed-sender");
    on.users.add_user(&user).await.unwrap();
    let now = NOON.plus_seconds(60);
    for (user, expires_at) in [(&disabled, None), (&user, Some(now))] {
        let name = user.id.as_str().trim_start_matches("usr_");
        let client = builders::client(name);
        on.clients.put_client(&client).await.unwrap();
        let account = builders::account(&user.id, "work");
        on.accounts.add_account(&account).await.unwrap();
        let grant = Grant { expires_at, ..builders::grant(name, &user.id, &client.id) };
        on.personal_tokens.add_personal_token(&grant, &builders::personal_token(name, &grant)).await.unwrap();
        let mut ids = waiting(on, name, &account, &grant).await;
        let dead = OutboxEntry {
            state: OutboxState::Sending,
            lease: Some(lease(60)),
            fence: 1,
            ..builders::outbox_entry(&format!("{name}-dead"), &account, &grant)
        };
        enqueue(on, &dead).await;
        let queued = found(on, &account, &ids[0]).await.due();
        let early = on.outbox.take(&queued, OutboxState::Sending, &lease(99), now).await.unwrap();
        assert!(early.is_none(), "{name}: it is not even taken");
        assert_eq!(
            on.outbox.withdraw_ended(NOON.plus_seconds(59)).await.unwrap(),
            if expires_at.is_some() { 0 } else { 4 }
        );
        let rest = if expires_at.is_some() { 5 } else { 1 };
        assert_eq!(on.outbox.withdraw_ended(now).await.unwrap(), rest, "{name}");
        ids.push(dead.id);
        is_withdrawn(on, &account, &ids, name).await;
        assert_eq!(on.outbox.withdraw_ended(now).await.unwrap(), 0, "once");
        assert!(on.accounts.remove_account(&user.id, &account.id).await.unwrap());
    }
}

/// A person stands in for a grant that has ended, but not for one that ends after that, nor when disabled.
pub async fn what_a_person_lets_go_by_hand_leaves(on: &Repositories) {
    let (account, grant) = outbox::sender(on, "by-hand").await;
    let entry = |kind: &str| builders::outbox_entry(&format!("by-hand-{kind}"), &account, &grant);
    let unknown = OutboxEntry { state: OutboxState::Unknown, at_risk: true, ..entry("unknown") };
    let approved = OutboxEntry {
        state: OutboxState::PendingApproval,
        hold: Some(Hold::Approval),
        next_attempt_at: None,
        ..entry("approved")
    };
    enqueue(on, &unknown).await;
    enqueue(on, &approved).await;
    let later = NOON.plus_seconds(3600);
    assert!(on.outbox.release(&account.user, &approved.id, later, later, NOON).await.unwrap());
    assert!(on.grants.revoke_grant(&account.user, &grant.id, NOON).await.unwrap());
    is_withdrawn(on, &account, std::slice::from_ref(&approved.id), "the end is the later word").await;

    // after the end: sent again by hand
    assert!(on.outbox.hasten(&account.user, &unknown.due(), true, NOON).await.unwrap());
    let taken = on.outbox.take(&unknown.due(), OutboxState::Unknown, &lease(45), NOON).await.unwrap();
    let again = OutboxEntry { state: OutboxState::Queued, at_risk: false, lease: None, ..taken.unwrap().0 };
    assert!(on.outbox.settle(&again).await.unwrap());
    assert_eq!(on.outbox.withdraw_ended(NOON).await.unwrap(), 0);
    let taken = on.outbox.take(&again.due(), OutboxState::Sending, &lease(45), NOON).await.unwrap();
    let (held, _) = taken.expect("the person's word counts");
    assert_eq!(on.outbox.risk(&OutboxEntry { at_risk: true, ..held }, NOON).await.unwrap(), Risk::Recorded);
    assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
}

/// Links and uploads rest on a grant that is alive, of a user who is.
pub async fn a_grant_is_alive_while_its_user_is(on: &Repositories) {
    let disabled = User { disabled_at: Some(NOON), ..builders::user("disabled-granter") };
    let user = builders::user("granter");
    for user in [&disabled, &user] {
        on.users.add_user(user).await.unwrap();
        let name = user.id.as_str().trim_start_matches("usr_");
        let client = builders::client(name);
        on.clients.put_client(&client).await.unwrap();
        let until = NOON.plus_seconds(60);
        let grant = Grant { expires_at: Some(until), ..builders::grant(name, &user.id, &client.id) };
        on.personal_tokens.add_personal_token(&grant, &builders::personal_token(name, &grant)).await.unwrap();
        let alive = user.disabled_at.is_none();
        let live = async |owner, now| on.grants.live(owner, &grant.id, now).await.unwrap();
        assert_eq!(live(&user.id, NOON).await, alive.then(|| grant.clone()));
        assert_eq!(on.grants.list_grants(&user.id, NOON).await.unwrap().len(), usize::from(alive));
        assert_eq!(live(&user.id, until).await, None, "lapsed");
        let nobody = builders::user_id("nobody");
        assert_eq!(live(&nobody, NOON).await, None, "another user's");
        assert!(on.grants.revoke_grant(&user.id, &grant.id, NOON).await.unwrap());
        assert_eq!(live(&user.id, NOON).await, None, "ended");
    }
}
