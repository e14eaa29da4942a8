//! Invitations, resets, ends.

use super::{Repositories, race};
use crate::builders::{self, NOON};
use imapmcp_core::{
    id::{ClientId, UserId},
    oauth::Grant,
    secret::{ExposeSecret, SecretString, TokenHash},
    store::{Amended, StoreError},
    user::{LinkPurpose, Origin, PasswordLink, User},
};

fn link(name: &str, purpose: LinkPurpose) -> PasswordLink {
    PasswordLink { hash: TokenHash::of(name), purpose, created_at: NOON, expires_at: NOON.plus_seconds(60) }
}

fn invitation(name: &str, email: &str) -> PasswordLink {
    link(name, LinkPurpose::Invitation { email: email.to_owned(), is_admin: true })
}

/// A person with a session and a grant that has a token.
async fn person(on: &Repositories, name: &str) -> (User, Grant) {
    let user = builders::user(name);
    on.users.add_user(&user).await.unwrap();
    on.users.add_session(&builders::session(name, Some(&user.id))).await.unwrap();
    let grant = builders::grant(name, &user.id, &ClientId::personal());
    on.personal_tokens.add_personal_token(&grant, &builders::personal_token(name, &grant)).await.unwrap();
    (user, grant)
}

async fn has_access(on: &Repositories, name: &str, user: &UserId) -> (bool, bool) {
    let session = on.users.find_session(&TokenHash::of(name), NOON).await.unwrap();
    (session.is_some(), !on.grants.list_grants(user, NOON).await.unwrap().is_empty())
}

/// One invitation for each address, whatever its case; it is spent by whoever is first.
pub async fn an_invitation_has_one_winner(on: &Repositories) {
    let (stale, fresh) = (invitation("inv-1", "New@example.com"), invitation("inv-2", "new@EXAMPLE.com"));
    on.people.offer_password_link(&stale).await.unwrap();
    on.people.offer_password_link(&fresh).await.unwrap();
    assert_eq!(
        on.people.find_password_link(&stale.hash, NOON).await.unwrap(),
        None,
        "a newer one took its place"
    );
    assert_eq!(on.people.find_password_link(&fresh.hash, NOON).await.unwrap(), Some(fresh.clone()));
    assert_eq!(on.people.find_password_link(&fresh.hash, fresh.expires_at).await.unwrap(), None, "lapsed");
    assert_eq!(on.people.list_invitations(NOON).await.unwrap(), [fresh.clone()]);
    assert!(on.people.list_invitations(fresh.expires_at).await.unwrap().is_empty());

    let taken = builders::user("people-taken");
    on.users.add_user(&taken).await.unwrap();
    let clash = User { email: taken.email, ..builders::user("people-clash") };
    let refused = on.people.accept_invitation(&fresh.hash, &clash, NOON).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    assert!(
        !on.people
            .accept_invitation(&fresh.hash, &builders::user("people-late"), fresh.expires_at)
            .await
            .unwrap()
    );
    let none = on.people.reset_password(&fresh.hash, &SecretString::from("$argon2id$x"), NOON).await.unwrap();
    assert_eq!(none, None, "an invitation resets nobody");
    on.people.offer_password_link(&fresh).await.unwrap();
    let outcomes = race(20, |number| {
        let (people, user) = (on.people.clone(), builders::user(&format!("people-invited-{number}")));
        async move { people.accept_invitation(&TokenHash::of("inv-2"), &user, NOON).await.unwrap() }
    })
    .await;
    assert_eq!(outcomes.into_iter().filter(|won| *won).count(), 1);

    on.people.offer_password_link(&invitation("inv-3", "other@example.com")).await.unwrap();
    assert!(on.people.withdraw_invitation("OTHER@example.com").await.unwrap());
    assert!(!on.people.withdraw_invitation("other@example.com").await.unwrap());
    on.people.offer_password_link(&invitation("inv-4", "lapsing@example.com")).await.unwrap();
    assert_eq!(on.people.sweep_password_links(NOON).await.unwrap(), 0);
    assert_eq!(on.people.sweep_password_links(fresh.expires_at).await.unwrap(), 1);
}

/// It sets the password once, and whoever was signed in with the old one is out.
pub async fn a_reset_ends_all_access(on: &Repositories) {
    let (user, _) = person(on, "people-reset").await;
    let (other, _) = person(on, "people-bystander").await;
    let reset = link("reset", LinkPurpose::Reset(user.id.clone()));
    on.people.offer_password_link(&link("older", LinkPurpose::Reset(user.id.clone()))).await.unwrap();
    on.people.offer_password_link(&reset).await.unwrap();
    assert_eq!(on.people.find_password_link(&TokenHash::of("older"), NOON).await.unwrap(), None);
    let invited = on.people.accept_invitation(&reset.hash, &builders::user("people-no"), NOON).await.unwrap();
    assert!(!invited, "a reset lets in nobody new");
    let phc = SecretString::from("$argon2id$new");
    assert_eq!(on.people.reset_password(&reset.hash, &phc, reset.expires_at).await.unwrap(), None, "lapsed");
    on.people.offer_password_link(&reset).await.unwrap();
    assert_eq!(on.people.reset_password(&reset.hash, &phc, NOON).await.unwrap(), Some(user.id.clone()));
    assert_eq!(on.people.reset_password(&reset.hash, &phc, NOON).await.unwrap(), None, "once");
    let found = on.users.find_user(&user.id).await.unwrap().unwrap();
    assert_eq!(found.password_hash.unwrap().expose_secret(), "$argon2id$new");
    assert_eq!(has_access(on, "people-reset", &user.id).await, (false, false));
    assert_eq!(has_access(on, "people-bystander", &other.id).await, (true, true));
}

