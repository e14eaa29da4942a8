//! Bearers, personal tokens, revocation.

use super::{Repositories, bearer, consent, parties};
use crate::builders::{self, NOON, RESOURCE};
use imapmcp_core::{
    account::Account,
    id::ClientId,
    oauth::{AccountGrant, AccountScope, Grant, SendPolicy, Token, TokenKind},
    permission::{Permission, Permissions},
    secret::TokenHash,
    user::User,
};

fn personal(name: &str, user: &imapmcp_core::id::UserId) -> (Grant, Token) {
    let grant = builders::grant(name, user, &ClientId::personal());
    let token = builders::personal_token(name, &grant);
    (grant, token)
}

/// Token, grant and user alive, the resource right: everything the grant says is handed over.
pub async fn a_bearer_is_known_by_a_live_token_for_this_resource(on: &Repositories) {
    let user = builders::user("bearer");
    on.users.add_user(&user).await.unwrap();
    let (grant, token) = personal("bearer", &user.id);
    let [one, two] = ["one", "two"].map(|label| builders::account(&user.id, label));
    for account in [&one, &two] {
        on.accounts.add_account(account).await.unwrap();
    }
    let at = |account: &Account, permissions, send_policy| AccountGrant {
        account: account.id.clone(),
        permissions,
        send_policy,
    };
    let read = Permissions::from([Permission::Read]);
    let grant = Grant {
        permissions: Permissions::from([Permission::Organize]),
        accounts: AccountScope::Some(vec![
            at(&one, read, SendPolicy::Approval),
            at(&two, Permissions::from([Permission::Organize]), SendPolicy::UndoWindow(30)),
        ]),
        send_policy: SendPolicy::UndoWindow(30),
        expires_at: Some(NOON.plus_seconds(100)),
        ..grant
    };
    let token = Token { expires_at: Some(NOON.plus_seconds(50)), ..token };
    on.personal_tokens.add_personal_token(&grant, &token).await.unwrap();
    let found = bearer(on, "bearer", NOON).await.unwrap();
    assert_eq!((&found.user, &found.grant, &found.client), (&user.id, &grant.id, &grant.client));
    assert_eq!(found.permissions_at(&one.id), read);
    assert_eq!(found.send_policy_at(&one.id), SendPolicy::Approval);
    assert_eq!((found.permissions, &found.accounts), (grant.permissions, &grant.accounts));
    assert_eq!(found.send_policy, SendPolicy::UndoWindow(30));
    assert_eq!(on.grants.list_grants(&user.id, NOON).await.unwrap()[0].accounts, grant.accounts);
    on.accounts.remove_account(&user.id, &two.id).await.unwrap();
    let found = bearer(on, "bearer", NOON).await.unwrap();
    assert!(found.accounts.covers(&one.id) && !found.accounts.covers(&two.id), "what is gone is not covered");
    on.accounts.remove_account(&user.id, &one.id).await.unwrap();
    let found = bearer(on, "bearer", NOON).await.unwrap();
    assert_eq!(found.accounts, AccountScope::Some(Vec::new()), "and never all others instead");

    assert!(bearer(on, "unknown", NOON).await.is_none());
    let elsewhere = on.tokens.principal(&token.hash, &["https://other.example/mcp".to_owned()], NOON).await;
    assert!(elsewhere.unwrap().is_none(), "RFC 8707: for another resource");
    let either = ["https://other.example/mcp".to_owned(), RESOURCE.to_owned()];
    assert!(on.tokens.principal(&token.hash, &either, NOON).await.unwrap().is_some());
    assert!(bearer(on, "bearer", NOON.plus_seconds(50)).await.is_none(), "the token lapsed");

    let (grant, token) = personal("bearer-grant", &user.id);
    let grant = Grant { expires_at: Some(NOON.plus_seconds(50)), ..grant };
    on.personal_tokens.add_personal_token(&grant, &token).await.unwrap();
    assert!(bearer(on, "bearer-grant", NOON).await.is_some());
    assert!(bearer(on, "bearer-grant", NOON.plus_seconds(50)).await.is_none(), "the grant lapsed");

    let disabled = User { disabled_at: Some(NOON), ..builders::user("bearer-disabled") };
    on.users.add_user(&disabled).await.unwrap();
    let (grant, token) = personal("bearer-disabled", &disabled.id);
    on.personal_tokens.add_personal_token(&grant, &token).await.unwrap();
    assert!(bearer(on, "bearer-disabled", NOON).await.is_none());
}

