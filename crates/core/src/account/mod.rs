//! Mail accounts.

mod health;

pub use health::{Failing, Health, LoginTrouble, Side};

use crate::{
    address::EmailAddress,
    id::{AccountId, UserId},
    oauth::SendPolicy,
    secret::{Sealed, SecretString},
    sender::Sender,
    time::Timestamp,
};

/// Transport security towards a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Security {
    /// TLS from the first octet (RFC 8314 §3).
    Tls,
    /// Upgraded by STARTTLS, which must succeed before any credential leaves.
    StartTls,
    /// No TLS; only to hosts the operator allowed, only with the operator's switch.
    Insecure,
}

/// Where and how to connect.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Host name or address literal.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Transport security.
    pub security: Security,
}

/// How to present the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthKind {
    /// SASL PLAIN or LOGIN.
    Password,
    /// SASL XOAUTH2 with an access token.
    OAuth2,
}

/// What lies behind an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Backend {
    /// Real servers.
    Servers {
        /// Where mail is read.
        imap: Endpoint,
        /// Where mail is submitted.
        smtp: Endpoint,
    },
    /// The demonstration mailbox in memory; it sends nothing anywhere.
    Demo,
}

/// A mail account as stored.
#[derive(Debug, Clone)]
pub struct Account {
    /// Identifier.
    pub id: AccountId,
    /// Owner.
    pub user: UserId,
    /// The user's own name for it, unique per user.
    pub label: String,
    /// The address mail is sent from.
    pub email: EmailAddress,
    /// The display name mail is sent with.
    pub from_name: Option<String>,
    /// The one to use when the user names none.
    pub is_default: bool,
    /// Servers.
    pub backend: Backend,
    /// Login name at the IMAP server.
    pub imap_username: String,
    /// Login name at the submission server.
    pub smtp_username: String,
    /// How to present the credential.
    pub auth: AuthKind,
    /// Sealed password or refresh token.
    pub credential: Sealed,
    /// Counts up with every new credential; pooled connections of an older one are never used again.
    pub credential_version: i32,
    /// Whether logins at the IMAP server work.
    pub reading: Health,
    /// Whether logins at the submission server work.
    pub sending: Health,
    /// How messages of this account leave, whoever sends them; the stricter of this and the grant's holds.
    pub send_policy: SendPolicy,
    /// What stands under messages: the person's own text or HTML, as typed; sanitised where it is used.
    pub signature: Option<String>,
    /// Further addresses that mail of this account is sent from, at most [`MAX_ALIASES`](crate::sender::MAX_ALIASES).
    pub aliases: Vec<Sender>,
    /// When it was added.
    pub created_at: Timestamp,
}

impl Account {
    /// Whether logins of this side work.
    pub const fn health(&self, side: Side) -> Health {
        match side {
            Side::Reading => self.reading,
            Side::Sending => self.sending,
        }
    }

    /// Where the person must act, and why.
    pub fn troubles(&self) -> impl Iterator<Item = (Side, LoginTrouble)> {
        Side::BOTH.into_iter().filter_map(|side| match self.health(side) {
            Health::NeedsAttention { why, .. } => Some((side, why)),
            Health::Untried | Health::Working { .. } => None,
        })
    }

    /// Every address that mail of this account is sent from, its own first.
    pub fn senders(&self) -> Vec<Sender> {
        let own = Sender { name: self.from_name.clone(), email: self.email.clone() };
        std::iter::once(own).chain(self.aliases.iter().cloned()).collect()
    }

    /// The sender of this address, if it is one of the account's.
    pub fn sender(&self, address: &str) -> Option<Sender> {
        self.senders().into_iter().find(|sender| sender.is(address))
    }

    /// Whether the address is one of the account's.
    pub fn owns(&self, address: &str) -> bool {
        self.email.eq_ignore_ascii_case(address) || self.aliases.iter().any(|alias| alias.is(address))
    }

