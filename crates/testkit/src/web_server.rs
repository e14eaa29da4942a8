//! A web server on loopback that answers every request with the same octets, over TLS.

use crate::servers::server_config;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;

/// How it answers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With these octets, and hangs up.
    Says(Vec<u8>),
    /// With these, and then one blank after the other, ten a second.
    Drips(Vec<u8>),
    /// With these, and then as much more as is taken.
    Floods(Vec<u8>),
    /// Not at all.
    Silent,
}

impl Answer {
    /// 200 with this JSON, and header fields that each end on a line end.
    pub fn json(body: &str, fields: &str) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{fields}");
        Self::Says(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
    }
}

#[derive(Debug)]
struct Shared {
    tls: Arc<ServerConfig>,
    answer: Mutex<Answer>,
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
}

/// The server, with a certificate for `localhost` and 127.0.0.1. Its threads end with the process.
#[derive(Debug)]
pub struct WebServer {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
    directory: TempDir,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WebServer {
    /// Starts it.
    pub fn start(answer: Answer) -> Self {
        let directory = TempDir::new().unwrap();
        let shared = Arc::new(Shared {
            tls: server_config(directory.path()),
            answer: Mutex::new(answer),
            connections: AtomicUsize::new(0),
            requests: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                own.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&own);
                // a client that hangs up ends its thread
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Self { port, shared, directory }
    }

    /// How it answers from now on.
    pub fn will(&self, answer: Answer) {
        *locked(&self.shared.answer) = answer;
    }

    /// The authority that signed its certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.path().join("tls/ca.pem")
    }

    /// Connections that were made to it so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The heads of the requests so far.
    pub fn requests(&self) -> Vec<String> {
        locked(&self.shared.requests).clone()
    }
}

impl Shared {
    fn serve(&self, socket: TcpStream) -> std::io::Result<()> {
        let connection = ServerConnection::new(Arc::clone(&self.tls)).unwrap();
        let mut stream = BufReader::new(StreamOwned::new(connection, socket));
        let mut head = String::new();
        while stream.read_line(&mut head)? > 2 {}
        locked(&self.requests).push(head);
        let wire = stream.get_mut();
        let answer = locked(&self.answer).clone();
        match answer {
            Answer::Says(octets) => {
                wire.write_all(&octets)?;
                wire.conn.send_close_notify();
                wire.flush()
            }
            Answer::Drips(octets) => {
                wire.write_all(&octets)?;
                loop {
                    wire.write_all(b" ")?;
                    wire.flush()?;
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
            Answer::Floods(octets) => {
                wire.write_all(&octets)?;
                loop {
                    wire.write_all(&[b' '; 4096])?;
                }
            }
            Answer::Silent => stream.read_line(&mut String::new()).map(drop),
        }
    }
}
