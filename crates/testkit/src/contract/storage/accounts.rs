//! Mail accounts.

use super::Repositories;
use crate::builders::{self, NOON};
use imapmcp_core::{
    account::{Account, AuthKind, Backend, Endpoint, Failing, Health, LoginTrouble, Security, Side},
    mail::MailError,
    oauth::SendPolicy,
    secret::Sealed,
    store::StoreError,
};

fn same(one: &Account, other: &Account) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

/// Another user's account looks exactly like an unknown one.
pub async fn accounts_belong_to_their_user(on: &Repositories) {
    let (owner, stranger) = (builders::user("owner"), builders::user("stranger"));
    on.users.add_user(&owner).await.unwrap();
    on.users.add_user(&stranger).await.unwrap();
    let account = Account {
        from_name: Some("Ö. Wner".to_owned()),
        is_default: true,
        auth: AuthKind::OAuth2,
        reading: Health::NeedsAttention { why: LoginTrouble::AppPassword, since: NOON },
        sending: Health::Working { since: NOON, failing: Some(Failing { since: NOON, times: 3 }) },
        credential: Sealed(vec![0, 159, 146, 150]),
        backend: Backend::Servers {
            imap: Endpoint { host: "127.0.0.1".to_owned(), port: 65535, security: Security::Insecure },
            smtp: Endpoint { host: "smtp.example.com".to_owned(), port: 587, security: Security::StartTls },
        },
        ..builders::account(&owner.id, "work")
    };
    on.accounts.add_account(&account).await.unwrap();
    same(&on.accounts.find_account(&owner.id, &account.id).await.unwrap().unwrap(), &account);
    let twin = Account { id: builders::account_id("twin"), ..account.clone() };
    assert!(matches!(on.accounts.add_account(&twin).await, Err(StoreError::Conflict(_))));

    assert!(on.accounts.find_account(&stranger.id, &account.id).await.unwrap().is_none());
    assert!(on.accounts.list_accounts(&stranger.id).await.unwrap().is_empty());
    assert!(!on.accounts.remove_account(&stranger.id, &account.id).await.unwrap());
    let stolen = on.accounts.set_credential(&stranger.id, &account.id, 1, &Sealed(vec![6])).await.unwrap();
    assert!(!stolen);
    same(&on.accounts.find_account(&owner.id, &account.id).await.unwrap().unwrap(), &account);

    let demo = Account { backend: Backend::Demo, ..builders::account(&stranger.id, "work") };
    on.accounts.add_account(&demo).await.unwrap();
    let found = on.accounts.find_account(&stranger.id, &demo.id).await.unwrap().unwrap();
    assert_eq!(found.backend, Backend::Demo);

    assert!(on.accounts.remove_account(&owner.id, &account.id).await.unwrap());
    assert!(!on.accounts.remove_account(&owner.id, &account.id).await.unwrap());
    assert!(on.accounts.find_account(&owner.id, &account.id).await.unwrap().is_none());
}

/// The first account is the default, a new default replaces the old one, and a removed default has an heir.
pub async fn one_account_is_the_default(on: &Repositories) {
    let user = builders::user("defaults");
    on.users.add_user(&user).await.unwrap();
    let labels = async || {
        let list = on.accounts.list_accounts(&user.id).await.unwrap();
        assert_eq!(list.iter().filter(|account| account.is_default).count(), usize::from(!list.is_empty()));
        list.into_iter().map(|account| account.label).collect::<Vec<_>>()
    };
    for label in ["m", "z", "a"] {
        on.accounts.add_account(&builders::account(&user.id, label)).await.unwrap();
    }
    assert_eq!(labels().await, ["m", "a", "z"]);
    let b = Account { is_default: true, ..builders::account(&user.id, "b") };
    on.accounts.add_account(&b).await.unwrap();
    assert_eq!(labels().await, ["b", "a", "m", "z"]);
    on.accounts.remove_account(&user.id, &b.id).await.unwrap();
    assert_eq!(labels().await, ["a", "m", "z"]);
    on.accounts.remove_account(&user.id, &builders::account_id("defaults-z")).await.unwrap();
    assert_eq!(labels().await, ["a", "m"]);

    let racing = builders::user("racing-defaults");
    on.users.add_user(&racing).await.unwrap();
    super::race(8, |number| {
        let (accounts, account) = (on.accounts.clone(), builders::account(&racing.id, &format!("l{number}")));
        async move { accounts.add_account(&account).await.unwrap() }
    })
    .await;
    let list = on.accounts.list_accounts(&racing.id).await.unwrap();
    assert_eq!((list.len(), list.iter().filter(|account| account.is_default).count()), (8, 1));
}

