//! A small honest IMAP server over any [`Mailbox`]: in the clear, on loopback, with capabilities that can be switched
//! off one by one, and with Gmail's extensions if wanted. Its client must behave; if it does not, the connection ends.
//!
//! Passwords are not looked at. It runs on the runtime it is started on.

mod decode;
mod find;
mod folders;
mod lie;
mod lies;
mod search;
mod session;
mod show;
mod wire;

pub use self::lie::{Decodes, Lie, Refuses};

use self::session::Session;
use imapmcp_core::{
    id::AccountId,
    mail::{Locator, Mailbox},
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::net::TcpListener;

/// Gmail's folder of everything.
pub const ALL_MAIL: &str = "[Gmail]/All Mail";

/// What the server can do.
#[derive(Debug, Clone)]
pub struct Features {
    capabilities: Vec<&'static str>,
    ascii_only: bool,
    /// What NAMESPACE answers.
    namespaces: &'static str,
}

impl Features {
    /// A server of today.
    pub fn modern() -> Self {
        let capabilities = "IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+ ID UNSELECT ESEARCH MOVE UIDPLUS LIST-EXTENDED \
            SPECIAL-USE LIST-STATUS BINARY";
        Self {
            capabilities: capabilities.split_ascii_whitespace().collect(),
            ascii_only: false,
            namespaces: "",
        }
    }

    /// Gmail: X-GM-EXT-1, and a folder of everything.
    pub fn gmail() -> Self {
        let mut features = Self::modern();
        features.capabilities.push("X-GM-EXT-1");
        features
    }

    /// RFC 3501 and nothing else; searches for ASCII only.
    pub fn bare() -> Self {
        Self { capabilities: vec!["IMAP4rev1"], ascii_only: true, namespaces: "" }
    }

    /// Without one of its capabilities.
    pub fn without(mut self, capability: &str) -> Self {
        self.capabilities.retain(|own| *own != capability);
        self
    }

    /// With one more.
    pub fn with(mut self, capability: &'static str) -> Self {
        self.capabilities.push(capability);
        self
    }

    /// With namespaces (RFC 2342), such as `(("" "/")) (("Other Users/" "/")) NIL`.
    pub fn with_namespaces(mut self, namespaces: &'static str) -> Self {
        self.namespaces = namespaces;
        self.with("NAMESPACE")
    }

    fn has(&self, capability: &str) -> bool {
        self.capabilities.contains(&capability)
    }
}

/// The server.
pub struct ScriptedImap {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    mailbox: Arc<dyn Mailbox>,
    features: Features,
    turns: AtomicUsize,
    commands: Mutex<Vec<String>>,
    lies: Mutex<Vec<Lie>>,
    /// Messages of [`ALL_MAIL`], in the order in which they were first seen there: UID 1 is the first.
    everything: Mutex<(Vec<Locator>, HashMap<Locator, u32>)>,
}

impl ScriptedImap {
    /// Starts it in front of a mailbox.
    pub async fn start(mailbox: Arc<dyn Mailbox>, features: Features) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            mailbox,
            features,
            turns: AtomicUsize::new(0),
            commands: Mutex::default(),
            lies: Mutex::default(),
            everything: Mutex::default(),
        });
        let own = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(Session::new(stream, Arc::clone(&own)).serve());
            }
        });
        Self { port, shared }
    }

    /// How many times a client has said something and waited: round trips, logins included.
    pub fn turns(&self) -> usize {
        self.shared.turns.load(Ordering::SeqCst)
    }

    /// The commands since this was last asked, without tags and literals.
    pub fn take_commands(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.commands.lock().unwrap())
    }

    /// From the next command on, on every connection, it does all of this wrong.
    pub fn lies(&self, lies: impl IntoIterator<Item = Lie>) {
        *self.shared.lies.lock().unwrap() = lies.into_iter().collect();
    }

    /// The address that `IMAPMCP_EGRESS_ALLOW` must name.
    pub fn egress(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A login for it.
    pub fn login(&self, account: &AccountId, username: &str) -> imapmcp_core::account::Login {
        use imapmcp_core::account::{Login, Security};
        Login {
            account: account.clone(),
            imap_username: username.into(),
            smtp_username: username.into(),
            ..crate::builders::login_at("scripted", self.port, Security::Insecure)
        }
    }
}
