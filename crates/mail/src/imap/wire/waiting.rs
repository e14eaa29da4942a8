//! Two ways to wait for a server (ADR 14): on a thread of its own, where the socket blocks and no future ever waits, and
//! in the caller's task, where the runtime tells of octets.

use super::{
    fault::Fault,
    net::Killer,
    tap::{Core, SharedCore},
};
use crate::lock::lock;
use futures_util::FutureExt;
use std::{io::ErrorKind, sync::Arc, time::Duration};
use tokio::{io::Interest, net::TcpStream, time::timeout};

/// Responses taken in before others get their turn.
const TURN: usize = 256;

/// What comes of work on a thread of its own, over a socket that blocks: such a future never waits.
pub(crate) fn at_once<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    work.now_or_never().unwrap_or(Err(Fault::PROTOCOL))
}

/// A connection's way to wait.
pub(crate) struct Waiting {
    core: SharedCore,
    killer: Arc<Killer>,
    /// How long a blocking socket waits.
    silence: Duration,
    /// What tells of octets when the socket does not block, and how long it may take.
    waiter: Option<(TcpStream, Duration)>,
}

impl Waiting {
    /// Of a fresh connection, whose socket blocks.
    pub(crate) const fn new(core: SharedCore, killer: Arc<Killer>) -> Self {
        Self { core, killer, silence: Duration::ZERO, waiter: None }
    }

    /// From now on a thread waits, for this long when the server is silent.
    pub(crate) fn block(&mut self, silence: Duration) -> Result<(), Fault> {
        self.waiter = None;
        let mut core = lock(&self.core);
        core.set_blocking(true)?;
        if self.silence != silence {
            core.net.set_silence(silence)?;
            self.silence = silence;
        }
        Ok(())
    }

    /// From now on the caller's task waits, for this long when the server is silent.
    pub(crate) fn attend(&mut self, silence: Duration) -> Result<(), Fault> {
        lock(&self.core).set_blocking(false)?;
        let waiter = self.killer.told_of().map_err(|error| Fault::of_io(&error))?;
        self.waiter = Some((waiter, silence));
        Ok(())
    }

    /// Frees what an idle connection does not need; it does not block, so that it can be looked at.
    pub(crate) fn rest(&mut self) {
        self.waiter = None;
        let mut core = lock(&self.core);
        core.rest();
        // a failure is remembered
        let _ = core.set_blocking(false);
    }

    /// Writes what is held back.
    pub(crate) async fn send(&mut self) -> Result<(), Fault> {
        while !lock(&self.core).send()? {
            self.ready(Interest::WRITABLE).await?;
        }
        Ok(())
    }

    /// Takes in what the server says until that is enough.
    pub(crate) async fn pump_until(&mut self, enough: impl Fn(&Core) -> bool) -> Result<(), Fault> {
        loop {
            let state = pump_while(&mut lock(&self.core), &enough)?;
            match state {
                Pumped::Enough => return Ok(()),
                Pumped::Nothing => self.ready(Interest::READABLE).await?,
                // a server that says much is no reason for others to wait
                Pumped::Much if self.waiter.is_some() => tokio::task::yield_now().await,
                Pumped::Much => {}
            }
        }
    }

    async fn ready(&mut self, interest: Interest) -> Result<(), Fault> {
        // a blocking socket gives and takes octets, or ends
        let Some((waiter, silence)) = &self.waiter else { return Err(Fault::PROTOCOL) };
        match timeout(*silence, waiter.ready(interest)).await {
            Ok(Ok(_)) => {
                // what is told from now on is news; what was told is read or written next
                let _ = waiter.try_io(interest, || Err::<(), _>(ErrorKind::WouldBlock.into()));
                Ok(())
            }
            failed => Err(lock(&self.core).gave_out(failed.map(|ready| ready.map(drop)))),
        }
    }
}

/// What pumping came to.
enum Pumped {
    Enough,
    /// The server has said nothing more.
    Nothing,
    /// There is more, but this was a good deal.
    Much,
}

fn pump_while(core: &mut Core, enough: impl Fn(&Core) -> bool) -> Result<Pumped, Fault> {
    for _ in 0..TURN {
        if enough(core) {
            return Ok(Pumped::Enough);
        }
        if !core.pump()? {
            return Ok(Pumped::Nothing);
        }
    }
    Ok(Pumped::Much)
}
