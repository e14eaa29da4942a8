//! What browsers keep for us, sealed: a visitor's session before sign-in, an authorization request, and the mark of a
//! device on which somebody has signed in (OWASP "device cookies"). Nothing of it is stored here.

use crate::{AuthorizationServer, SECRET_OCTETS};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use imapmcp_core::{
    secret::{SecretString, TokenHash},
    user::{BrowserSession, Origin},
};

/// First octet of each kind of sealed value, so that none passes for another.
const VISITOR: u8 = b'v';
const DEVICE: u8 = b'd';
pub(crate) const REQUEST: u8 = b'r';

/// Long enough to sign in and decide.
const VISITOR_SECONDS: i64 = 24 * 3600;
/// Browsers keep a cookie for 400 days at most.
const DEVICE_SECONDS: i64 = 400 * 24 * 3600;
const ID_OCTETS: usize = 16;
/// Octets of each address's digest: a stranger's address passes for a known one once in 2^64.
const PERSON_OCTETS: usize = 8;
/// People who may share a device.
const MAX_PEOPLE: usize = 8;

/// A browser in which somebody signed in before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) id: [u8; ID_OCTETS],
    /// Digests of the addresses, the latest last.
    people: Vec<[u8; PERSON_OCTETS]>,
}

impl Device {
    pub(crate) fn knows(&self, email: &str) -> bool {
        self.people.contains(&digest(email))
    }

    fn remember(&mut self, email: &str) {
        let person = digest(email);
        self.people.retain(|known| *known != person);
        self.people.push(person);
        self.people.drain(..self.people.len().saturating_sub(MAX_PEOPLE));
    }
}

fn digest(email: &str) -> [u8; PERSON_OCTETS] {
    let digest = TokenHash::of(&email.trim().to_lowercase()).0;
    std::array::from_fn(|place| digest[place])
}

impl AuthorizationServer {
    /// The cookie of a visitor of this browser who is not signed in.
    pub(crate) fn visitor_cookie(&self, browser: &TokenHash) -> SecretString {
        self.tokens.seal(&[&[VISITOR], &browser.0[..]].concat(), VISITOR_SECONDS).into()
    }

    pub(crate) fn fresh_browser(&self) -> TokenHash {
        let mut browser = [0; SECRET_OCTETS];
        self.entropy.fill(&mut browser);
        TokenHash(browser)
    }

    /// The session that such a cookie is.
    pub(crate) fn visitor(&self, cookie: &str) -> Option<BrowserSession> {
        let payload = self.tokens.open(cookie)?;
        let browser = TokenHash::from_slice(payload.strip_prefix(&[VISITOR])?)?;
        Some(self.visitor_session(cookie, browser))
    }

    pub(crate) fn visitor_session(&self, cookie: &str, browser: TokenHash) -> BrowserSession {
        let now = self.now();
        BrowserSession {
            hash: TokenHash::of(cookie),
            user: None,
            // only who has the cookie can make it, and it does not give the cookie away
            csrf: URL_SAFE_NO_PAD.encode(TokenHash::of(&format!("csrf {cookie}")).0),
            created_at: now,
            authenticated_at: None,
            expires_at: now.plus_seconds(VISITOR_SECONDS),
            used_at: now,
            origin: Origin::default(),
            browser,
        }
    }

    pub(crate) fn device(&self, cookie: &str) -> Option<Device> {
        let payload = self.tokens.open(cookie)?;
        let (id, people) = payload.strip_prefix(&[DEVICE])?.split_first_chunk()?;
        let (people, rest) = people.as_chunks();
        rest.is_empty().then(|| Device { id: *id, people: people.to_vec() })
    }

    /// The cookie for the browser in which the owner of this address has just signed in.
    pub(crate) fn device_cookie(&self, before: Option<Device>, email: &str) -> SecretString {
        let mut device = before.unwrap_or_else(|| {
            let mut id = [0; ID_OCTETS];
            self.entropy.fill(&mut id);
            Device { id, people: Vec::new() }
        });
        device.remember(email);
        let mut payload = vec![DEVICE];
        payload.extend(device.id);
        payload.extend(device.people.iter().flatten());
        self.tokens.seal(&payload, DEVICE_SECONDS).into()
    }
}
