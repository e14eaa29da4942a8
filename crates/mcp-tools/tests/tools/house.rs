//! A house with one demo account, an owner, and whoever else knocks.

use imapmcp_accounts::{Accounts, AccountsDeps, NewAccount};
use imapmcp_attachments::{Attachments, AttachmentsDeps, Uploads, UploadsDeps};
use imapmcp_core::{
    account::{Account, AuthKind, Backend},
    id::{ClientId, UserId},
    oauth::{AccountScope, Principal, SendPolicy},
    permission::Permissions,
    store::{PersonalTokenRepository, UserRepository},
    time::SystemClock,
};
use imapmcp_delivery::{Delivery, DeliveryDeps};
use imapmcp_egress::{Dialer, Policy};
use imapmcp_extract::Extractor;
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_mcp_tools::{
    context::{Context, Services},
    error::ToolError,
    registry,
};
use imapmcp_organizing::{Journal, Organizer};
use imapmcp_parcels::{Parcels, ParcelsDeps};
use imapmcp_storage::Database;
use imapmcp_testkit::builders;
use imapmcp_vault::{KeyRing, RingVault, SystemEntropy};
use imapmcp_writing_style::{Styles, StylesDeps};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

pub(crate) struct House {
    pub(crate) services: Services,
    pub(crate) owner: Principal,
    pub(crate) account: Account,
}

pub(crate) fn principal(user: &UserId, permissions: Permissions) -> Principal {
    Principal {
        user: user.clone(),
        grant: builders::grant_id("g"),
        client: builders::client("c").id,
        permissions,
        accounts: AccountScope::All,
        send_policy: SendPolicy::Immediate,
    }
}

pub(crate) async fn house() -> House {
    let dialer = Arc::new(Dialer::new("".parse::<Policy>().unwrap()));
    house_of(MailOptions::new(dialer), Backend::Demo).await
}

/// One whose account lies there.
pub(crate) async fn house_of(options: MailOptions, backend: Backend) -> House {
    let database = Database::open(&"sqlite::memory:".parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let database = Arc::new(database);
    let clock = Arc::new(SystemClock);
    let entropy = Arc::new(SystemEntropy);
    let ring = KeyRing::generate(&*entropy);
    let records = [ring.first_record(builders::NOON)];
    let vault = Arc::new(RingVault::open(&ring, &records, entropy.clone()).unwrap());
    let mail = Arc::new(Mail::new(options).unwrap());
    let accounts = Arc::new(Accounts::new(AccountsDeps::of(
        &database,
        &mail,
        vault.clone(),
        clock.clone(),
        entropy.clone(),
    )));
    for name in ["owner", "stranger"] {
        database.add_user(&builders::user(name)).await.unwrap();
    }
    let grant = builders::grant("g", &builders::user_id("owner"), &ClientId::personal());
    database.add_personal_token(&grant, &builders::personal_token("g", &grant)).await.unwrap();
    let account = accounts
        .add(
            &builders::user_id("owner"),
            NewAccount {
                label: "Demo".into(),
                email: "demo@example.com".into(),
                from_name: Some("Demo".into()),
                backend,
                imap_username: "demo@example.com".into(),
                smtp_username: "demo@example.com".into(),
                auth: AuthKind::Password,
                password: "x".into(),
                is_default: true,
            },
        )
        .await
        .unwrap();
    let attachments = Arc::new(Attachments::new(AttachmentsDeps {
        tokens: Arc::new(vault.tokens("attachments", clock.clone())),
        grants: database.clone(),
        accounts: accounts.clone(),
        clock: clock.clone(),
        base_url: "http://localhost:3000".into(),
    }));
    let operations = database.clone();
    let parcels = Parcels::new(ParcelsDeps {
        repository: database.clone(),
        vault: vault.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
    });
    let uploads = Arc::new(Uploads::new(UploadsDeps {
        tokens: Arc::new(vault.tokens("uploads", clock.clone())),
        grants: database.clone(),
        uploads: database.clone(),
        parcels: parcels.clone(),
        vault: vault.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        base_url: "http://localhost:3000".into(),
        silence: Duration::from_secs(1),
    }));
    let styles = Arc::new(Styles::new(StylesDeps {
        repository: database.clone(),
        vault: vault.clone(),
        clock: clock.clone(),
    }));
    let delivery = Delivery::new(DeliveryDeps {
        accounts: accounts.clone(),
        outbox: database,
        parcels,
        submission: mail,
        vault,
        clock: clock.clone(),
        entropy: entropy.clone(),
    });
    let services = Services {
        accounts,
        delivery,
        styles,
        attachments,
        uploads,
        extractor: Extractor::in_process(),
        organizer: Organizer::new(
            Journal::new(operations, tokio::runtime::Handle::current()),
            clock.clone(),
            entropy.clone(),
        ),
        clock,
        entropy,
        accounts_url: "http://localhost:3000/accounts".into(),
    };
    House { services, owner: principal(&builders::user_id("owner"), Permissions::all()), account }
}

impl House {
    pub(crate) async fn ask(
        &self,
        who: &Principal,
        tool: &str,
        arguments: Value,
    ) -> Result<Value, ToolError> {
        let context =
            Context { principal: who, services: &self.services, progress: None, needs: Permissions::NONE };
        registry::call(tool, arguments.as_object().unwrap(), &context).await.map(|reply| reply.value)
    }

    pub(crate) async fn owner(&self, tool: &str, arguments: Value) -> Value {
        self.ask(&self.owner, tool, arguments).await.unwrap()
    }

    pub(crate) async fn code(&self, who: &Principal, tool: &str, arguments: Value) -> &'static str {
        self.ask(who, tool, arguments).await.unwrap_err().code()
    }
}