/// The session in which it was changed stays; so it does where somebody signs out everywhere else.
pub async fn a_new_password_spares_the_session_it_was_set_in(on: &Repositories) {
    let (user, grant) = person(on, "people-own").await;
    let origin = Origin { agent: Some("Firefox on Linux".to_owned()), address: "2001:db8::1".parse().ok() };
    let here = imapmcp_core::user::BrowserSession {
        origin: origin.clone(),
        used_at: NOON.plus_seconds(1),
        ..builders::session("people-here", Some(&user.id))
    };
    on.users.add_session(&here).await.unwrap();
    let sessions = on.people.list_sessions(&user.id, NOON).await.unwrap();
    assert_eq!(
        sessions.iter().map(|session| session.hash).collect::<Vec<_>>(),
        [here.hash, TokenHash::of("people-own")]
    );
    assert_eq!(sessions[0].origin, origin);
    let seen = on.people.list_last_seen().await.unwrap();
    assert!(seen.contains(&(user.id.clone(), NOON.plus_seconds(1))));

    let phc = SecretString::from("$argon2id$own");
    assert!(on.people.replace_password(&user.id, &phc, &here.hash, NOON).await.unwrap());
    assert_eq!(on.people.list_sessions(&user.id, NOON).await.unwrap().len(), 1);
    assert_eq!(has_access(on, "people-here", &user.id).await, (true, false));
    assert!(on.grants.live(&user.id, &grant.id, NOON).await.unwrap().is_none());
    assert!(
        !on.people
            .replace_password(&builders::user_id("people-nobody"), &phc, &here.hash, NOON)
            .await
            .unwrap()
    );
    on.people.end_access(&user.id, None, NOON).await.unwrap();
    assert_eq!(has_access(on, "people-here", &user.id).await, (false, false));
}

/// Whoever asks at once, one administrator who can sign in is left.
pub async fn the_last_administrator_stays(on: &Repositories) {
    // those of other parts of the contract cannot sign in while this is tried
    let before: Vec<User> =
        on.users.list_users().await.unwrap().into_iter().filter(|user| user.is_admin).collect();
    let (first, second) = (builders::user("people-first"), builders::user("people-second"));
    for user in [&first, &second] {
        on.users.add_user(&User { is_admin: true, ..user.clone() }).await.unwrap();
    }
    for user in &before {
        assert_eq!(on.people.set_administrator(&user.id, false).await.unwrap(), Amended::Done);
    }
    let outcomes = race(2, |number| {
        let (people, id) = (on.people.clone(), [&first, &second][number].id.clone());
        async move { people.set_disabled(&id, Some(NOON)).await.unwrap() }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|one| **one == Amended::LastAdministrator).count(), 1, "{outcomes:?}");
    let (left, gone) = if outcomes[0] == Amended::Done { (&second, &first) } else { (&first, &second) };
    assert_eq!(on.people.set_administrator(&left.id, false).await.unwrap(), Amended::LastAdministrator);
    assert_eq!(on.people.remove_user(&left.id).await.unwrap(), Amended::LastAdministrator);
    assert_eq!(on.people.set_disabled(&gone.id, None).await.unwrap(), Amended::Done);
    assert_eq!(on.people.set_administrator(&left.id, false).await.unwrap(), Amended::Done);
    for user in &before {
        assert_eq!(on.people.set_administrator(&user.id, true).await.unwrap(), Amended::Done);
    }
    let nobody = builders::user_id("people-nobody");
    assert_eq!(on.people.set_disabled(&nobody, Some(NOON)).await.unwrap(), Amended::Unknown);
    assert_eq!(on.people.set_disabled(&nobody, None).await.unwrap(), Amended::Unknown);
    assert_eq!(on.people.set_administrator(&nobody, true).await.unwrap(), Amended::Unknown);
    assert_eq!(on.people.remove_user(&nobody).await.unwrap(), Amended::Unknown);
}

/// Disabled: out as long as it lasts. Removed: gone, and the address is free.
pub async fn whoever_is_removed_leaves_nothing(on: &Repositories) {
    let (user, grant) = person(on, "people-leaver").await;
    let account = builders::account(&user.id, "Mail");
    on.accounts.add_account(&account).await.unwrap();
    on.people.offer_password_link(&link("leaver", LinkPurpose::Reset(user.id.clone()))).await.unwrap();
    assert_eq!(on.people.set_disabled(&user.id, Some(NOON)).await.unwrap(), Amended::Done);
    assert_eq!(has_access(on, "people-leaver", &user.id).await, (false, false));
    assert_eq!(on.people.set_disabled(&user.id, None).await.unwrap(), Amended::Done);
    assert_eq!(
        has_access(on, "people-leaver", &user.id).await,
        (false, true),
        "the session is over, the grant is not"
    );
    assert_eq!(on.people.remove_user(&user.id).await.unwrap(), Amended::Done);
    assert!(on.users.find_user(&user.id).await.unwrap().is_none());
    assert!(on.accounts.find_account(&user.id, &account.id).await.unwrap().is_none());
    assert!(on.grants.live(&user.id, &grant.id, NOON).await.unwrap().is_none());
    assert_eq!(on.people.find_password_link(&TokenHash::of("leaver"), NOON).await.unwrap(), None);
    on.users.add_user(&User { email: user.email, ..builders::user("people-heir") }).await.unwrap();
}
