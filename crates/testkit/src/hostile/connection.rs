//! One connection, and what is said on it.

use super::{Gate, Mode};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// One client's connection.
pub(super) struct Connection {
    pub(super) mode: Mode,
    pub(super) now: Arc<Mutex<Mode>>,
    pub(super) gate: Arc<Gate>,
    pub(super) stream: TcpStream,
    pub(super) logins: Arc<AtomicUsize>,
    pub(super) opened: Arc<AtomicUsize>,
    pub(super) commands: Arc<Mutex<Vec<String>>>,
    pub(super) fetched: bool,
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

    /// Talks until the client hangs up, or the mode says otherwise.
    pub(super) fn serve(mut self) -> std::io::Result<()> {
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