    /// What the credential is bound to besides its row: changing a host, port, security mode or user name
    /// asks for the secret again. It is part of the seal of every stored credential. This is its first version: a text
    /// that differs in one octet opens none of them, so another spelling is a second version, tried before this one.
    pub fn credential_context(&self) -> String {
        match &self.backend {
            Backend::Demo => "demo".to_owned(),
            Backend::Servers { imap, smtp } => format!(
                "{}|{}|{}|{}",
                bound_endpoint(imap),
                bound_endpoint(smtp),
                quoted(&self.imap_username),
                quoted(&self.smtp_username)
            ),
        }
    }
}

/// An endpoint as credentials are bound to it, whatever the type and its fields are called today.
fn bound_endpoint(endpoint: &Endpoint) -> String {
    let security = match endpoint.security {
        Security::Tls => "Tls",
        Security::StartTls => "StartTls",
        Security::Insecure => "Insecure",
    };
    format!("Endpoint {{ host: {}, port: {}, security: {security} }}", quoted(&endpoint.host), endpoint.port)
}

/// In double quotes, escaped as the standard library escapes a text that it shows (`str::escape_debug`): what the first
/// credentials were bound to.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// What to present to a mail server.
#[derive(Debug, Clone)]
pub enum Credential {
    /// SASL PLAIN or LOGIN.
    Password(SecretString),
    /// SASL XOAUTH2 access token.
    AccessToken(SecretString),
}

/// Everything needed to reach one account's mailbox or submission server.
#[derive(Debug, Clone)]
pub struct Login {
    /// Whose account it is: connections are bounded for all accounts of a user together.
    pub user: UserId,
    /// The account: with `version` the key of connection pools.
    pub account: AccountId,
    /// Version of the credential.
    pub version: i32,
    /// Servers.
    pub backend: Backend,
    /// Login name at the IMAP server.
    pub imap_username: String,
    /// Login name at the submission server.
    pub smtp_username: String,
    /// Credential.
    pub credential: Credential,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(imap: Endpoint, smtp: Endpoint, imap_username: &str, smtp_username: &str) -> Account {
        Account {
            id: "acc_a".parse().unwrap(),
            user: "usr_u".parse().unwrap(),
            label: "Work".to_owned(),
            email: "me@example.com".parse().unwrap(),
            from_name: None,
            is_default: true,
            backend: Backend::Servers { imap, smtp },
            imap_username: imap_username.to_owned(),
            smtp_username: smtp_username.to_owned(),
            auth: AuthKind::Password,
            credential: Sealed(Vec::new()),
            credential_version: 1,
            reading: Health::Untried,
            sending: Health::Untried,
            send_policy: SendPolicy::Immediate,
            signature: None,
            aliases: Vec::new(),
            created_at: Timestamp(0),
        }
    }

    fn endpoint(host: &str, port: u16, security: Security) -> Endpoint {
        Endpoint { host: host.to_owned(), port, security }
    }

    /// Every stored password is bound to these very octets.
    #[test]
    fn stored_credentials_stay_bound_to_the_text_they_were_sealed_with() {
        let usual = account(
            endpoint("imap.example.com", 993, Security::Tls),
            endpoint("smtp.example.com", 587, Security::StartTls),
            "me@example.com",
            "me",
        );
        assert_eq!(
            usual.credential_context(),
            r#"Endpoint { host: "imap.example.com", port: 993, security: Tls }|Endpoint { host: "smtp.example.com", port: 587, security: StartTls }|"me@example.com"|"me""#
        );
        let odd = account(
            endpoint("[::1]", 0, Security::Insecure),
            endpoint("bücher.例え.example", 65_535, Security::Tls),
            r#"DOM\me "x" 'y' {z}|"#,
            "a\u{301}ñ\u{a0}\u{200d}\u{202e}\u{e000}\u{fe0f}😀\t\u{7f}\u{85}",
        );
        assert_eq!(
            odd.credential_context(),
            concat!(
                r#"Endpoint { host: "[::1]", port: 0, security: Insecure }|"#,
                r#"Endpoint { host: "bücher.例え.example", port: 65535, security: Tls }|"#,
                r#""DOM\\me \"x\" 'y' {z}|"|"#,
                r#""a\u{301}ñ\u{a0}\u{200d}\u{202e}\u{e000}\u{fe0f}😀\t\u{7f}\u{85}""#
            )
        );
        let demo = Account { backend: Backend::Demo, ..usual };
        assert_eq!(demo.credential_context(), "demo");
    }
}
