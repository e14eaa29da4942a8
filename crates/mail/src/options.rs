//! What the composition root decides.

use imapmcp_core::time::{Clock, SystemClock};
use imapmcp_egress::Dialer;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Everything the mail adapters need from outside.
#[derive(Clone)]
pub struct MailOptions {
    /// The one dialer.
    pub dialer: Arc<Dialer>,
    /// PEM file of certificate authorities trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether accounts may do without TLS, towards hosts that the egress policy lists by name or address.
    pub allow_insecure: bool,
    /// Deadlines.
    pub timeouts: Timeouts,
    /// Dates of the demonstration mailbox.
    pub clock: Arc<dyn Clock>,
    /// What one person may have at once.
    pub bounds: Bounds,
    /// The domain name this client greets submission servers with (RFC 5321 §4.1.4); without one, an address literal, which
    /// some relays refuse.
    pub ehlo_name: Option<String>,
}

impl MailOptions {
    /// TLS only, system roots, the default deadlines, the system clock.
    pub fn new(dialer: Arc<Dialer>) -> Self {
        Self {
            dialer,
            ca_file: None,
            allow_insecure: false,
            timeouts: Timeouts::default(),
            clock: Arc::new(SystemClock),
            bounds: Bounds::default(),
            ehlo_name: None,
        }
    }
}

/// What the accounts of one person may have at once, all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections to IMAP servers. Beyond that an idle one of another account makes room, or the next that becomes idle.
    pub connections_of_user: usize,
    /// Commands, of the 256 that run at once in the whole process.
    pub commands_of_user: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connections_of_user: 12, commands_of_user: 32 }
    }
}

/// Deadlines. All count from the start of the work they name; connecting has its own in the dialer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Silence of a server during a handshake, a login or an ordinary command.
    pub silence: Duration,
    /// TLS handshake and login together.
    pub login: Duration,
    /// An ordinary command from first to last octet.
    pub command: Duration,
    /// A search of bodies, which servers without an index do by reading everything.
    pub body_search: Duration,
    /// A stream without progress, on either side; a stream has no other deadline.
    pub stall: Duration,
    /// Submission of one message after the login.
    pub submission: Duration,
    /// How long an idle connection is trusted without a NOOP.
    pub trust: Duration,
    /// How long an idle connection is kept.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(10),
            login: Duration::from_secs(20),
            command: Duration::from_secs(30),
            body_search: Duration::from_mins(1),
            stall: Duration::from_secs(30),
            submission: Duration::from_mins(2),
            trust: Duration::from_mins(1),
            idle: Duration::from_mins(10),
        }
    }
}

/// Why the adapters cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The file of extra certificate authorities cannot be read.
    #[error("cannot read the certificate authorities in {path}: {source}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no certificate that could be used.
    #[error("{path} holds no usable PEM certificate")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
}
