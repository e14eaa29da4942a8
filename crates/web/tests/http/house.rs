//! A whole server but for mail servers.

use async_trait::async_trait;
use imapmcp_attachments::{Attachments, Uploads};
use imapmcp_bootstrap::Ground;
use imapmcp_core::{
    account::{Backend, Credential, Login},
    id::AccountId,
    mail::{
        MailError, MailStore, Mailbox, NetworkFault, Outgoing, Submission, SubmissionEnvelope, SubmitError,
        Submitted,
    },
    secret::ExposeSecret,
    store::{AccountRepository, UserRepository},
};
use imapmcp_delivery::Delivery;
use imapmcp_oauth_server::{AuthorizationServer, Config, password};
use imapmcp_storage::Database;
use imapmcp_testhouse::{ground, sealed};
use imapmcp_testkit::{FakeClock, SeededEntropy, builders};
use imapmcp_web::{WebDeps, WebState};
use imapmcp_writing_style::Styles;
use std::sync::Arc;

pub(crate) const ISSUER: &str = "https://mail.example";
pub(crate) const PASSWORD: &str = "correct horse battery";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const REDIRECT: &str = "https://claude.ai/api/mcp/auth_callback";

pub(crate) struct House {
    pub(crate) state: actix_web::web::Data<WebState>,
    pub(crate) server: Arc<AuthorizationServer>,
    pub(crate) database: Arc<Database>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) delivery: Delivery,
    pub(crate) styles: Arc<Styles>,
    ground: Ground,
}

impl House {
    /// With the users marie and paul; marie has the accounts Personal (default) and Studio.
    pub(crate) async fn new() -> Self {
        let house = Self::empty(ISSUER).await;
        let phc = password::hash(&PASSWORD.into(), &SeededEntropy::new(9)).unwrap();
        for name in ["marie", "paul"] {
            let mut user = builders::user(name);
            user.password_hash = Some(phc.clone());
            house.database.add_user(&user).await.unwrap();
        }
        let marie = builders::user_id("marie");
        for label in ["Personal", "Studio"] {
            let account = sealed(&house.ground, builders::account(&marie, label), "wrong");
            house.database.add_account(&account).await.unwrap();
        }
        house
    }

    /// Without users.
    pub(crate) async fn empty(issuer: &str) -> Self {
        Self::with(Config::new(issuer).unwrap()).await
    }

    /// Without users.
    pub(crate) async fn with(config: Config) -> Self {
        let clock = Arc::new(FakeClock::default());
        let ground = ground(&Arc::new(Servers), clock.clone()).await;
        let server = Arc::new(ground.authorization(config));
        let accounts = Arc::new(ground.accounts());
        let delivery = ground.delivery(&accounts, &ground.parcels());
        let styles = Arc::new(ground.styles());
        let deps = WebDeps {
            server: server.clone(),
            accounts,
            delivery: delivery.clone(),
            styles: styles.clone(),
            allow_insecure: false,
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        };
        let state = actix_web::web::Data::new(WebState::new(deps).unwrap());
        Self { state, server, database: ground.database.clone(), clock, delivery, styles, ground }
    }

    pub(crate) async fn client(&self, name: &str, redirect: &str) -> String {
        let body = serde_json::json!({"client_name": name, "redirect_uris": [redirect]}).to_string();
        self.server.register(body.as_bytes(), None, None).await.unwrap().client_id
    }
}

impl House {
    /// What links to attachments lead through.
    pub(crate) fn attachments(&self) -> Attachments {
        self.ground.attachments(&Arc::new(self.ground.accounts()))
    }

    /// What links for files lead into.
    pub(crate) fn uploads(&self) -> Uploads {
        self.ground.uploads(&self.ground.parcels())
    }
}

/// The app around a house.
macro_rules! app {
    ($house:expr) => {{
        let state = $house.state.clone();
        actix_web::test::init_service(
            actix_web::App::new()
                .configure(move |config| imapmcp_web::configure(config, state))
                .wrap(actix_web::middleware::from_fn(imapmcp_web::read_body))
                .wrap(actix_web::middleware::from_fn(imapmcp_web::harden)),
        )
        .await
    }};
}
pub(crate) use app;

/// Address of `GET /oauth/authorize` for a client.
pub(crate) fn authorize_url(client: &str, redirect: &str, scope: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", redirect),
            ("scope", scope),
            ("state", "xyz"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("resource", "https://mail.example/mcp"),
        ])
        .finish();
    format!("/oauth/authorize?{query}")
}

/// Mail servers that accept the password `right`; nothing answers at submission hosts that start with `silent`.
struct Servers;

fn check(login: &Login) -> Result<(), MailError> {
    let (Credential::Password(secret) | Credential::AccessToken(secret)) = &login.credential;
    if secret.expose_secret() == "right" { Ok(()) } else { Err(MailError::LoginRefused) }
}

#[async_trait]
impl MailStore for Servers {
    fn mailbox(&self, _: &Login) -> Arc<dyn Mailbox> {
        panic!("pages open no mailbox")
    }

    async fn probe(&self, login: &Login) -> Result<(), MailError> {
        check(login)
    }

    fn forget(&self, _: &AccountId) {}
}

#[async_trait]
impl Submission for Servers {
    async fn submit(
        &self,
        _: &Login,
        _: &SubmissionEnvelope,
        _: &Outgoing,
    ) -> Result<Submitted, SubmitError> {
        panic!("pages send nothing")
    }

    async fn probe(&self, login: &Login) -> Result<(), MailError> {
        match &login.backend {
            Backend::Servers { smtp, .. } if smtp.host.starts_with("silent") => {
                Err(MailError::Unreachable(NetworkFault::Connect))
            }
            _ => check(login),
        }
    }
}

impl House {
    /// An account that is not marie's.
    pub(crate) async fn database_account_of_paul(&self) -> String {
        let account = builders::account(&builders::user_id("paul"), "Private");
        self.database.add_account(&account).await.unwrap();
        account.id.to_string()
    }
}