/// The first use at once, later ones when a minute has passed.
pub async fn use_is_noted_to_the_minute(on: &Repositories) {
    let user = builders::user("noted");
    on.users.add_user(&user).await.unwrap();
    let (grant, token) = personal("noted", &user.id);
    on.personal_tokens.add_personal_token(&grant, &token).await.unwrap();
    for (at, noted) in [(0, 0), (59, 0), (60, 60), (100, 60), (200, 200)] {
        assert!(bearer(on, "noted", NOON.plus_seconds(at)).await.is_some());
        let row = on.tokens.find_token(&token.hash, NOON).await.unwrap().unwrap();
        assert_eq!(row.token.used_at, Some(NOON.plus_seconds(noted)), "after {at} s");
        assert_eq!(row.grant.used_at, Some(NOON.plus_seconds(noted)), "after {at} s");
    }
}

/// Per user or all; ended by the identifier that lists show.
pub async fn personal_tokens_are_listed_and_ended(on: &Repositories) {
    let (one, other) = (builders::user("pat-one"), builders::user("pat-other"));
    for user in [&one, &other] {
        on.users.add_user(user).await.unwrap();
        let (grant, token) = personal(user.id.as_str().trim_start_matches("usr_"), &user.id);
        on.personal_tokens.add_personal_token(&grant, &token).await.unwrap();
    }
    let (grant, token) = personal("pat-short", &one.id);
    let token = Token { expires_at: Some(NOON.plus_seconds(10)), ..token };
    on.personal_tokens.add_personal_token(&grant, &token).await.unwrap();
    let names = async |user, now| {
        let list = on.personal_tokens.list_personal_tokens(user, now).await.unwrap();
        assert!(
            list.iter().all(|row| row.token.kind == TokenKind::Personal && row.token.grant == row.grant.id)
        );
        let mut names: Vec<_> = list.into_iter().map(|row| row.token.id.to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(names(Some(&one.id), NOON).await, ["tok_pat-one", "tok_pat-short"]);
    assert_eq!(names(Some(&one.id), NOON.plus_seconds(10)).await, ["tok_pat-one"]);
    assert!(names(None, NOON).await.iter().any(|name| name == "tok_pat-other"));

    assert!(on.personal_tokens.revoke_personal_token(&builders::token_id("pat-one"), NOON).await.unwrap());
    assert!(!on.personal_tokens.revoke_personal_token(&builders::token_id("pat-one"), NOON).await.unwrap());
    assert!(!on.personal_tokens.revoke_personal_token(&builders::token_id("nothing"), NOON).await.unwrap());
    assert!(bearer(on, "pat-one", NOON).await.is_none());
    assert!(bearer(on, "pat-other", NOON).await.is_some());
    assert_eq!(names(Some(&one.id), NOON).await, ["tok_pat-short"]);
}

/// Newest first; another user's grant is an unknown one.
pub async fn grants_are_ended_by_their_user_only(on: &Repositories) {
    let (user, client) = parties(on, "grants").await;
    let (stranger, _) = parties(on, "grants-stranger").await;
    let (old, code) = consent(on, "grants", &user, &client).await;
    on.exchanges.spend_code(&code.hash, &builders::issue("grants", NOON), NOON).await.unwrap();
    let (new, token) = personal("grants-new", &user);
    let new = Grant { created_at: NOON.plus_seconds(1), ..new };
    on.personal_tokens.add_personal_token(&new, &token).await.unwrap();
    assert_eq!(on.grants.list_grants(&user, NOON).await.unwrap(), [new.clone(), old.clone()]);

    assert!(!on.grants.revoke_grant(&stranger, &old.id, NOON).await.unwrap());
    assert!(bearer(on, "grants-access", NOON).await.is_some());
    assert!(on.grants.revoke_grant(&user, &old.id, NOON).await.unwrap());
    assert!(!on.grants.revoke_grant(&user, &old.id, NOON).await.unwrap());
    assert!(bearer(on, "grants-access", NOON).await.is_none());
    assert!(on.exchanges.find_code(&code.hash).await.unwrap().is_none());
    let listed = on.grants.list_grants(&user, NOON).await.unwrap();
    assert_eq!(listed.into_iter().map(|grant| grant.id).collect::<Vec<_>>(), std::slice::from_ref(&new.id));

    let both = [old.id.clone(), new.id.clone(), builders::grant_id("grants-none")];
    let mut names = on.grants.list_client_names(&user, &both).await.unwrap();
    names.sort();
    let mut expected = [(old.id, old.client_name), (new.id, new.client_name)];
    expected.sort();
    assert_eq!(names, expected, "also of the one that ended");
    assert_eq!(on.grants.list_client_names(&stranger, &both).await.unwrap(), []);
    assert_eq!(on.grants.list_client_names(&user, &[]).await.unwrap(), []);
}

/// RFC 7009 §2.1.
pub async fn a_client_revokes_its_own_tokens_only(on: &Repositories) {
    let (user, client) = parties(on, "revoker").await;
    let (_, stranger) = parties(on, "revoker-stranger").await;
    for (name, presented) in [("revoke-a", "revoke-a-access"), ("revoke-b", "revoke-b-refresh")] {
        let (_, code) = consent(on, name, &user, &client).await;
        on.exchanges.spend_code(&code.hash, &builders::issue(name, NOON), NOON).await.unwrap();
        let (hash, access) = (TokenHash::of(presented), format!("{name}-access"));
        assert!(!on.tokens.revoke_token(&hash, &stranger.id, NOON).await.unwrap());
        assert!(!on.tokens.revoke_token(&TokenHash::of("unknown"), &client.id, NOON).await.unwrap());
        assert!(bearer(on, &access, NOON).await.is_some());
        assert!(on.tokens.revoke_token(&hash, &client.id, NOON).await.unwrap());
        assert!(bearer(on, &access, NOON).await.is_none());
        assert!(
            on.tokens.find_token(&TokenHash::of(&format!("{name}-refresh")), NOON).await.unwrap().is_none()
        );
    }
}

/// What lapsed is removed; the rest stays.
pub async fn lapsed_rows_are_swept(on: &Repositories) {
    // Far enough ahead that everything the other parts left has lapsed.
    on.tokens.sweep_tokens(NOON.plus_seconds(365 * 24 * 3600)).await.unwrap();
    let (user, client) = parties(on, "sweep").await;
    let (_, code) = consent(on, "sweep", &user, &client).await;
    on.exchanges.spend_code(&code.hash, &builders::issue("sweep", NOON), NOON).await.unwrap();
    let (grant, token) = personal("sweep-personal", &user);
    on.personal_tokens.add_personal_token(&grant, &token).await.unwrap();

    assert_eq!(on.tokens.sweep_tokens(NOON).await.unwrap(), 0);
    assert_eq!(on.tokens.sweep_tokens(NOON.plus_seconds(60)).await.unwrap(), 1, "the code");
    assert_eq!(
        on.tokens.sweep_tokens(NOON.plus_seconds(3600)).await.unwrap(),
        2,
        "decision and access token"
    );
    assert_eq!(
        on.tokens.sweep_tokens(NOON.plus_seconds(31 * 24 * 3600)).await.unwrap(),
        1,
        "the refresh token"
    );
    assert!(bearer(on, "sweep-personal", NOON.plus_seconds(365 * 24 * 3600)).await.is_some());
}
