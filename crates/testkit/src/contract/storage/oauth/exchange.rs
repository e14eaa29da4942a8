//! Codes and refresh tokens.

use super::{super::race, Repositories, bearer, consent, parties};
use crate::builders::{self, NOON};
use imapmcp_core::{
    oauth::{Exchange, Salt},
    secret::TokenHash,
    time::Timestamp,
};

async fn spend(on: &Repositories, code: &TokenHash, issue: &str) -> Exchange {
    on.exchanges.spend_code(code, &builders::issue(issue, NOON), NOON).await.unwrap()
}

/// With a salt that goes with the name of the issue.
async fn rotate(on: &Repositories, refresh: &str, issue: &str, now: Timestamp) -> Exchange {
    let (salt, fresh) = (salt(issue), builders::issue(issue, now));
    on.exchanges.rotate(&TokenHash::of(refresh), &fresh, &salt, now).await.unwrap()
}

fn salt(issue: &str) -> Salt {
    TokenHash::of(&format!("{issue}-salt")).0
}

/// Whether the answer is the one that was given for this issue.
fn repeats(outcome: &Exchange, issue: &str) -> bool {
    let lapses = builders::issue(issue, NOON).access_expires_at;
    matches!(outcome, Exchange::Repeated { salt: told, access_expires_at, .. }
        if *told == salt(issue) && *access_expires_at == lapses)
}

/// 32 racers for one code: one gets tokens.
pub async fn a_code_has_one_winner(on: &Repositories) {
    let (user, client) = parties(on, "code-race").await;
    let (_, code) = consent(on, "code-race", &user, &client).await;
    let outcomes = race(32, |number| {
        let (exchanges, hash) = (on.exchanges.clone(), code.hash);
        let issue = builders::issue(&format!("code-race-{number}"), NOON);
        async move { exchanges.spend_code(&hash, &issue, NOON).await.unwrap() }
    })
    .await;
    let issued = outcomes.iter().filter(|outcome| matches!(outcome, Exchange::Issued(_))).count();
    assert_eq!(issued, 1);
}

/// RFC 6749 §4.1.2.
pub async fn a_second_use_of_a_code_ends_the_grant(on: &Repositories) {
    let (user, client) = parties(on, "replay").await;
    let (grant, code) = consent(on, "replay", &user, &client).await;
    let Exchange::Issued(issued) = spend(on, &code.hash, "replay").await else { panic!("the first use") };
    assert_eq!(*issued, grant);
    assert!(on.exchanges.find_code(&code.hash).await.unwrap().unwrap().consumed_at.is_some());
    assert!(bearer(on, "replay-access", NOON).await.is_some());
    assert!(bearer(on, "replay-refresh", NOON).await.is_none(), "a refresh token is no bearer token");

    assert!(matches!(spend(on, &code.hash, "thief").await, Exchange::Replayed));
    assert!(bearer(on, "replay-access", NOON).await.is_none());
    assert!(bearer(on, "thief-access", NOON).await.is_none());
    assert!(matches!(rotate(on, "replay-refresh", "after", NOON).await, Exchange::Invalid));
    assert!(on.grants.list_grants(&user, NOON).await.unwrap().is_empty());
}

/// Lapsed, unknown, or the grant is gone.
pub async fn a_lapsed_code_gives_nothing(on: &Repositories) {
    let (user, client) = parties(on, "lapsed").await;
    let (grant, code) = consent(on, "lapsed", &user, &client).await;
    let late = code.expires_at;
    let outcome = on.exchanges.spend_code(&code.hash, &builders::issue("lapsed", late), late).await.unwrap();
    assert!(matches!(outcome, Exchange::Invalid));
    assert!(matches!(spend(on, &TokenHash::of("unknown"), "x").await, Exchange::Invalid));
    assert!(on.grants.revoke_grant(&user, &grant.id, NOON).await.unwrap());
    assert!(matches!(spend(on, &code.hash, "lapsed").await, Exchange::Invalid));
    assert!(bearer(on, "lapsed-access", NOON).await.is_none());
}

