//! A way to a server on loopback that writes down what clients say, and makes its answers late if it is told to.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

#[derive(Debug)]
struct Shared {
    to: u16,
    late: Duration,
    hangs: AtomicBool,
    connections: AtomicUsize,
    turns: AtomicUsize,
    said: Mutex<Vec<Vec<u8>>>,
}

/// The way. Threads end when either side hangs up or the process ends.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// To this port of 127.0.0.1, without delay.
    pub fn recording(to: u16) -> Self {
        Self::start(to, Duration::ZERO)
    }

    /// The server's octets arrive this much later than it said them: what a distant server costs.
    pub fn late(to: u16, by: Duration) -> Self {
        Self::start(to, by)
    }

    fn start(to: u16, late: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            to,
            late,
            hangs: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            turns: AtomicUsize::new(0),
            said: Mutex::default(),
        });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&own);
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                shared.said().push(Vec::new());
                // a side that hangs up is an error to the other, and the end of both
                std::thread::spawn(move || shared.carry(client, number));
            }
        });
        Self { port, shared }
    }

    /// Whether from now on answers come at all.
    pub fn hang(&self, hangs: bool) {
        self.shared.hangs.store(hangs, Ordering::SeqCst);
    }

    /// How many times a client has said something and waited: round trips, logins included.
    pub fn turns(&self) -> usize {
        self.shared.turns.load(Ordering::SeqCst)
    }

    /// What clients said, connection by connection.
    pub fn dialogues(&self) -> Vec<Vec<u8>> {
        self.shared.said().clone()
    }
}

impl Shared {
    fn said(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry(self: Arc<Self>, mut client: TcpStream, number: usize) -> std::io::Result<()> {
        let mut server = TcpStream::connect(("127.0.0.1", self.to))?;
        server.set_nodelay(true)?;
        client.set_nodelay(true)?;
        // whether the server said something since the client did
        let answered = Arc::new(AtomicBool::new(true));
        let back = (Arc::clone(&self), server.try_clone()?, client.try_clone()?, Arc::clone(&answered));
        std::thread::spawn(move || back.0.answer(back.1, back.2, &back.3));
        let mut buffer = [0; 1 << 14];
        loop {
            let read = client.read(&mut buffer)?;
            if read == 0 {
                return server.shutdown(Shutdown::Both);
            }
            if answered.swap(false, Ordering::SeqCst) {
                self.turns.fetch_add(1, Ordering::SeqCst);
            }
            self.said()[number].extend_from_slice(&buffer[..read]);
            server.write_all(&buffer[..read])?;
        }
    }

    fn answer(&self, mut server: TcpStream, mut client: TcpStream, answered: &AtomicBool) {
        let (sender, pieces) = mpsc::channel::<(Instant, Vec<u8>)>();
        let late = self.late;
        let writer = std::thread::spawn(move || {
            for (at, piece) in pieces {
                std::thread::sleep((at + late).saturating_duration_since(Instant::now()));
                if client.write_all(&piece).is_err() {
                    break;
                }
            }
            let _ = client.shutdown(Shutdown::Both);
        });
        let mut buffer = [0; 1 << 14];
        while let Ok(read) = server.read(&mut buffer) {
            if read == 0 {
                break;
            }
            answered.store(true, Ordering::SeqCst);
            let lost = !self.hangs.load(Ordering::SeqCst)
                && sender.send((Instant::now(), buffer[..read].to_vec())).is_err();
            if lost {
                break;
            }
        }
        drop(sender);
        let _ = writer.join();
    }
}
