//! Logins and adapters for the private servers.

use imapmcp_core::account::{Backend, Credential, Endpoint, Login, Security};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_testkit::servers::MailServers;
use std::sync::Arc;

/// Adapters that may reach the servers and trust their authority.
pub(crate) fn mail(servers: &MailServers, change: impl FnOnce(&mut MailOptions)) -> Mail {
    let dialer = Dialer::new(servers.egress().parse().unwrap());
    let mut options = MailOptions::new(Arc::new(dialer));
    options.ca_file = Some(servers.ca_file());
    change(&mut options);
    Mail::new(options).unwrap()
}

/// A login with a password.
pub(crate) fn login(servers: &MailServers, address: &str, password: &str, security: Security) -> Login {
    let endpoint = |plain: u16, tls: u16| Endpoint {
        host: "localhost".into(),
        port: if security == Security::Tls { tls } else { plain },
        security,
    };
    Login {
        user: format!("usr_{}", address.split('@').next().unwrap()).parse().unwrap(),
        account: format!("acc_{}", address.split('@').next().unwrap()).parse().unwrap(),
        version: 1,
        backend: Backend::Servers {
            imap: endpoint(servers.imap_port, servers.imaps_port),
            smtp: endpoint(servers.smtp_port, servers.smtps_port),
        },
        imap_username: address.into(),
        smtp_username: address.into(),
        credential: Credential::Password(password.into()),
    }
}
