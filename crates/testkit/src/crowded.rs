//! A way to an IMAP server on loopback that lets only so many connections through at once, as servers do per address or
//! per user.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// How one connection too many is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Closed before a word, as Courier does with `-maxperip`.
    Closes,
    /// Greeted with BYE.
    Bye,
    /// The login is refused with `NO [LIMIT]`, as Dovecot and Cyrus do.
    Login,
    /// The login is refused, and nothing says why.
    BareLogin,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Closes, Self::Bye, Self::Login, Self::BareLogin];
}

#[derive(Debug, Default)]
struct Shared {
    limit: AtomicUsize,
    open: AtomicUsize,
    let_in: AtomicUsize,
    refused: AtomicUsize,
}

/// The way. Threads end when either side hangs up or the process ends.
#[derive(Debug)]
pub struct Crowded {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
}

impl Crowded {
    /// To this port of 127.0.0.1.
    pub fn start(to: u16, limit: usize, refusal: Refusal) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { limit: AtomicUsize::new(limit), ..Shared::default() });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&own);
                if shared.open.fetch_add(1, Ordering::SeqCst) < shared.limit.load(Ordering::SeqCst) {
                    shared.let_in.fetch_add(1, Ordering::SeqCst);
                    std::thread::spawn(move || {
                        // a side that hangs up is the end of both
                        let _ = carry(client, to);
                        shared.open.fetch_sub(1, Ordering::SeqCst);
                    });
                } else {
                    shared.open.fetch_sub(1, Ordering::SeqCst);
                    shared.refused.fetch_add(1, Ordering::SeqCst);
                    std::thread::spawn(move || refuse(client, refusal));
                }
            }
        });
        Self { port, shared }
    }

    /// From now on so many; those that are open stay.
    pub fn limit(&self, limit: usize) {
        self.shared.limit.store(limit, Ordering::SeqCst);
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// Connections that were let through so far.
    pub fn let_in(&self) -> usize {
        self.shared.let_in.load(Ordering::SeqCst)
    }

    /// Connections that were refused so far.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::SeqCst)
    }
}

fn carry(mut client: TcpStream, to: u16) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", to))?;
    server.set_nodelay(true)?;
    client.set_nodelay(true)?;
    let (mut back, mut out) = (server.try_clone()?, client.try_clone()?);
    let answers = std::thread::spawn(move || {
        copy(&mut back, &mut out);
        let _ = out.shutdown(Shutdown::Both);
    });
    copy(&mut client, &mut server);
    let _ = server.shutdown(Shutdown::Both);
    let _ = answers.join();
    Ok(())
}

fn copy(from: &mut TcpStream, to: &mut TcpStream) {
    let mut buffer = [0; 1 << 14];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
}

fn refuse(mut client: TcpStream, refusal: Refusal) -> std::io::Result<()> {
    match refusal {
        Refusal::Closes => return Ok(()),
        Refusal::Bye => return client.write_all(b"* BYE Maximum number of connections exceeded\r\n"),
        Refusal::Login | Refusal::BareLogin => {}
    }
    client.write_all(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello\r\n")?;
    let mut lines = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    lines.read_line(&mut line)?;
    let tag = line.split(' ').next().unwrap_or_default();
    let why = if refusal == Refusal::Login { "[LIMIT] Maximum number of connections exceeded" } else { "no" };
    client.write_all(format!("{tag} NO {why}\r\n").as_bytes())?;
    std::io::copy(&mut lines, &mut std::io::sink()).map(drop)
}
