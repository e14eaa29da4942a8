//! What all pools share: the way out, bounds, and the neighbours.

use super::neighbours::Neighbours;
use crate::{
    options::{Bounds, MailOptions, SetupError, Timeouts},
    tls,
};
use imapmcp_egress::Dialer;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Commands running at once in the whole process; the runtime's blocking pool has 512 threads.
const MAX_COMMANDS: usize = 256;

/// What all accounts share.
pub(crate) struct Shared {
    pub(crate) dialer: Arc<Dialer>,
    pub(crate) tls: Arc<tls::ImapTls>,
    pub(crate) allow_insecure: bool,
    pub(crate) timeouts: Timeouts,
    pub(crate) bounds: Bounds,
    pub(crate) commands: Arc<Semaphore>,
    pub(crate) neighbours: Neighbours,
}

impl Shared {
    pub(crate) fn new(options: &MailOptions) -> Result<Self, SetupError> {
        Ok(Self {
            dialer: Arc::clone(&options.dialer),
            tls: Arc::new(tls::ImapTls::new(options.ca_file.as_deref())?),
            allow_insecure: options.allow_insecure,
            timeouts: options.timeouts,
            bounds: options.bounds,
            commands: Arc::new(Semaphore::new(MAX_COMMANDS)),
            neighbours: Neighbours::default(),
        })
    }
}
