//! The fields of a new account: what was typed, and the account it means.

use imapmcp_accounts::{InvalidAccount, NewAccount};
use imapmcp_core::{
    account::{AuthKind, Backend, Endpoint, Security},
    form::Parameters,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What was typed, to be shown again. Never the password.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Values {
    pub(crate) email: String,
    pub(crate) label: String,
    from_name: String,
    imap_host: String,
    imap_port: String,
    imap_security: String,
    imap_username: String,
    smtp_host: String,
    smtp_port: String,
    smtp_security: String,
    smtp_username: String,
}

/// What is wrong, by field.
pub(crate) type Errors = BTreeMap<&'static str, String>;

impl Default for Values {
    /// The usual ports (RFC 8314 §7).
    fn default() -> Self {
        let empty = String::new;
        Self {
            email: empty(),
            label: empty(),
            from_name: empty(),
            imap_host: empty(),
            imap_port: "993".to_owned(),
            imap_security: "tls".to_owned(),
            imap_username: empty(),
            smtp_host: empty(),
            smtp_port: "465".to_owned(),
            smtp_security: "tls".to_owned(),
            smtp_username: empty(),
        }
    }
}

impl Values {
    /// Reads the form.
    pub(crate) fn submitted(form: &Parameters) -> Self {
        let field = |name| form.first(name).trim().to_owned();
        Self {
            email: field("email"),
            label: field("label"),
            from_name: field("from_name"),
            imap_host: field("imap_host"),
            imap_port: field("imap_port"),
            imap_security: field("imap_security"),
            imap_username: field("imap_username"),
            smtp_host: field("smtp_host"),
            smtp_port: field("smtp_port"),
            smtp_security: field("smtp_security"),
            smtp_username: field("smtp_username"),
        }
    }

    /// The account they mean. User names that are left empty are the e-mail address.
    pub(crate) fn account(&self, password: &str, allow_insecure: bool) -> Result<NewAccount, Errors> {
        let mut errors = Errors::new();
        let imap = endpoint(&self.imap_host, &self.imap_port, &self.imap_security, allow_insecure);
        let smtp = endpoint(&self.smtp_host, &self.smtp_port, &self.smtp_security, allow_insecure);
        for (field, missing, text) in [
            ("email", self.email.is_empty(), "Enter an e-mail address, such as marie@example.org."),
            ("imap_host", self.imap_host.is_empty(), "Enter a host, such as imap.example.org."),
            ("smtp_host", self.smtp_host.is_empty(), "Enter a host, such as smtp.example.org."),
            (
                "imap_port",
                imap.is_none(),
                "Enter a port from 1 to 65535, usually 993, and choose an encryption.",
            ),
            (
                "smtp_port",
                smtp.is_none(),
                "Enter a port from 1 to 65535, usually 465, and choose an encryption.",
            ),
            ("password", password.is_empty(), "Enter the password of the mailbox."),
        ] {
            if missing {
                errors.insert(field, text.to_owned());
            }
        }
        let (Some(imap), Some(smtp), true) = (imap, smtp, errors.is_empty()) else { return Err(errors) };
        let or_email = |name: &str| if name.is_empty() { self.email.clone() } else { name.to_owned() };
        Ok(NewAccount {
            label: self.label.clone(),
            email: self.email.clone(),
            from_name: (!self.from_name.is_empty()).then(|| self.from_name.clone()),
            backend: Backend::Servers { imap, smtp },
            imap_username: or_email(&self.imap_username),
            smtp_username: or_email(&self.smtp_username),
            auth: AuthKind::Password,
            password: password.into(),
            is_default: false,
        })
    }

    pub(super) fn sample() -> Self {
        Self {
            email: "marie@example.org".to_owned(),
            label: "Personal".to_owned(),
            imap_host: "imap.example.org".to_owned(),
            imap_security: "insecure".to_owned(),
            smtp_security: "starttls".to_owned(),
            ..Self::default()
        }
    }
}

/// The error under the field it is about.
pub(crate) fn invalid(error: &InvalidAccount) -> Errors {
    let field = match error.field {
        "email" => "email",
        "label" => "label",
        "from_name" => "from_name",
        "imap host" => "imap_host",
        "smtp host" => "smtp_host",
        "imap user name" => "imap_username",
        "smtp user name" => "smtp_username",
        "password" => "password",
        _ => "form",
    };
    Errors::from([(field, format!("This {}.", error.problem))])
}

fn endpoint(host: &str, port: &str, security: &str, allow_insecure: bool) -> Option<Endpoint> {
    let security = match security {
        "tls" => Security::Tls,
        "starttls" => Security::StartTls,
        "insecure" if allow_insecure => Security::Insecure,
        _ => return None,
    };
    let port = port.parse().ok().filter(|port| *port > 0)?;
    Some(Endpoint { host: host.to_owned(), port, security })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(extra: &[(&str, &str)]) -> Values {
        let mut pairs = vec![
            ("email", "marie@example.org"),
            ("imap_host", "imap.example.org"),
            ("imap_port", "993"),
            ("imap_security", "tls"),
            ("smtp_host", "smtp.example.org"),
            ("smtp_port", "587"),
            ("smtp_security", "starttls"),
        ];
        pairs.retain(|(name, _)| extra.iter().all(|(other, _)| other != name));
        pairs.extend(extra);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Values::submitted(&Parameters::parse(body.as_bytes()))
    }

    #[test]
    fn an_empty_user_name_is_the_address() {
        let account = typed(&[("smtp_username", "marie")]).account("secret", false).unwrap();
        assert_eq!((&*account.imap_username, &*account.smtp_username), ("marie@example.org", "marie"));
    }

    #[test]
    fn each_wrong_field_has_its_own_words() {
        let errors = typed(&[("imap_port", "0"), ("smtp_port", "x"), ("smtp_host", "")])
            .account("", false)
            .unwrap_err();
        assert_eq!(
            errors.keys().copied().collect::<Vec<_>>(),
            ["imap_port", "password", "smtp_host", "smtp_port"]
        );
    }

    #[test]
    fn no_encryption_is_the_operators_choice() {
        let values = typed(&[("imap_security", "insecure")]);
        assert!(values.account("secret", false).is_err());
        assert!(values.account("secret", true).is_ok());
    }
}
