//! Through a server's door: dialled, with room made among neighbours, logged in.

use super::{blocking::blocking, connections::Connections, shared::Shared};
use crate::imap::{
    connection::{connect::Opening, session::Session},
    wire::{
        fault::Fault,
        net::{Killer, ends_unheard},
    },
};
use imapmcp_core::{
    account::{Endpoint, Security},
    mail::{MailError, NetworkFault},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep},
};

/// First and longest wait before a server that has enough connections of ours is asked again.
pub(crate) const AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

impl Shared {
    /// A new connection of an account. Where the server has enough of ours, one of another account makes room, or is waited
    /// for.
    pub(crate) async fn connect(&self, account: &Connections, end: Instant) -> Result<Session, Failure> {
        let (started, mut made, mut pause) = (Instant::now(), false, AGAIN.0);
        loop {
            let seat = self.neighbours.seat(&account.person, end).await.map_err(Failure::before)?;
            let failure = match self.open_with(account, seat).await {
                Ok(session) => return Ok(session),
                Err(failure) => failure,
            };
            let again = failure.is_a_limit()
                && account.open() == 0
                && Instant::now() + pause < end
                && self.neighbours.make_room(account, &failure.error, started, &mut made);
            if !again {
                return Err(failure);
            }
            sleep(pause).await;
            pause = (pause * 2).min(AGAIN.1);
        }
    }

    async fn open_with(&self, account: &Connections, seat: OwnedSemaphorePermit) -> Result<Session, Failure> {
        let Endpoint { host, port, security } = account.endpoint.clone();
        let dialer = &self.dialer;
        let socket = match security {
            Security::Insecure if !self.allow_insecure => Err(NetworkFault::Blocked),
            Security::Insecure => dialer.dial_listed(&host, port).await,
            Security::Tls | Security::StartTls => dialer.dial(&host, port).await,
        };
        let before = |fault| Failure::before(MailError::Unreachable(fault));
        let unreachable = |_| before(NetworkFault::Connect);
        let socket = socket.map_err(before)?.stream.into_std().map_err(unreachable)?;
        socket.set_nonblocking(false).map_err(unreachable)?;
        ends_unheard(&socket);
        let killer = Killer::of(&socket).map_err(|fault| Failure::before(fault.into_error()))?;
        let (username, credential) = account.credential();
        let opening = Opening {
            socket,
            host,
            security,
            tls: Arc::clone(&self.tls),
            username,
            credential,
            silence: self.timeouts.silence,
            hints: Arc::clone(&account.hints),
            seat,
        };
        let (started, deadline) = (Instant::now(), self.timeouts.login);
        let opened = blocking(&killer, deadline, move || opening.open()).await;
        let error = match opened {
            Some(Ok(session)) => return Ok(session),
            // Cut by us, not by the server.
            Some(Err(Fault::Lost(_))) if started.elapsed() >= deadline => MailError::Timeout,
            Some(Err(fault)) => fault.into_error(),
            None => MailError::Timeout,
        };
        Err(Failure { error, dialled: true })
    }
}

/// Why there is no connection.
pub(crate) struct Failure {
    pub(crate) error: MailError,
    /// Whether the server's port took the connection at least.
    pub(crate) dialled: bool,
}

impl Failure {
    pub(crate) const fn before(error: MailError) -> Self {
        Self { error, dialled: false }
    }

    /// Whether it may be that the server has enough connections: it may close them, refuse the login or let nobody through,
    /// but not say that the credential is wrong.
    pub(crate) const fn may_be_a_limit(&self) -> bool {
        !matches!(
            self.error,
            MailError::LoginRefused
                | MailError::AppPassword
                | MailError::NoMechanism
                | MailError::Unreachable(NetworkFault::Blocked)
        )
    }

    /// Whether it looks like that even where nothing else is known to be open.
    const fn is_a_limit(&self) -> bool {
        self.dialled
            && matches!(
                self.error,
                MailError::Throttled { .. } | MailError::Unreachable(NetworkFault::Connect)
            )
    }
}
