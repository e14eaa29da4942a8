use imapmcp_core::{
    form::Parameters,
    oauth::{AccountScope, SendPolicy},
    permission::Permissions,
    store::UserRepository,
    user::{BrowserSession, Origin},
};
use imapmcp_oauth_server::{
    AuthorizationServer, AuthorizationServerDeps, AuthorizeError, Config, Consent, Lifetime, NewSession,
    OAuthError, Registration, SignIn, SignInError, Stores, TokenResponse, password,
};
use imapmcp_storage::Database;
use imapmcp_testkit::{FakeClock, GlassTokens, SeededEntropy, builders};
use std::sync::Arc;

/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const REDIRECT: &str = "https://client.example/cb";
pub(crate) const RESOURCE: &str = "https://mail.example/mcp";
pub(crate) const ALIAS: &str = "https://mail.example/api/mcp";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A server on a database in memory, with the user `marie@example.com`.
pub(crate) struct House {
    pub(crate) server: AuthorizationServer,
    pub(crate) database: Arc<Database>,
    pub(crate) clock: Arc<FakeClock>,
}

impl House {
    pub(crate) async fn new() -> Self {
        let house = Self::with(Registration::Open).await;
        let mut marie = builders::user("marie");
        marie.password_hash = Some(password::hash(&PASSWORD.into(), &SeededEntropy::new(9)).unwrap());
        house.database.add_user(&marie).await.unwrap();
        house
    }

    /// Without users.
    pub(crate) async fn with(registration: Registration) -> Self {
        let database = Database::open(&"sqlite::memory:".parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        let database = Arc::new(database);
        let clock = Arc::new(FakeClock::default());
        let server = AuthorizationServer::new(AuthorizationServerDeps {
            config: Config { registration, ..Config::new("https://mail.example").unwrap() },
            stores: Stores::of(&database),
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::default()),
            tokens: Arc::new(GlassTokens::new(clock.clone())),
        });
        Self { server, database, clock }
    }

    /// A registered client with this redirect.
    pub(crate) async fn client(&self, redirect: &str) -> String {
        let body = format!(r#"{{"client_name":"Client","redirect_uris":["{redirect}"]}}"#);
        self.server.register(body.as_bytes(), None, None).await.unwrap().client_id
    }

    pub(crate) async fn marie(&self) -> BrowserSession {
        self.try_sign_in(&self.anonymous().session, "marie@example.com", PASSWORD).await.unwrap().session
    }

    pub(crate) fn anonymous(&self) -> NewSession {
        self.server.begin_session()
    }

    pub(crate) async fn try_sign_in(
        &self,
        old: &BrowserSession,
        email: &str,
        password: &str,
    ) -> Result<NewSession, SignInError> {
        let sign_in = SignIn { email, password: password.into(), origin: Origin::default(), device: None };
        self.server.sign_in(old, sign_in).await
    }

    /// A good request of the client with some parameters replaced (by nothing, if the value is empty) or added.
    pub(crate) async fn authorize(
        &self,
        client: &str,
        changes: &[(&str, &str)],
    ) -> Result<String, AuthorizeError> {
        let session = self.marie().await;
        let valid = self.server.authorize(&request(client, changes)).await?;
        Ok(self.server.hold(&valid, &session))
    }

    /// The whole way to a code, for what the request may be given at most.
    pub(crate) async fn code(&self, client: &str, changes: &[(&str, &str)]) -> String {
        self.code_for(client, changes, Lifetime::Quarter).await
    }

    pub(crate) async fn code_for(
        &self,
        client: &str,
        changes: &[(&str, &str)],
        lifetime: Lifetime,
    ) -> String {
        let session = self.marie().await;
        let valid = self.server.authorize(&request(client, changes)).await.unwrap();
        let id = self.server.hold(&valid, &session);
        let pending = self.server.pending(&id, &session).await.unwrap().unwrap();
        let consent = Consent { lifetime, ..consent(pending.request.permissions) };
        let location = self.server.allow(&id, &session, consent).await.unwrap();
        answer(&location, "code").unwrap()
    }

    pub(crate) async fn exchange(
        &self,
        client: &str,
        code: &str,
        changes: &[(&str, &str)],
    ) -> Result<TokenResponse, OAuthError> {
        let form = changed(
            &[
                ("grant_type", "authorization_code"),
                ("client_id", client),
                ("code", code),
                ("redirect_uri", REDIRECT),
                ("code_verifier", VERIFIER),
            ],
            changes,
        );
        self.server.token(&form).await
    }

    pub(crate) async fn refresh(
        &self,
        client: &str,
        token: &str,
        changes: &[(&str, &str)],
    ) -> Result<TokenResponse, OAuthError> {
        let form = changed(
            &[("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)],
            changes,
        );
        self.server.token(&form).await
    }

    /// Whether the access token is good at `/mcp`.
    pub(crate) async fn lives(&self, access: &str) -> bool {
        self.server.authenticate(Some(&format!("Bearer {access}")), "/mcp", None).await.is_ok()
    }
}

pub(crate) fn consent(permissions: Permissions) -> Consent {
    Consent {
        permissions,
        accounts: AccountScope::Some(vec![builders::account_id("personal")]),
        send_policy: SendPolicy::Immediate,
        lifetime: Lifetime::Quarter,
    }
}

pub(crate) fn request(client: &str, changes: &[(&str, &str)]) -> Parameters {
    changed(
        &[
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", REDIRECT),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "s 1"),
            ("scope", "mail.read mail.send"),
            ("resource", RESOURCE),
        ],
        changes,
    )
}

fn changed(defaults: &[(&str, &str)], changes: &[(&str, &str)]) -> Parameters {
    let mut pairs = defaults.to_vec();
    pairs.retain(|(name, _)| changes.iter().all(|(other, _)| other != name));
    pairs.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    let body: Vec<String> = pairs
        .iter()
        .map(|(name, value)| {
            let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            format!("{name}={value}")
        })
        .collect();
    Parameters::parse(body.join("&").as_bytes())
}

/// A parameter of a redirect's query.
pub(crate) fn answer(location: &str, name: &str) -> Option<String> {
    let query = location.split_once('?')?.1;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
