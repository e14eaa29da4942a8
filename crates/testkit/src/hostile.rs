//! An IMAP server that misbehaves on purpose: plain text, on loopback, from a list of modes.
//!
//! It behaves until the moment its mode names, then does the one thing, on every connection. Threads end when their
//! client hangs up or the process ends.

mod connection;
mod mode;

pub use mode::Mode;

use connection::Connection;
use std::{
    net::TcpListener,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The server.
#[derive(Debug)]
pub struct HostileImap {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    logins: Arc<AtomicUsize>,
    commands: Arc<Mutex<Vec<String>>>,
    mode: Arc<Mutex<Mode>>,
    gate: Arc<Gate>,
}

/// Where FETCH waits, if it is to.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    closed: bool,
    arrived: usize,
    left: usize,
    /// Those that had arrived when this was said are answered so.
    admitted: Option<(usize, Mode)>,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How to answer, if that was said.
    fn pass(&self) -> Option<Mode> {
        let mut state = self.lock();
        let number = state.arrived;
        state.arrived += 1;
        self.changed.notify_all();
        let ticket =
            |state: &Waiting| state.admitted.filter(|(until, _)| number < *until).map(|(_, mode)| mode);
        let shut = |state: &mut Waiting| state.closed && ticket(state).is_none();
        let mut state = self.changed.wait_while(state, shut).unwrap_or_else(PoisonError::into_inner);
        state.left += 1;
        self.changed.notify_all();
        ticket(&state)
    }
}

impl HostileImap {
    /// From its next command on, on every connection.
    pub fn becomes(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    /// Lets no FETCH be answered until [`release`](Self::release).
    pub fn hold(&self) {
        self.gate.lock().closed = true;
    }

    /// Answers what is held by now as this mode does; what comes later is held.
    pub fn admit(&self, mode: Mode) {
        let mut state = self.gate.lock();
        let until = state.arrived;
        state.admitted = Some((until, mode));
        self.gate.changed.notify_all();
        drop(self.gate.changed.wait_while(state, |state| state.left < until));
    }

    /// Answers what was held.
    pub fn release(&self) {
        self.gate.lock().closed = false;
        self.gate.changed.notify_all();
    }

    /// Whether so many FETCHes wait at once before the time is up.
    pub fn holds(&self, count: usize, limit: Duration) -> bool {
        let state = self.gate.lock();
        let waited =
            self.gate.changed.wait_timeout_while(state, limit, |state| state.arrived - state.left < count);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Starts it.
    pub fn start(mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let logins = Arc::new(AtomicUsize::new(0));
        let commands = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&commands);
        let (mode, gate) = (Arc::new(Mutex::new(mode)), Arc::new(Gate::default()));
        let (own, door) = (Arc::clone(&mode), Arc::clone(&gate));
        let (counted, opened) = (Arc::clone(&logins), Arc::new(AtomicUsize::new(1)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (logins, opened) = (Arc::clone(&counted), Arc::clone(&opened));
                let (commands, now, gate) = (Arc::clone(&heard), Arc::clone(&own), Arc::clone(&door));
                let mode = *now.lock().unwrap();
                // A client that hangs up is an error to the script, and the end of it.
                std::thread::spawn(move || {
                    Connection { mode, now, gate, stream, logins, opened, commands, fetched: false }.serve()
                });
            }
        });
        Self { port, logins, commands, mode, gate }
    }

    /// All commands so far, without tags, in upper case.
    pub fn commands(&self) -> Vec<String> {
        self.commands.lock().unwrap().clone()
    }

    /// How many logins were tried.
    pub fn logins(&self) -> usize {
        self.logins.load(Ordering::SeqCst)
    }
}
