#![doc = include_str!("../README.md")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking")]

use imapmcp_accounts::NewAccount;
use imapmcp_bootstrap::Ground;
use imapmcp_core::{
    account::{Account, AuthKind, Backend},
    id::ClientId,
    mail::{MailStore, Submission},
    oauth::{Grant, Principal},
    permission::Permissions,
    random::Entropy,
    secret::{Binding, Vault as _},
    store::{PersonalTokenRepository, UserRepository},
    time::Clock,
};
use imapmcp_egress::{Dialer, Policy};
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_storage::Database;
use imapmcp_testkit::builders;
use imapmcp_vault::{KeyRing, RingVault, SystemEntropy};
use std::{sync::Arc, time::Duration};

/// The origin of every house.
pub const ORIGIN: &str = "https://mail.example";

/// A database in memory that tells the time by this clock, a key ring, and these mail servers.
pub async fn ground<M>(mail: &Arc<M>, clock: Arc<dyn Clock>) -> Ground
where
    M: MailStore + Submission + 'static,
{
    let database = Database::open(&"sqlite::memory:".parse().unwrap()).await.unwrap();
    let database = database.with_clock(Arc::clone(&clock));
    database.migrate().await.unwrap();
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    Ground {
        database: Arc::new(database),
        vault: Arc::new(vault(&entropy)),
        clock,
        entropy,
        mail: Arc::clone(mail) as _,
        submission: Arc::clone(mail) as _,
        origin: ORIGIN.to_owned(),
        upload_silence: Duration::from_secs(1),
    }
}

/// A new key ring's.
pub fn vault(entropy: &Arc<dyn Entropy>) -> RingVault {
    let ring = KeyRing::generate(&**entropy);
    RingVault::open(&ring, &[ring.first_record(builders::NOON)], Arc::clone(entropy)).unwrap()
}

/// The adapters of the programs, which reach no server but the demonstration's.
pub fn no_servers() -> Arc<Mail> {
    Arc::new(Mail::new(MailOptions::new(Arc::new(Dialer::new("".parse::<Policy>().unwrap())))).unwrap())
}

/// Adds the user `usr_owner`, whose personal token of the grant `grt_g` has every permission on every account.
pub async fn add_owner(ground: &Ground) -> Principal {
    let owner = builders::user("owner");
    ground.database.add_user(&owner).await.unwrap();
    let grant =
        Grant { permissions: Permissions::all(), ..builders::grant("g", &owner.id, &ClientId::personal()) };
    let token = builders::personal_token("g", &grant);
    ground.database.add_personal_token(&grant, &token).await.unwrap();
    bearer(&grant)
}

/// Whoever carries a token of a grant.
pub fn bearer(grant: &Grant) -> Principal {
    Principal {
        user: grant.user.clone(),
        grant: grant.id.clone(),
        client: grant.client.clone(),
        permissions: grant.permissions,
        accounts: grant.accounts.clone(),
        send_policy: grant.send_policy,
    }
}

/// An account whose password this ground can open.
pub fn sealed(ground: &Ground, account: Account, password: &str) -> Account {
    let context = account.credential_context();
    let binding = Binding::account_credential(&account.id, &account.user, &context);
    let credential = ground.vault.seal(binding, password.as_bytes());
    Account { credential, ..account }
}

/// An account on the demonstration's mailbox.
pub fn demo_account() -> NewAccount {
    NewAccount {
        label: "Demo".into(),
        email: "demo@example.com".into(),
        from_name: Some("Demo".into()),
        backend: Backend::Demo,
        imap_username: "demo@example.com".into(),
        smtp_username: "demo@example.com".into(),
        auth: AuthKind::Password,
        password: "x".into(),
        is_default: true,
    }
}