/// The client never saw the new pair, so it asks again with the old refresh token, within a minute.
pub async fn a_lost_answer_can_be_asked_for_again(on: &Repositories) {
    let (user, client) = parties(on, "lost").await;
    let (grant, code) = consent(on, "lost", &user, &client).await;
    spend(on, &code.hash, "lost-0").await;
    let Exchange::Issued(issued) = rotate(on, "lost-0-refresh", "lost-1", NOON).await else {
        panic!("rotates")
    };
    assert_eq!(issued.id, grant.id);
    let soon = NOON.plus_seconds(59);
    let again = rotate(on, "lost-0-refresh", "lost-2", soon).await;
    assert!(repeats(&again, "lost-1"), "{again:?}");
    assert!(bearer(on, "lost-2-access", soon).await.is_none(), "there is no second pair");
    assert!(matches!(rotate(on, "lost-2-refresh", "lost-x", soon).await, Exchange::Invalid));
    assert!(bearer(on, "lost-1-access", soon).await.is_some());
    assert!(matches!(rotate(on, "lost-1-refresh", "lost-3", soon).await, Exchange::Issued(_)));
    assert!(bearer(on, "lost-1-access", soon).await.is_some(), "an access token outlives a rotation");
    assert!(bearer(on, "lost-3-access", soon).await.is_some());
}

/// Later than that a spent refresh token is a stolen one, whether or not the pair that it gave was used: after a minute or
/// after weeks, and however often the minute was begun anew.
pub async fn a_refresh_token_spent_long_ago_ends_the_grant(on: &Repositories) {
    let (user, client) = parties(on, "stale").await;
    for (name, again, late) in
        [("stale-minute", None, 60), ("stale-weeks", None, 20 * 24 * 3600), ("stale-again", Some(50), 100)]
    {
        let (_, code) = consent(on, name, &user, &client).await;
        spend(on, &code.hash, &format!("{name}-0")).await;
        let old = format!("{name}-0-refresh");
        assert!(matches!(rotate(on, &old, &format!("{name}-1"), NOON).await, Exchange::Issued(_)));
        let newest = format!("{name}-1-refresh");
        if let Some(again) = again {
            let again = rotate(on, &old, &format!("{name}-2"), NOON.plus_seconds(again)).await;
            assert!(repeats(&again, &format!("{name}-1")));
        }
        let late = NOON.plus_seconds(late);
        let thief = rotate(on, &old, &format!("{name}-thief"), late).await;
        assert!(matches!(thief, Exchange::Replayed), "{name}");
        assert!(bearer(on, &format!("{name}-thief-access"), late).await.is_none());
        assert!(matches!(rotate(on, &newest, &format!("{name}-x"), late).await, Exchange::Invalid));
    }
    assert!(on.grants.list_grants(&user, NOON).await.unwrap().is_empty());
}

/// Once the new pair was used, the old refresh token is a stolen one.
pub async fn a_spent_refresh_token_ends_the_grant(on: &Repositories) {
    let (user, client) = parties(on, "reuse").await;
    // The new access token was used; or the new refresh token was.
    for by_refresh in [false, true] {
        let name = format!("reuse-{by_refresh}");
        let (_, code) = consent(on, &name, &user, &client).await;
        spend(on, &code.hash, &format!("{name}-0")).await;
        let (old, new) = (format!("{name}-0-refresh"), format!("{name}-1"));
        assert!(matches!(rotate(on, &old, &new, NOON).await, Exchange::Issued(_)));
        if by_refresh {
            let next = format!("{name}-2");
            assert!(matches!(rotate(on, &format!("{new}-refresh"), &next, NOON).await, Exchange::Issued(_)));
        } else {
            assert!(bearer(on, &format!("{new}-access"), NOON).await.is_some());
        }
        let stolen = rotate(on, &old, &format!("{name}-thief"), NOON.plus_seconds(10)).await;
        assert!(matches!(stolen, Exchange::Replayed), "by refresh: {by_refresh}");
        for dead in ["0-access", "1-access", "2-access", "thief-access"] {
            assert!(bearer(on, &format!("{name}-{dead}"), NOON).await.is_none(), "{dead}");
        }
    }
    assert!(on.grants.list_grants(&user, NOON).await.unwrap().is_empty());
}

