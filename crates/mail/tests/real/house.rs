//! A real server, and a mailbox on it.

use crate::below::Below;
use imapmcp_core::{
    account::{Backend, Credential, Endpoint, Login, Security},
    mail::{MailStore, Mailbox},
    time::Timestamp,
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_testkit::servers::{Kind, RealServer};
use std::sync::Arc;

/// Quotes, a backslash and what looks like a literal.
pub(crate) const PASSWORD: &str = "pässwörd \"\\ {3}";

pub(crate) struct House {
    pub(crate) server: RealServer,
    pub(crate) kind: Kind,
}

pub(crate) struct Opened {
    /// With names as the contract writes them.
    pub(crate) mailbox: Arc<dyn Mailbox>,
    pub(crate) login: String,
    pub(crate) mail: Mail,
    pub(crate) account: Login,
}

impl House {
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        Some(Self { server: RealServer::start(kind)?, kind })
    }

    /// The mailbox of a new user, through this port (the server's own by default), with the folders that everybody has.
    pub(crate) fn open(&self, name: &str, security: Security, port: Option<u16>) -> Opened {
        let login = self.server.add_user(name, PASSWORD);
        let own = if security == Security::Tls { self.server.imaps_port } else { self.server.imap_port };
        let egress = port.map_or_else(|| self.server.egress(), |port| format!("127.0.0.1:{port}"));
        let host = if port.is_some() { "127.0.0.1" } else { "localhost" };
        let mut options = MailOptions::new(Arc::new(Dialer::new(egress.parse().unwrap())));
        options.ca_file = Some(self.server.ca_file());
        options.allow_insecure = true;
        let mail = Mail::new(options).unwrap();
        let endpoint = Endpoint { host: host.into(), port: port.unwrap_or(own), security };
        let account = Login {
            user: format!("usr_{name}").parse().unwrap(),
            account: format!("acc_{name}").parse().unwrap(),
            version: 1,
            backend: Backend::Servers { imap: endpoint.clone(), smtp: endpoint },
            imap_username: login.clone(),
            smtp_username: login.clone(),
            credential: Credential::Password(PASSWORD.into()),
        };
        let mailbox = self.named(mail.mailbox(&account));
        Opened { mailbox, login, mail, account }
    }

    fn named(&self, mailbox: Arc<dyn Mailbox>) -> Arc<dyn Mailbox> {
        if self.kind == Kind::Cyrus { mailbox } else { Arc::new(Below(mailbox)) }
    }

    /// Folders that the contract wants and the server does not make by itself.
    pub(crate) async fn furnish(&self, mailbox: &dyn Mailbox, more: &[&str]) {
        let roles = ["Sent", "Drafts", "Trash", "Junk", "Archive"];
        let made = if self.kind == Kind::Courier { &roles[..] } else { &[] };
        for name in made.iter().chain(more) {
            mailbox.create_folder(&(*name).into()).await.unwrap();
        }
    }

    /// Puts a message into a folder, past the mailbox.
    pub(crate) fn deliver(&self, login: &str, folder: &str, message: &str, at: Timestamp) {
        let folder = match self.kind {
            Kind::CyrusBelowInbox | Kind::Courier if folder != "INBOX" => format!("INBOX.{folder}"),
            _ => folder.to_owned(),
        };
        self.server.append(login, PASSWORD, &folder, message, at);
    }
}
