//! A house with one demo account, an owner, and whoever else knocks.

use imapmcp_accounts::NewAccount;
use imapmcp_core::{
    account::{Account, Backend},
    id::UserId,
    oauth::{AccountScope, Principal, SendPolicy},
    permission::Permissions,
    store::UserRepository,
    time::SystemClock,
};
use imapmcp_extract::Extractor;
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_mcp_tools::{
    context::{Context, Services},
    error::ToolError,
    registry,
};
use imapmcp_organizing::{Journal, Organizer};
use imapmcp_testhouse::{add_owner, demo_account, ground, no_servers};
use imapmcp_testkit::builders;
use serde_json::Value;
use std::sync::Arc;

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
    house_at(no_servers(), Backend::Demo).await
}

/// One whose account lies there.
pub(crate) async fn house_of(options: MailOptions, backend: Backend) -> House {
    house_at(Arc::new(Mail::new(options).unwrap()), backend).await
}

async fn house_at(mail: Arc<Mail>, backend: Backend) -> House {
    let ground = ground(&mail, Arc::new(SystemClock)).await;
    let owner = add_owner(&ground).await;
    ground.database.add_user(&builders::user("stranger")).await.unwrap();
    let (accounts, parcels) = (Arc::new(ground.accounts()), ground.parcels());
    let account = accounts.add(&owner.user, NewAccount { backend, ..demo_account() }).await.unwrap();
    let services = Services {
        delivery: ground.delivery(&accounts, &parcels),
        styles: Arc::new(ground.styles()),
        attachments: Arc::new(ground.attachments(&accounts)),
        uploads: Arc::new(ground.uploads(&parcels)),
        extractor: Extractor::in_process(),
        organizer: Organizer::new(
            Journal::new(ground.database.clone(), tokio::runtime::Handle::current()),
            ground.clock.clone(),
            ground.entropy.clone(),
        ),
        accounts,
        clock: ground.clock,
        entropy: ground.entropy,
        accounts_url: "http://localhost:3000/accounts".into(),
    };
    House { services, owner, account }
}

impl House {
    pub(crate) async fn ask(
        &self,
        who: &Principal,
        tool: &str,
        arguments: Value,
    ) -> Result<Value, ToolError> {
        let context = Context { principal: who, services: &self.services, progress: None };
        registry::call(tool, arguments.as_object().unwrap(), &context).await.map(|reply| reply.value)
    }

    pub(crate) async fn owner(&self, tool: &str, arguments: Value) -> Value {
        self.ask(&self.owner, tool, arguments).await.unwrap()
    }

    pub(crate) async fn code(&self, who: &Principal, tool: &str, arguments: Value) -> &'static str {
        self.ask(who, tool, arguments).await.unwrap_err().code()
    }
}
