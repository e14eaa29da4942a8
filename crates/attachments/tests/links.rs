//! Links to attachments of the mailbox in memory: as their owner, a stranger, too late, and after everything ended.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use futures_util::TryStreamExt;
use imapmcp_accounts::Accounts;
use imapmcp_attachments::{Attachments, DownloadError, File};
use imapmcp_core::{
    account::Account,
    id::ClientId,
    mail::{Locator, Mailbox, MessageRef, Part},
    oauth::{AccountScope, Grant, Principal},
    store::{GrantRepository, PersonalTokenRepository, UserRepository},
    time::Clock,
    user::User,
};
use imapmcp_storage::Database;
use imapmcp_testhouse::{add_owner, demo_account, ground, no_servers};
use imapmcp_testkit::{FakeClock, builders};
use std::sync::Arc;

struct House {
    attachments: Attachments,
    database: Arc<Database>,
    accounts: Arc<Accounts>,
    clock: Arc<FakeClock>,
    owner: Principal,
    account: Account,
    mailbox: Arc<dyn Mailbox>,
}

const FILE: &[u8] = b"Hello, attachment";

async fn house() -> House {
    let clock = Arc::new(FakeClock::default());
    let ground = ground(&no_servers(), clock.clone()).await;
    let owner = add_owner(&ground).await;
    let accounts = Arc::new(ground.accounts());
    let account = accounts.add(&owner.user, demo_account()).await.unwrap();
    let (_, mailbox) = accounts.mailbox(&owner.user, &account.id).await.unwrap();
    let attachments = ground.attachments(&accounts);
    House { attachments, database: ground.database, accounts, clock, owner, account, mailbox }
}

impl House {
    async fn message(&self) -> (MessageRef, Part) {
        let message = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
            Content-Type: text/html\r\nContent-Disposition: attachment; filename=\"a.html\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
            SGVsbG8sIGF0dGFjaG1lbnQ=\r\n--b--\r\n";
        let at = self.mailbox.append(&"INBOX".into(), message.into(), &[]).await.unwrap().unwrap();
        let message = self.mailbox.message(&Locator::from(at.clone()), 0).await.unwrap();
        (at, message.summary.parts[1].clone())
    }

    fn token(&self, at: &MessageRef, part: &Part) -> String {
        let file = File { account: &self.account.id, at, part, filename: "a.html" };
        let link = self.attachments.link(&self.owner, file);
        link.url.strip_prefix("https://mail.example/attachments/").unwrap().to_owned()
    }

    async fn is_dead(&self, token: &str) -> bool {
        matches!(self.attachments.open(token).await, Err(DownloadError::Expired))
    }
}

#[tokio::test]
async fn a_link_leads_to_the_decoded_octets_for_fifteen_minutes() {
    let house = house().await;
    let (at, part) = house.message().await;
    let token = house.token(&at, &part);
    assert!(
        !token.contains("html") && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    );
    let file = house.attachments.open(&token).await.unwrap();
    let octets: Vec<_> = file.stream().await.unwrap().try_collect().await.unwrap();
    assert_eq!((octets.concat().as_slice(), file.filename.as_str()), (FILE, "a.html"));
    house.clock.advance_seconds(899);
    assert!(!house.is_dead(&token).await);
    house.clock.advance_seconds(2);
    assert!(house.is_dead(&token).await);
}

#[tokio::test]
async fn a_link_dies_with_its_grant_its_account_and_any_change() {
    let house = house().await;
    let (at, part) = house.message().await;
    let token = house.token(&at, &part);
    for place in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
        assert!(house.is_dead(&String::from_utf8(altered).unwrap()).await, "{place}");
    }
    assert!(house.is_dead("").await && house.is_dead("x").await);
    let stranger = Principal { accounts: AccountScope::Some(Vec::new()), ..house.owner.clone() };
    assert_eq!(stranger.user, house.owner.user);
    house.database.revoke_grant(&house.owner.user, &house.owner.grant, house.clock.now()).await.unwrap();
    assert!(house.is_dead(&token).await, "the connection it was made for has ended");

    let other = self::house().await;
    let (at, part) = other.message().await;
    let token = other.token(&at, &part);
    assert!(house.is_dead(&token).await, "another server's keys");
    other.accounts.remove(&other.owner.user, &other.account.id).await.unwrap();
    assert!(other.is_dead(&token).await, "the account is gone");
}

#[tokio::test]
async fn a_link_is_dead_while_its_user_is_disabled_or_its_grant_has_lapsed() {
    let mut house = house().await;
    let (at, part) = house.message().await;
    let now = house.clock.now();
    for (name, disabled_at, expires_at) in
        [("fine", None, None), ("disabled", Some(now), None), ("lapsed", None, Some(now))]
    {
        let user = User { disabled_at, ..builders::user(name) };
        house.database.add_user(&user).await.unwrap();
        let grant = Grant { expires_at, ..builders::grant(name, &user.id, &ClientId::personal()) };
        house.database.add_personal_token(&grant, &builders::personal_token(name, &grant)).await.unwrap();
        house.account = house.accounts.add(&user.id, demo_account()).await.unwrap();
        (house.owner.user, house.owner.grant) = (user.id, grant.id);
        let token = house.token(&at, &part);
        assert_eq!(house.is_dead(&token).await, name != "fine", "{name}");
    }
}
