use imapmcp_core::{
    account::{AuthKind, Backend, Endpoint},
    address::EmailAddress,
    secret::{ExposeSecret, SecretString},
};

/// An account to be.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The user's own name for it; the address when empty.
    pub label: String,
    /// The address mail is sent from.
    pub email: String,
    /// The display name mail is sent with.
    pub from_name: Option<String>,
    /// Servers.
    pub backend: Backend,
    /// Login name at the IMAP server.
    pub imap_username: String,
    /// Login name at the submission server.
    pub smtp_username: String,
    /// How to present the credential.
    pub auth: AuthKind,
    /// Password or refresh token.
    pub password: SecretString,
    /// Make it the one to use when none is named.
    pub is_default: bool,
}

/// A field of a new account is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct InvalidAccount {
    /// Which.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl NewAccount {
    /// One whose login names are its address, at these servers.
    pub fn new(email: &str, backend: Backend, password: SecretString) -> Self {
        Self {
            label: String::new(),
            email: email.to_owned(),
            from_name: None,
            backend,
            imap_username: email.to_owned(),
            smtp_username: email.to_owned(),
            auth: AuthKind::Password,
            password,
            is_default: false,
        }
    }

    /// Checks every field, the address first; fills an empty label with it.
    pub(crate) fn checked(mut self) -> Result<(EmailAddress, Self), InvalidAccount> {
        let wrong = |field, problem| Err(InvalidAccount { field, problem });
        let has_control = |text: &str| text.chars().any(char::is_control);
        let Ok(address) = self.email.parse() else { return wrong("email", "is not an e-mail address") };
        let label = self.label.trim();
        self.label = if label.is_empty() { self.email.clone() } else { label.to_owned() };
        if self.label.chars().count() > 80 || has_control(&self.label) {
            return wrong("label", "is longer than 80 characters or holds a control character");
        }
        self.from_name = self.from_name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        if self.from_name.as_deref().is_some_and(|name| name.chars().count() > 100 || has_control(name)) {
            return wrong("from_name", "is longer than 100 characters or holds a control character");
        }
        if let Backend::Servers { imap, smtp } = &self.backend {
            for (field, endpoint) in [("imap host", imap), ("smtp host", smtp)] {
                if !is_host(endpoint) {
                    return wrong(field, "is not a host name");
                }
            }
            for (field, name) in
                [("imap user name", &self.imap_username), ("smtp user name", &self.smtp_username)]
            {
                if name.is_empty() || name.len() > 320 || has_control(name) {
                    return wrong(field, "is empty, too long or holds a control character");
                }
            }
            let password = self.password.expose_secret();
            if password.is_empty() || password.len() > 10_000 || password.contains(['\r', '\n', '\0']) {
                return wrong("password", "is empty, too long or holds a line break");
            }
        }
        Ok((address, self))
    }
}

/// Letters, digits, dots and hyphens, or an address literal; what it resolves to is the dialer's business.
fn is_host(endpoint: &Endpoint) -> bool {
    let host = endpoint.host.as_str();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>().is_ok();
    let name = !host.is_empty()
        && host.len() <= 253
        && !host.starts_with(['.', '-'])
        && host.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-' || c == '_');
    endpoint.port > 0 && (literal || name)
}