/// Sweeping a used access token away must not make the old refresh token look unanswered.
pub async fn the_evidence_of_use_outlives_the_access_token(on: &Repositories) {
    let (user, client) = parties(on, "evidence").await;
    let (_, code) = consent(on, "evidence", &user, &client).await;
    spend(on, &code.hash, "evidence-0").await;
    rotate(on, "evidence-0-refresh", "evidence-1", NOON).await;
    assert!(bearer(on, "evidence-1-access", NOON).await.is_some());
    let later = NOON.plus_seconds(2 * 3600);
    on.tokens.sweep_tokens(later).await.unwrap();
    assert!(on.tokens.find_token(&TokenHash::of("evidence-1-access"), later).await.unwrap().is_none());
    assert!(matches!(rotate(on, "evidence-0-refresh", "evidence-x", later).await, Exchange::Replayed));
}

/// Several processes of one client refresh at the same moment, or one does while another uses its new pair already: none is
/// taken for a thief, all are given one and the same pair, and so a single chain goes on.
pub async fn concurrent_rotations_give_one_pair(on: &Repositories) {
    let (user, client) = parties(on, "rotate-race").await;
    let (_, code) = consent(on, "rotate-race", &user, &client).await;
    spend(on, &code.hash, "rotate-race-first").await;
    let outcomes = race(8, |number| {
        let exchanges = on.exchanges.clone();
        let name = format!("rotate-race-{number}");
        let old = TokenHash::of("rotate-race-first-refresh");
        async move { exchanges.rotate(&old, &builders::issue(&name, NOON), &salt(&name), NOON).await.unwrap() }
    })
    .await;
    let soon = NOON.plus_seconds(9);
    let mut winners = Vec::new();
    for number in 0..8 {
        let name = format!("rotate-race-{number}");
        if bearer(on, &format!("{name}-access"), soon).await.is_some() {
            winners.push(name);
        }
    }
    let [winner] = &winners[..] else { panic!("one pair, not {winners:?}") };
    let issued = outcomes.iter().filter(|outcome| matches!(outcome, Exchange::Issued(_))).count();
    let repeated = outcomes.iter().filter(|outcome| repeats(outcome, winner)).count();
    assert_eq!((issued, repeated), (1, 7));
    let late = rotate(on, "rotate-race-first-refresh", "rotate-race-late", soon).await;
    assert!(repeats(&late, winner), "although the pair is in use");
    assert!(bearer(on, "rotate-race-late-access", soon).await.is_none());

    // the chain goes on, and whoever is left behind by more than the grace ends it
    let hour = NOON.plus_seconds(3600);
    let newest = format!("{winner}-refresh");
    assert!(matches!(rotate(on, &newest, "rotate-race-next", hour).await, Exchange::Issued(_)));
    assert!(bearer(on, "rotate-race-next-access", hour).await.is_some());
    let behind = rotate(on, &newest, "rotate-race-behind", hour.plus_seconds(10)).await;
    assert!(matches!(behind, Exchange::Replayed));
    assert!(bearer(on, "rotate-race-next-access", hour).await.is_none());
    assert!(on.grants.list_grants(&user, NOON).await.unwrap().is_empty());
}

/// What successors are made of is not kept longer than they may be told again.
pub async fn a_salt_is_kept_for_a_minute(on: &Repositories) {
    let (user, client) = parties(on, "salt").await;
    let (_, code) = consent(on, "salt", &user, &client).await;
    spend(on, &code.hash, "salt-0").await;
    rotate(on, "salt-0-refresh", "salt-1", NOON).await;
    on.tokens.sweep_tokens(NOON.plus_seconds(59)).await.unwrap();
    let kept = rotate(on, "salt-0-refresh", "salt-x", NOON.plus_seconds(59)).await;
    assert!(repeats(&kept, "salt-1"));
    on.tokens.sweep_tokens(NOON.plus_seconds(60)).await.unwrap();
    // a clock that is a second behind: no salt, so another pair instead of the one that was never used
    let behind = rotate(on, "salt-0-refresh", "salt-2", NOON.plus_seconds(59)).await;
    assert!(matches!(behind, Exchange::Issued(_)));
    assert!(bearer(on, "salt-1-access", NOON).await.is_none());
    assert!(bearer(on, "salt-2-access", NOON).await.is_some());
}
