//! An IMAP server that misbehaves on purpose: plain text, on loopback, from a list of modes.
//!
//! It behaves until the moment its mode names, then does the one thing, on every connection. Threads end when their
//! client hangs up or the process ends.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// What the server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing at all: an empty INBOX.
    Behaves,
    /// Says nothing after the connection is made.
    SilentOnConnect,
    /// Says nothing to the login.
    SilentOnLogin,
    /// Says nothing after the login.
    SilentAfterLogin,
    /// Accepts and closes.
    ClosesOnConnect,
    /// Greets with PREAUTH.
    Preauth,
    /// Answers STARTTLS with more than was asked.
    InjectsBeforeTls,
    /// Does not offer STARTTLS.
    RefusesStartTls,
    /// Greets with BYE.
    ByeAtOnce,
    /// Greets with BYE because of too many connections.
    TooManyConnections,
    /// Refuses the login.
    WrongPassword,
    /// Sends octets that are no IMAP.
    Garbage,
    /// Untagged NO and BAD during SELECT, then goes on as if nothing had been.
    NoInSelect,
    /// BODYSTRUCTURE with 200,000 nested lists.
    NestedLists,
    /// BODYSTRUCTURE with 200,000 lists that are never closed.
    OpenLists,
    /// A line that never ends.
    EndlessLine,
    /// A literal of 4 GB.
    HugeLiteral,
    /// Half a literal, then closes.
    HalfLiteralThenCloses,
    /// Half a literal, then nothing.
    HalfLiteralThenSilent,
    /// BYE in the middle of FETCH.
    ByeMidCommand,
    /// Untagged responses without end.
    EndlessResponses,
    /// A line now and then, for ever.
    Drips,
    /// Completes a command nobody gave.
    WrongTag,
    /// A million small responses.
    MillionResponses,
    /// A message with a million flags.
    MillionTokens,
    /// `+` that nobody asked for.
    StrayContinuation,
    /// Another UIDVALIDITY each time a folder is opened.
    UidValidityChanges,
    /// Takes a STORE and dies.
    DiesAfterStore,
    /// Takes a COPY, a MOVE or an UID EXPUNGE and dies.
    DiesAfterMove,
    /// Takes the whole of an APPEND and dies.
    DiesAfterAppend,
    /// Takes the whole of an APPEND and says nothing.
    SilentAfterAppend,
    /// Refuses to copy and to move.
    RefusesCopies,
    /// Refuses to copy and to move to a folder that is not there.
    NoTarget,
    /// Refuses every FETCH because of too many commands.
    TooManyCommands,
    /// BYE because of too many commands, in the middle of FETCH.
    ByeTooMany,
    /// Closes each connection after one FETCH.
    DropsIdle,
    /// Says BYE after one FETCH, and closes.
    ByeWhenIdle,
    /// Answers the login one octet at a time, for ever.
    DripsLogin,
    /// A message with 900,000 addresses.
    ManyAddresses,
    /// A million hits of a search.
    MillionHits,
    /// A million hits of a search, as ESEARCH tells them.
    MillionHitsInASet,
    /// Says that a folder has as many messages as a number can tell.
    AsManyAsCanBe,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 42] = [
        Self::Behaves,
        Self::SilentOnConnect,
        Self::SilentOnLogin,
        Self::SilentAfterLogin,
        Self::ClosesOnConnect,
        Self::Preauth,
        Self::InjectsBeforeTls,
        Self::RefusesStartTls,
        Self::ByeAtOnce,
        Self::TooManyConnections,
        Self::WrongPassword,
        Self::Garbage,
        Self::NoInSelect,
        Self::NestedLists,
        Self::OpenLists,
        Self::EndlessLine,
        Self::HugeLiteral,
        Self::HalfLiteralThenCloses,
        Self::HalfLiteralThenSilent,
        Self::ByeMidCommand,
        Self::EndlessResponses,
        Self::Drips,
        Self::WrongTag,
        Self::MillionResponses,
        Self::MillionTokens,
        Self::StrayContinuation,
        Self::UidValidityChanges,
        Self::DiesAfterStore,
        Self::DiesAfterMove,
        Self::DiesAfterAppend,
        Self::SilentAfterAppend,
        Self::RefusesCopies,
        Self::NoTarget,
        Self::TooManyCommands,
        Self::ByeTooMany,
        Self::DropsIdle,
        Self::ByeWhenIdle,
        Self::DripsLogin,
        Self::ManyAddresses,
        Self::MillionHits,
        Self::MillionHitsInASet,
        Self::AsManyAsCanBe,
    ];
}

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

struct Connection {
    mode: Mode,
    now: Arc<Mutex<Mode>>,
    gate: Arc<Gate>,
    stream: TcpStream,
    logins: Arc<AtomicUsize>,
    opened: Arc<AtomicUsize>,
    commands: Arc<Mutex<Vec<String>>>,
    fetched: bool,
}