/// Of two edits on the same version one wins; a login is only noted for the version it was tried with.
pub async fn a_credential_is_replaced_by_one_edit(on: &Repositories) {
    let user = builders::user("credentials");
    on.users.add_user(&user).await.unwrap();
    let account = builders::account(&user.id, "work");
    on.accounts.add_account(&account).await.unwrap();
    let aliases = ["Team, Ö. <team@example.org>", "me@example.net"].map(|alias| alias.parse().unwrap());
    assert!(on.accounts.set_aliases(&user.id, &account.id, &aliases).await.unwrap());
    assert!(!on.accounts.set_aliases(&builders::user_id("nobody"), &account.id, &[]).await.unwrap());
    assert_eq!(on.accounts.find_account(&user.id, &account.id).await.unwrap().unwrap().aliases, aliases);
    let approval = SendPolicy::Approval;
    assert!(on.accounts.set_send_policy(&user.id, &account.id, approval).await.unwrap());
    let stranger = builders::user_id("nobody");
    assert!(!on.accounts.set_send_policy(&stranger, &account.id, SendPolicy::Immediate).await.unwrap());
    assert_eq!(on.accounts.find_account(&user.id, &account.id).await.unwrap().unwrap().send_policy, approval);
    let refused = Err(MailError::LoginRefused);
    let note = |version, side| on.accounts.note_login(&account.id, version, side, &refused, NOON);
    let health = async || {
        let found = on.accounts.find_account(&user.id, &account.id).await.unwrap().unwrap();
        (found.reading, found.sending)
    };
    let attention = Health::NeedsAttention { why: LoginTrouble::Refused, since: NOON };
    note(1, Side::Sending).await.unwrap();
    assert_eq!(health().await, (Health::Untried, attention), "the other side goes on");
    note(1, Side::Reading).await.unwrap();
    assert_eq!(health().await, (attention, attention));

    assert!(on.accounts.set_credential(&user.id, &account.id, 1, &Sealed(vec![7])).await.unwrap());
    assert!(!on.accounts.set_credential(&user.id, &account.id, 1, &Sealed(vec![8])).await.unwrap());
    let found = on.accounts.find_account(&user.id, &account.id).await.unwrap().unwrap();
    assert_eq!((found.credential, found.credential_version), (Sealed(vec![7]), 2));
    let untried = (Health::Untried, Health::Untried);
    assert_eq!((found.reading, found.sending), untried, "another password is another question");

    note(1, Side::Reading).await.unwrap();
    assert_eq!(health().await, untried, "an answer to the old credential says nothing about the new one");
}

/// Notes of one side leave the other alone, and of refusals without a reason at the same moment none is lost.
pub async fn logins_are_noted_side_by_side(on: &Repositories) {
    let user = builders::user("logins");
    on.users.add_user(&user).await.unwrap();
    let account = builders::account(&user.id, "work");
    on.accounts.add_account(&account).await.unwrap();
    let note = async |side, login: Result<(), MailError>, seconds| {
        on.accounts.note_login(&account.id, 1, side, &login, NOON.plus_seconds(seconds)).await.unwrap();
        let found = on.accounts.find_account(&user.id, &account.id).await.unwrap().unwrap();
        (found.reading, found.sending)
    };
    let works = Health::Working { since: NOON, failing: None };
    assert_eq!(note(Side::Reading, Ok(()), 0).await, (works, Health::Untried));
    assert_eq!(note(Side::Sending, Ok(()), 0).await, (works, works));
    assert_eq!(note(Side::Sending, Err(MailError::NoMechanism), 1).await, (works, works));
    let (reading, sending) = note(Side::Sending, Err(MailError::SubmissionOff), 2).await;
    let since = NOON.plus_seconds(2);
    assert_eq!(
        (reading, sending),
        (works, Health::NeedsAttention { why: LoginTrouble::SubmissionOff, since })
    );
    super::race(3, |number| {
        let (accounts, id) = (on.accounts.clone(), account.id.clone());
        let at = NOON.plus_seconds(600 * i64::try_from(number).unwrap());
        async move {
            let failed = Err(MailError::LoginFailed);
            accounts.note_login(&id, 1, Side::Reading, &failed, at).await.unwrap();
        }
    })
    .await;
    let (reading, _) = note(Side::Reading, Err(MailError::LoginFailed), 600 * 24).await;
    assert!(
        matches!(reading, Health::Working { failing: Some(Failing { times: 2.., .. }), .. }),
        "{reading:?}"
    );
    assert_eq!(note(Side::Reading, Ok(()), 600 * 25).await, (works, sending));
}
