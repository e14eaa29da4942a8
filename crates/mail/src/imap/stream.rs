//! One part as a stream: a thread reads and decodes, the caller's pace is the server's.

use super::{
    ops::stream_part::is_encoded,
    pool::Pool,
    wire::{
        fault::Fault,
        tap::{Piece, Sink},
        waiting::at_once,
    },
};
use bytes::Bytes;
use imapmcp_core::mail::{Locator, MailError, Part};
use imapmcp_mime::transfer::Decoder;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, error::TrySendError},
    time::timeout,
};

/// Octets that are put together, each chunk being a hop from thread to thread; and while the reader is behind.
const CHUNK: usize = 32 * 1024;
const FULL_CHUNK: usize = 48 * 1024;
/// Octets that come at a time: a TLS record.
const RECORD: usize = 16 * 1024;
/// How long fewer octets may wait for more.
const LINGER: Duration = Duration::from_millis(20);
/// Longest a stream may take in all: a bound for threads, not for people.
const MAX_STREAM: Duration = Duration::from_hours(6);

pub(super) type Chunk = Result<Bytes, MailError>;

/// Reads one part and sends it on.
pub(super) struct Reader {
    pub(super) pool: Arc<Pool>,
    pub(super) at: Locator,
    pub(super) part: Part,
    pub(super) sender: mpsc::Sender<Chunk>,
}

impl Reader {
    pub(super) async fn run(self) {
        let started = Arc::new(AtomicBool::new(false));
        let mut result = self.attempt(false, &started).await;
        // a connection that had died unnoticed, or one that the server cut over decoding: then it is not asked to again
        let mut may_be_decoded = is_encoded(&self.part);
        for _ in 0..2 {
            let Err((Fault::Lost(_), reused)) = result else { break };
            if started.load(Ordering::Acquire) || !(reused || may_be_decoded) {
                break;
            }
            may_be_decoded &= reused;
            result = self.attempt(true, &started).await;
        }
        if let Err((fault, _)) = result {
            // The caller may be gone; then nobody needs to know.
            let _ = timeout(self.pool.shared.timeouts.stall, self.sender.send(Err(fault.into_error()))).await;
        }
    }

    /// One try; with the failure, whether the connection was a reused one.
    async fn attempt(&self, fresh: bool, started: &Arc<AtomicBool>) -> Result<(), (Fault, bool)> {
        let lease = tokio::select! {
            lease = self.pool.lease(Some(&self.at.folder), fresh) => lease,
            // a caller who leaves waits for no connection either
            () = self.sender.closed() => return Ok(()),
        };
        let lease = lease.map_err(|error| (Fault::Broken(error), false))?;
        let (reused, stall) = (lease.reused, self.pool.shared.timeouts.stall);
        let (at, part, sender) = (self.at.clone(), self.part.clone(), self.sender.clone());
        let (started, runtime) = (Arc::clone(started), Handle::current());
        let work = lease.run(stall, MAX_STREAM, move |session| {
            let sink = |encoding: &str| {
                sink(sender.clone(), runtime.clone(), Arc::clone(&started), stall, Decoder::new(encoding))
            };
            at_once(session.stream(&at, &part, sink))
        });
        tokio::select! {
            result = work => result.map_err(|fault| (fault, reused)),
            // Dropping the work cuts the connection, so that a silent server does not keep the thread.
            () = self.sender.closed() => Ok(()),
        }
    }
}

/// Octets on their way to the caller.
struct Outgoing {
    sender: mpsc::Sender<Chunk>,
    octets: Vec<u8>,
    sent: Instant,
}

impl Outgoing {
    fn new(sender: mpsc::Sender<Chunk>) -> Self {
        Self { sender, octets: Vec::new(), sent: Instant::now() }
    }

    /// Whether more may be put to these before they go.
    fn may_wait(&self) -> bool {
        let enough = if self.sender.capacity() == 0 { FULL_CHUNK } else { CHUNK };
        self.octets.len() < enough && self.sent.elapsed() < LINGER
    }

    fn take(&mut self) -> Bytes {
        self.sent = Instant::now();
        std::mem::replace(&mut self.octets, Vec::with_capacity(CHUNK + RECORD)).into()
    }
}

impl Drop for Outgoing {
    /// What came before the connection broke is given out too.
    fn drop(&mut self) {
        if !self.octets.is_empty() {
            let _ = self.sender.try_send(Ok(std::mem::take(&mut self.octets).into()));
        }
    }
}

/// Decodes and sends on. Octets are put together until there are enough of them, or until they have waited a while.
fn sink(
    sender: mpsc::Sender<Chunk>,
    runtime: Handle,
    started: Arc<AtomicBool>,
    stall: Duration,
    mut decoder: Decoder,
) -> Sink {
    let mut out = Outgoing::new(sender);
    Box::new(move |piece| {
        match piece {
            Piece::Start => started.store(true, Ordering::Release),
            Piece::Octets(octets) => decoder.push(octets, &mut out.octets),
            Piece::End => decoder.finish(&mut out.octets),
        }
        // the first chunk says that there is something to come, even if it is empty
        let nothing = out.octets.is_empty() && !matches!(piece, Piece::Start);
        if nothing || (matches!(piece, Piece::Octets(_)) && out.may_wait()) {
            return true;
        }
        let chunk = out.take();
        match out.sender.try_send(Ok(chunk)) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            Err(TrySendError::Full(chunk)) => runtime.block_on(async {
                timeout(stall, out.sender.send(chunk)).await.is_ok_and(|sent| sent.is_ok())
            }),
        }
    })
}