/// A summary as FETCH gives it.
const SUMMARY: &str = "* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 5 \
    ENVELOPE (NIL \"hello\" NIL NIL NIL NIL NIL NIL NIL NIL) BODYSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1))\r\n";

impl Connection {
    fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.stream.write_all(text.as_bytes())
    }

    /// Waits until the client hangs up.
    fn silence(&mut self) -> std::io::Result<()> {
        std::io::copy(&mut self.stream, &mut std::io::sink()).map(drop)
    }

    fn serve(mut self) -> std::io::Result<()> {
        match self.mode {
            Mode::SilentOnConnect => return self.silence(),
            Mode::ClosesOnConnect => return Ok(()),
            Mode::Preauth => self.say("* PREAUTH [CAPABILITY IMAP4rev1] welcome back\r\n")?,
            Mode::ByeAtOnce => return self.say("* BYE going down\r\n"),
            Mode::TooManyConnections => {
                return self.say("* BYE [UNAVAILABLE] Too many simultaneous connections\r\n");
            }
            Mode::Garbage => {
                self.say("\u{1}\u{2}HTTP/1.1 400 Bad Request\r\n\r\n<html>\r\n")?;
                return self.silence();
            }
            _ => self.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+] hello\r\n")?,
        }
        let mut lines = BufReader::new(self.stream.try_clone()?);
        let mut line = String::new();
        while lines.read_line(&mut line)? > 0 {
            let (tag, command) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
            let (tag, command) = (tag.to_owned(), command.to_ascii_uppercase());
            let literal = line.trim_end().strip_suffix("+}").and_then(|line| line.rsplit_once('{'));
            if let Some(size) = literal.and_then(|(_, size)| size.parse().ok()) {
                std::io::copy(&mut lines.by_ref().take(size), &mut std::io::sink())?;
                lines.read_line(&mut String::new())?;
            }
            line.clear();
            self.commands.lock().unwrap().push(command.clone());
            self.mode = *self.now.lock().unwrap();
            if !self.command(&tag, &command)? {
                return Ok(());
            }
            // nothing more was written in one go
            if self.fetched && lines.buffer().is_empty() {
                if self.mode == Mode::ByeWhenIdle {
                    self.say("* BYE idle for too long\r\n")?;
                }
                if matches!(self.mode, Mode::ByeWhenIdle | Mode::DropsIdle) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Answers one command; `false` closes.
    fn command(&mut self, tag: &str, command: &str) -> std::io::Result<bool> {
        let words: Vec<_> = command.split(' ').take(2).collect();
        match words[..] {
            ["STARTTLS", ..] | ["STARTTLS"] if self.mode == Mode::InjectsBeforeTls => {
                self.say(&format!("{tag} OK go\r\n* OK [CAPABILITY IMAP4rev1 INJECTED] hello\r\n"))?;
            }
            ["STARTTLS"] => self.say(&format!("{tag} BAD no\r\n"))?,
            ["AUTHENTICATE" | "LOGIN", ..] => {
                self.logins.fetch_add(1, Ordering::SeqCst);
                match self.mode {
                    Mode::SilentOnLogin => self.silence()?,
                    Mode::DripsLogin => loop {
                        self.say("*")?;
                        std::thread::sleep(Duration::from_millis(20));
                    },
                    Mode::WrongPassword => self.say(&format!("{tag} NO [AUTHENTICATIONFAILED] no\r\n"))?,
                    _ => self.say(&format!(
                        "{tag} OK [CAPABILITY IMAP4rev1 ESEARCH LITERAL+ MOVE UIDPLUS] in\r\n"
                    ))?,
                }
            }
            ["SELECT", ..] => {
                if self.mode == Mode::SilentAfterLogin {
                    self.silence()?;
                }
                if self.mode == Mode::NoInSelect {
                    self.say("* NO [ALERT] disk nearly full\r\n* BAD what?\r\n")?;
                }
                let validity = match self.mode {
                    Mode::UidValidityChanges => self.opened.fetch_add(1, Ordering::SeqCst),
                    _ => 1,
                };
                let exists = if self.mode == Mode::AsManyAsCanBe { u32::MAX } else { 1 };
                self.say(&format!(
                    "* {exists} EXISTS\r\n* OK [UIDVALIDITY {validity}] x\r\n{tag} OK [READ-WRITE] done\r\n"
                ))?;
            }
            ["FETCH", ..] | ["UID", "FETCH"] => {
                // of a batch of fetches only the first waits
                let ticket =
                    if command.contains(":* ") && words[0] == "UID" { None } else { self.gate.pass() };
                self.mode = ticket.unwrap_or_else(|| *self.now.lock().unwrap());
                if self.mode == Mode::TooManyCommands {
                    self.say(&format!("{tag} NO [LIMIT] too many commands\r\n"))?;
                    return Ok(true);
                }
                if !self.fetch(command)? {
                    return Ok(false);
                }
                self.say(&format!("{tag} OK done\r\n"))?;
                self.fetched = true;
            }
            ["UID", "SEARCH"] if matches!(self.mode, Mode::MillionHits | Mode::MillionHitsInASet) => {
                let set = self.mode == Mode::MillionHitsInASet;
                self.say(if set { "* ESEARCH (TAG \"x\") UID COUNT 1000000 ALL 1" } else { "* SEARCH 1" })?;
                let separator = if set { ',' } else { ' ' };
                for block in 0..1_000 {
                    let number = |one: u32| format!("{separator}{}", 1_000_001 + 2 * (block * 1_000 + one));
                    self.say(&(0..1_000).map(number).collect::<String>())?;
                }
                self.say(&format!("\r\n{tag} OK done\r\n"))?;
            }
            ["UID", "STORE"] if self.mode == Mode::DiesAfterStore => return Ok(false),
            ["UID", "MOVE" | "COPY" | "EXPUNGE"] if self.mode == Mode::DiesAfterMove => return Ok(false),
            ["UID", "MOVE" | "COPY"] if self.mode == Mode::RefusesCopies => {
                self.say(&format!("{tag} NO [OVERQUOTA] full\r\n"))?;
            }
            ["UID", "MOVE" | "COPY"] if self.mode == Mode::NoTarget => {
                self.say(&format!("{tag} NO [TRYCREATE] make it first\r\n"))?;
            }
            ["APPEND", ..] if self.mode == Mode::DiesAfterAppend => return Ok(false),
            ["APPEND", ..] if self.mode == Mode::SilentAfterAppend => self.silence()?,
            _ => self.say(&format!("{tag} OK done\r\n"))?,
        }
        Ok(true)
    }

    fn fetch(&mut self, command: &str) -> std::io::Result<bool> {
        const OPEN: &str = "* 1 FETCH (UID 1 RFC822.SIZE 5 BODYSTRUCTURE ";
        let many = 200_000;
        match self.mode {
            Mode::NestedLists => {
                self.say(&format!("{OPEN}{}1{})\r\n", "(".repeat(many), ")".repeat(many)))?;
            }
            Mode::OpenLists => self.say(&format!("{OPEN}{}\r\n", "(".repeat(many)))?,
            Mode::EndlessLine => {
                self.say("* 1 FETCH (UID ")?;
                loop {
                    self.stream.write_all(&[b'1'; 1 << 13])?;
                }
            }
            Mode::HugeLiteral => {
                self.say("* 1 FETCH (UID 1 BODY[] {4294967295}\r\nabc")?;
                self.silence()?;
            }
            Mode::HalfLiteralThenCloses => {
                self.say("* 1 FETCH (UID 1 BODY[1] {100}\r\nabc")?;
                return Ok(false);
            }
            Mode::HalfLiteralThenSilent => {
                self.say("* 1 FETCH (UID 1 BODY[1] {100}\r\nabc")?;
                self.silence()?;
            }
            Mode::ByeTooMany => {
                self.say("* BYE [UNAVAILABLE] Too many commands\r\n")?;
                return Ok(false);
            }
            Mode::ByeMidCommand => {
                self.say(&format!("{SUMMARY}* BYE idle for too long\r\n"))?;
                return Ok(false);
            }
            Mode::EndlessResponses => {
                let block = SUMMARY.repeat(100);
                loop {
                    self.say(&block)?;
                }
            }
            Mode::Drips => loop {
                self.say("* OK still here\r\n")?;
                std::thread::sleep(Duration::from_millis(20));
            },
            Mode::WrongTag => self.say("a99 OK not yours\r\nzz1 OK nor this\r\n")?,
            Mode::MillionResponses => {
                let block = "* 1 EXISTS\r\n".repeat(1_000);
                for _ in 0..1_000 {
                    self.say(&block)?;
                }
            }
            Mode::MillionTokens => {
                self.say(&format!("* 1 FETCH (UID 1 FLAGS ({}))\r\n", "a ".repeat(1_500_000)))?;
            }
            Mode::ManyAddresses => {
                self.say("* 1 FETCH (UID 1 FLAGS () INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 5 ENVELOPE (NIL NIL")?;
                let many = "(NIL NIL \"a\" \"b\")".repeat(10_000);
                for _ in 0..3 {
                    self.say(" (")?;
                    for _ in 0..30 {
                        self.say(&many)?;
                    }
                    self.say(")")?;
                }
                self.say(" NIL NIL NIL NIL NIL))\r\n")?;
            }
            Mode::StrayContinuation => self.say("+ go on\r\n")?,
            _ if command.contains("BODY.PEEK[HEADER]") => {
                let texts = ") BODY[HEADER] {4}\r\n\r\n\r\n BODY[TEXT]<0> {2}\r\nhi)\r\n";
                self.say(&SUMMARY.replace("))\r\n", texts))?;
            }
            _ => self.say(SUMMARY)?,
        }
        Ok(true)
    }
}
