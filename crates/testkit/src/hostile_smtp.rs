//! A submission server that lies, floods or drips at one step of the dialogue and behaves at all others: in the clear, over
//! TLS or by STARTTLS, on loopback.

use crate::servers::server_config;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;

/// Where the server does what it should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The greeting.
    Greeting,
    /// EHLO; the second one where STARTTLS comes between.
    Ehlo,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The final dot.
    Dot,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
}

impl Step {
    /// Those of a submission in the clear or over TLS, in their order.
    pub const SUBMISSION: [Self; 8] =
        [Self::Greeting, Self::Ehlo, Self::Auth, Self::Mail, Self::Rcpt, Self::Data, Self::Dot, Self::Quit];

    /// The code that is due.
    const fn code(self) -> u16 {
        match self {
            Self::Greeting | Self::StartTls => 220,
            Self::Auth => 235,
            Self::Data => 354,
            Self::Quit => 221,
            Self::Ehlo | Self::Mail | Self::Rcpt | Self::Dot | Self::Noop => 250,
        }
    }
}

/// What it does there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trick {
    /// Says this instead of what is due. `{}` stands for the code that is due.
    Says(&'static str),
    /// Says this without end.
    Floods(&'static str),
    /// Says this once, and then its last octet again and again, one at a time.
    Drips(&'static str),
    /// Says nothing.
    Silent,
    /// Hangs up.
    Hangs,
}

/// How it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// In the clear.
    Plain,
    /// TLS from the first octet.
    Tls,
    /// STARTTLS.
    StartTls,
}

#[derive(Debug)]
struct Seen {
    step: Step,
    trick: Trick,
    commands: Vec<String>,
    /// Messages that came with their final dot.
    messages: usize,
}

#[derive(Debug)]
struct Shared {
    layer: Layer,
    tls: Option<Arc<ServerConfig>>,
    sent: AtomicU64,
    seen: Mutex<Seen>,
}

/// The server. Threads end when their client hangs up or the process ends.
#[derive(Debug)]
pub struct HostileSmtp {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
    directory: Option<TempDir>,
}

impl HostileSmtp {
    /// Starts it.
    pub fn start(step: Step, trick: Trick, layer: Layer) -> Self {
        let directory = (layer != Layer::Plain).then(|| TempDir::new().unwrap());
        let tls = directory.as_ref().map(|directory| server_config(directory.path()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Mutex::new(Seen { step, trick, commands: Vec::new(), messages: 0 });
        let shared = Arc::new(Shared { layer, tls, sent: AtomicU64::new(0), seen });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&own);
                // a client that hangs up is an error to the dialogue, and the end of it
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Self { port, shared, directory }
    }

    /// What it does from now on, as if it had just been started.
    pub fn will(&self, step: Step, trick: Trick) {
        *self.shared.seen() = Seen { step, trick, commands: Vec::new(), messages: 0 };
        self.shared.sent.store(0, Ordering::SeqCst);
    }

    /// The authority that signed its certificate; none in the clear.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.directory.as_ref().map(|directory| directory.path().join("tls/ca.pem"))
    }

    /// Octets it could get rid of while flooding.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// Messages that came whole.
    pub fn messages(&self) -> usize {
        self.shared.seen().messages
    }

    /// Every command, without line ends.
    pub fn commands(&self) -> Vec<String> {
        self.shared.seen().commands.clone()
    }
}

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}
type Stream = BufReader<Box<dyn Wire>>;

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn secure(&self, stream: TcpStream) -> Box<dyn Wire> {
        let config = Arc::clone(self.tls.as_ref().unwrap());
        Box::new(StreamOwned::new(ServerConnection::new(config).unwrap(), stream))
    }

    fn serve(&self, socket: TcpStream) -> std::io::Result<()> {
        socket.set_nodelay(true)?;
        let wire = match self.layer {
            Layer::Tls => self.secure(socket),
            Layer::Plain => Box::new(socket) as Box<dyn Wire>,
            Layer::StartTls => {
                let mut plain = BufReader::new(Box::new(socket.try_clone()?) as Box<dyn Wire>);
                self.answer(&mut plain, Step::Greeting, "220 hostile\r\n")?;
                let mut line = String::new();
                while plain.read_line(&mut line)? > 0 && !line.starts_with("STARTTLS") {
                    plain.get_mut().write_all(b"250-hostile\r\n250 STARTTLS\r\n")?;
                    line.clear();
                }
                self.answer(&mut plain, Step::StartTls, "220 go\r\n")?;
                self.secure(socket)
            }
        };
        let mut stream = BufReader::new(wire);
        if self.layer != Layer::StartTls {
            self.answer(&mut stream, Step::Greeting, "220 hostile\r\n")?;
        }
        let mut line = Vec::new();
        loop {
            line.clear();
            if stream.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let command = String::from_utf8_lossy(&line).trim_end().to_owned();
            let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            self.seen().commands.push(command);
            let (step, due) = match verb.as_str() {
                // one command after the other in the clear, all at once over TLS
                "EHLO" if self.layer == Layer::Plain => {
                    (Step::Ehlo, "250-hostile\r\n250 AUTH PLAIN LOGIN\r\n")
                }
                "EHLO" => (Step::Ehlo, "250-hostile\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN\r\n"),
                "AUTH" => (Step::Auth, "235 in\r\n"),
                "MAIL" => (Step::Mail, "250 ok\r\n"),
                "RCPT" => (Step::Rcpt, "250 ok\r\n"),
                "DATA" => (Step::Data, "354 go on\r\n"),
                "NOOP" => (Step::Noop, "250 ok\r\n"),
                "QUIT" => (Step::Quit, "221 bye\r\n"),
                _ => {
                    stream.get_mut().write_all(b"500 what?\r\n")?;
                    continue;
                }
            };
            self.answer(&mut stream, step, due)?;
            if step == Step::Data {
                while line != b".\r\n" {
                    line.clear();
                    if stream.read_until(b'\n', &mut line)? == 0 {
                        return Ok(());
                    }
                }
                self.seen().messages += 1;
                self.answer(&mut stream, Step::Dot, "250 taken\r\n")?;
            }
        }
    }

    fn answer(&self, stream: &mut Stream, step: Step, due: &str) -> std::io::Result<()> {
        let coded = |text: &str| text.replace("{}", &step.code().to_string());
        let trick = {
            let seen = self.seen();
            (seen.step == step).then_some(seen.trick)
        };
        let Some(trick) = trick else {
            return stream.get_mut().write_all(due.as_bytes()).and_then(|()| stream.get_mut().flush());
        };
        match trick {
            Trick::Says(text) => {
                stream.get_mut().write_all(coded(text).as_bytes()).and_then(|()| stream.get_mut().flush())
            }
            Trick::Floods(text) => {
                let block = coded(text).repeat((1 << 14) / text.len().max(1) + 1);
                loop {
                    stream.get_mut().write_all(block.as_bytes())?;
                    self.sent.fetch_add(block.len() as u64, Ordering::SeqCst);
                }
            }
            Trick::Drips(text) => {
                let text = coded(text);
                stream.get_mut().write_all(text.as_bytes())?;
                loop {
                    stream.get_mut().flush()?;
                    std::thread::sleep(Duration::from_millis(20));
                    stream.get_mut().write_all(&text.as_bytes()[text.len() - 1..])?;
                }
            }
            Trick::Silent => std::io::copy(stream, &mut std::io::sink()).map(drop),
            Trick::Hangs => Err(std::io::ErrorKind::ConnectionAborted.into()),
        }
    }
}
