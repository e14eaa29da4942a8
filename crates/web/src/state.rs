use crate::{
    address,
    arriving::Arriving,
    assets::Assets,
    error::WebError,
    page::{Page, Problem, Shell, Who},
    templates::Templates,
    tries::Tries,
    visitor::Visitor,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, RETRY_AFTER},
    },
    web::Data,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use imapmcp_accounts::Accounts;
use imapmcp_core::{account::Backend, id::UserId, mail::MailError};
use imapmcp_delivery::Delivery;
use imapmcp_oauth_server::{AuthorizationServer, Guess, TooMany};
use imapmcp_writing_style::Styles;
use ipnet::IpNet;
use std::{
    net::IpAddr,
    num::{NonZero, NonZeroU32},
    sync::Arc,
};

/// Clients one network may register in a minute.
const REGISTRATIONS_PER_MINUTE: NonZeroU32 = NonZero::new(30).expect("not zero");
/// People of one network who may sign up in a minute.
const SIGN_UPS_PER_MINUTE: NonZeroU32 = NonZero::new(10).expect("not zero");

/// What the pages are made of.
pub struct WebDeps {
    /// Authorization server, sessions, sign-in.
    pub server: Arc<AuthorizationServer>,
    /// Mail accounts.
    pub accounts: Arc<Accounts>,
    /// The outbox.
    pub delivery: Delivery,
    /// Writing styles.
    pub styles: Arc<Styles>,
    /// Whether the operator permits mail servers without TLS (offered in the form then).
    pub allow_insecure: bool,
    /// Reverse proxies whose X-Forwarded-For counts.
    pub trusted_proxies: Vec<IpNet>,
}

/// Too many passwords were tried at a mail server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooManyTries {
    retry_after: u32,
}

impl TooManyTries {
    /// What the page says.
    pub(crate) fn problem(self, title: &'static str) -> Problem {
        let minutes = self.retry_after.div_ceil(60);
        let unit = if minutes == 1 { "minute" } else { "minutes" };
        let text = format!("Too many passwords were tried there. Wait {minutes} {unit}, then try again.");
        Problem::new(title, text)
    }

    /// Tells programs when.
    pub(crate) fn mark(self, mut response: HttpResponse) -> HttpResponse {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(self.retry_after));
        response
    }
}

/// Notes that a link of a request was not made here or leads nowhere any more; `Err` if there were too many of them.
pub(crate) fn wrong_link(request: &HttpRequest) -> Result<(), TooMany> {
    let Some(state) = request.app_data::<Data<WebState>>() else { return Ok(()) };
    state.server.wrong(Guess::Link, address::of(request, &state.trusted_proxies))
}

/// State shared by all pages and endpoints.
pub struct WebState {
    pub(crate) server: Arc<AuthorizationServer>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) delivery: Delivery,
    pub(crate) styles: Arc<Styles>,
    pub(crate) allow_insecure: bool,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) registrations: DefaultKeyedRateLimiter<IpAddr>,
    sign_ups: DefaultKeyedRateLimiter<IpAddr>,
    pub(crate) arriving: Arriving,
    pub(crate) tries: Tries,
    pub(crate) templates: Templates,
    pub(crate) assets: Arc<Assets>,
}

impl WebState {
    /// Puts the state together.
    pub(crate) fn with(deps: WebDeps, templates: Templates, assets: Assets) -> Self {
        let WebDeps { server, accounts, delivery, styles, allow_insecure, trusted_proxies } = deps;
        Self {
            server,
            accounts,
            delivery,
            styles,
            allow_insecure,
            trusted_proxies,
            registrations: RateLimiter::keyed(Quota::per_minute(REGISTRATIONS_PER_MINUTE)),
            sign_ups: RateLimiter::keyed(Quota::per_minute(SIGN_UPS_PER_MINUTE)),
            arriving: Arriving::default(),
            tries: Tries::default(),
            templates,
            assets: Arc::new(assets),
        }
    }

    /// Counts somebody who signs up, by their network.
    pub(crate) fn may_sign_up(&self, from: Option<IpAddr>) -> Result<(), TooMany> {
        let Some(from) = from else { return Ok(()) };
        self.sign_ups.check_key(&address::network(from)).map_err(|_| TooMany { retry_after: 60 })
    }

    /// Forgets the limits of networks that have been quiet; call it now and then.
    pub fn sweep(&self) {
        self.registrations.retain_recent();
        self.sign_ups.retain_recent();
    }

    /// Lets a person try the servers of an account, with a password that may be anybody's; `Err` is for the page.
    pub(crate) fn may_try(&self, user: &UserId, backend: &Backend) -> Result<(), TooManyTries> {
        self.tries.begin(user, backend, self.server.now()).map_err(|retry_after| TooManyTries { retry_after })
    }

    /// Notes what came of it.
    pub(crate) fn note_try(&self, backend: &Backend, outcomes: [&Result<(), MailError>; 2]) {
        let refused = |outcome: &Result<(), MailError>| {
            matches!(outcome, Err(MailError::LoginRefused | MailError::LoginFailed | MailError::AppPassword))
        };
        if outcomes.into_iter().any(refused) {
            self.tries.refused(backend, self.server.now());
        }
    }

    /// The address clients connect to.
    pub(crate) fn mcp_url(&self) -> &str {
        let config = self.server.config();
        config.resources.first().unwrap_or(&config.issuer)
    }

    fn shell(&self, visitor: &Visitor, nav: &'static str, waiting: u64) -> Shell<'_> {
        let config = self.server.config();
        Shell {
            host: config.host(),
            issuer: &config.issuer,
            mcp_url: self.mcp_url(),
            version: env!("CARGO_PKG_VERSION"),
            assets: &self.assets,
            nav,
            user: visitor.user.as_ref().map(|user| Who::new(&user.email, user.is_admin)),
            waiting,
            csrf: visitor.session.as_ref().map(|session| session.csrf.clone()).unwrap_or_default(),
        }
    }

    /// A page for a visitor, with this status.
    pub(crate) async fn page<P: Page>(
        &self,
        status: StatusCode,
        visitor: &Visitor,
        nav: &'static str,
        page: &P,
    ) -> Result<HttpResponse, WebError> {
        let waiting = match &visitor.user {
            Some(user) => self.delivery.count_waiting(&user.id).await?,
            None => 0,
        };
        self.written(status, visitor, nav, waiting, page)
    }

    /// A page for somebody of whom nothing is known.
    pub(crate) fn page_for_anybody<P: Page>(
        &self,
        status: StatusCode,
        page: &P,
    ) -> Result<HttpResponse, WebError> {
        self.written(status, &Visitor::default(), "", 0, page)
    }

    fn written<P: Page>(
        &self,
        status: StatusCode,
        visitor: &Visitor,
        nav: &'static str,
        waiting: u64,
        page: &P,
    ) -> Result<HttpResponse, WebError> {
        let html = self.templates.render(&self.shell(visitor, nav, waiting), page)?;
        let mut response = HttpResponse::build(status);
        response.content_type("text/html; charset=utf-8");
        if let Some(cookie) = visitor.cookie(self.server.config()) {
            response.cookie(cookie);
        }
        Ok(response.body(html))
    }
}
