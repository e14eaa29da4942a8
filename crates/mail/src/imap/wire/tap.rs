//! The tapped transport: what `imap::Client::new` gets instead of the socket.
//!
//! Every octet of the server is framed and parsed here. `imap` only ever reads lines made up in this file: a greeting,
//! `+ <base64>`, `aN OK|NO|BAD done`, and none at all once the session is open, when it only writes commands. So a
//! server can neither overflow, nor panic, nor confuse it.

use super::{
    fault::Fault,
    fetch::Fetch,
    framing::{Framer, Limits, Step},
    net::Net,
    response::{self, Code, Data, Kind, Line, Status},
};
use crate::lock::lock;
use base64::{Engine, engine::general_purpose::STANDARD};
use imapmcp_core::mail::MailError;
use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    sync::{Arc, Mutex},
};
use tokio::time::error::Elapsed;

const READ: usize = 16 << 10;
/// Octets in memory of all that describes the messages of one batch: a list has at most some hundred.
const DESCRIBED: usize = 8 << 20;

/// Receives a streamed literal; `false` means nobody listens any more. Blocking is the back-pressure.
pub(crate) type Sink = Box<dyn FnMut(Piece<'_>) -> bool + Send>;

/// What a [`Sink`] is given.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// The literal was announced.
    Start,
    /// Some of it.
    Octets(&'a [u8]),
    /// It is whole.
    End,
}

/// A tagged completion.
#[derive(Debug)]
pub(crate) struct Completion {
    pub(crate) tag: u32,
    pub(crate) status: Status,
    /// How many untagged responses of the batch had come before it.
    pub(crate) items: usize,
}

/// What `imap` is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Talk {
    /// Greeting, continuations and completions, made up.
    Login,
    /// Nothing.
    Silent,
}

/// Framing, parsing and the socket. Only who runs a command touches it.
pub(crate) struct Core {
    pub(crate) net: Net,
    /// Everything untagged since the batch began.
    pub(crate) items: Vec<Data>,
    pub(crate) completions: Vec<Completion>,
    pub(crate) greeting: Option<Status>,
    pub(crate) capabilities: Vec<String>,
    /// A synchronising literal waits for `+`; set to false when it comes.
    pub(crate) waits_for_go_ahead: bool,
    pub(crate) sink: Option<Sink>,
    talk: Talk,
    framer: Framer,
    input: Vec<u8>,
    position: usize,
    made_up: VecDeque<u8>,
    output: Vec<u8>,
    /// How much of it is on its way.
    written: usize,
    corked: bool,
    /// Whether reads and writes wait for the server, as they do on a thread of their own.
    blocking: bool,
    /// Highest tag given out.
    last_tag: u32,
    cost: usize,
    /// Of that, what describes messages.
    described: usize,
    bye: Option<Fault>,
    failed: Option<Fault>,
}

impl Core {
    pub(crate) fn new(net: Net, limits: Limits) -> Self {
        Self {
            net,
            items: vec![],
            completions: vec![],
            greeting: None,
            capabilities: vec![],
            waits_for_go_ahead: false,
            sink: None,
            talk: Talk::Login,
            framer: Framer::new(limits),
            input: vec![],
            position: 0,
            made_up: VecDeque::new(),
            output: vec![],
            written: 0,
            corked: false,
            blocking: true,
            last_tag: 0,
            cost: 0,
            described: 0,
            bye: None,
            failed: None,
        }
    }

    /// A batch of commands begins: bounds are set, responses collected from here on.
    pub(crate) fn begin(&mut self, limits: Limits) {
        self.framer.begin(limits);
        (self.cost, self.described) = (0, 0);
        self.items.clear();
        self.completions.clear();
    }

    /// `imap` is about to give out this tag.
    pub(crate) fn expect_tag(&mut self, tag: u32) {
        self.last_tag = tag;
    }

    /// The login is over: from now on `imap` only writes.
    pub(crate) fn hush(&mut self) {
        self.talk = Talk::Silent;
        self.made_up = VecDeque::new();
    }

    /// Streams the next literal of a BODY[…] to `sink`.
    pub(crate) fn stream_to(&mut self, sink: Option<Sink>) {
        self.framer.streaming = sink.is_some();
        self.sink = sink;
    }

    /// Holds commands back until [`Core::send`], so that a batch leaves in one write.
    pub(crate) fn cork(&mut self) {
        self.corked = true;
    }

    /// Octets behind those already waiting.
    pub(crate) fn queue(&mut self, octets: &[u8]) {
        self.output.extend_from_slice(octets);
    }

    /// Whether reads and writes are to wait for the server.
    pub(crate) fn set_blocking(&mut self, blocking: bool) -> Result<(), Fault> {
        if self.blocking != blocking {
            let done = self.net.socket().set_nonblocking(!blocking);
            done.map_err(|error| self.fail(Fault::of_io(&error)))?;
            self.blocking = blocking;
        }
        Ok(())
    }

    /// Writes what is held back; `false` when the network takes no more of it now, which a blocking socket never says.
    pub(crate) fn send(&mut self) -> Result<bool, Fault> {
        self.corked = false;
        if let Some(fault) = &self.failed {
            return Err(fault.clone());
        }
        while let Some(rest) = self.output.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.net.write(rest) {
                Ok(0) => return Err(self.fail(Fault::CUT)),
                Ok(written) => self.written += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !self.blocking => {
                    return Ok(false);
                }
                Err(error) => return Err(self.fail(Fault::of_io(&error))),
            }
        }
        (self.output, self.written) = (Vec::new(), 0);
        Ok(true)
    }

    /// Writes without a copy.
    pub(crate) fn write(&mut self, octets: &[u8]) -> Result<(), Fault> {
        if let Some(fault) = &self.failed {
            return Err(fault.clone());
        }
        let written = self.net.write_all(octets).and_then(|()| self.net.flush());
        written.map_err(|error| self.fail(Fault::of_io(&error)))
    }

    /// What ended this connection, if it ended.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.failed.as_ref()
    }

    /// Whether a command was answered.
    pub(crate) fn is_complete(&self, tag: u32) -> bool {
        self.completions.iter().any(|done| done.tag == tag)
    }

    /// Waiting for the server came to nothing.
    pub(crate) fn gave_out(&mut self, waited: Result<io::Result<()>, Elapsed>) -> Fault {
        match waited {
            Ok(Err(error)) => self.fail(Fault::of_io(&error)),
            Ok(Ok(())) | Err(_) => self.give_up(MailError::Timeout),
        }
    }

    /// Ends the connection for a reason of ours.
    pub(crate) fn give_up(&mut self, error: MailError) -> Fault {
        self.fail(Fault::Broken(error))
    }

    fn fail(&mut self, fault: Fault) -> Fault {
        // A BYE explains the end of the connection better than the end itself.
        let fault = match (self.bye.take(), fault) {
            (Some(bye), Fault::Lost(_)) => bye,
            (_, fault) => fault,
        };
        self.failed.get_or_insert(fault).clone()
    }

    /// Takes in one response, or part of one; `false` when the server has said nothing more, which a blocking socket
    /// never says.
    pub(crate) fn pump(&mut self) -> Result<bool, Fault> {
        if let Some(fault) = &self.failed {
            return Err(fault.clone());
        }
        if self.position == self.input.len() && !self.fill()? {
            return Ok(false);
        }
        self.step()?;
        Ok(true)
    }

    fn step(&mut self) -> Result<(), Fault> {
        let Ok((taken, step)) = self.framer.step(&self.input[self.position..]) else {
            return Err(self.fail(Fault::PROTOCOL));
        };
        self.position += taken;
        match step {
            Step::More => Ok(()),
            Step::Chunk { data, first, last } => {
                let alive = feed(self.sink.as_mut(), data, first, last);
                if last {
                    self.sink = None;
                }
                // Nobody listens: the rest of the literal is not worth reading.
                if alive { Ok(()) } else { Err(self.fail(Fault::Broken(MailError::Timeout))) }
            }
            Step::Response(raw) => {
                let cost = raw.cost();
                let line = response::line(&raw);
                self.framer.reuse(raw);
                let (weight, description) = line.as_ref().map_or((0, 0), Line::weight);
                self.cost += weight.max(cost);
                self.described += description;
                if self.framer.spent(self.cost).is_err() || self.described > DESCRIBED {
                    return Err(self.fail(Fault::PROTOCOL));
                }
                match line {
                    Ok(line) => self.take(line),
                    Err(_) => Err(self.fail(Fault::PROTOCOL)),
                }
            }
        }
    }

    fn fill(&mut self) -> Result<bool, Fault> {
        self.position = 0;
        self.input.resize(READ, 0);
        let read = self.net.read(&mut self.input);
        self.input.truncate(*read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(self.fail(Fault::CUT)),
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && !self.blocking => Ok(false),
            Err(error) => Err(self.fail(Fault::of_io(&error))),
        }
    }

    /// Gives back the read buffer of a connection that goes idle.
    pub(crate) fn rest(&mut self) {
        if self.position == self.input.len() {
            (self.input, self.position) = (Vec::new(), 0);
        }
        self.items = Vec::new();
        self.framer.rest();
        self.net.rest();
    }

    fn take(&mut self, line: Line) -> Result<(), Fault> {
        match line {
            Line::Tagged(tag, status) => self.take_tagged(&tag, status),
            Line::Continue(challenge) => self.take_go_ahead(&challenge),
            Line::Untagged(data) => {
                self.take_untagged(data);
                Ok(())
            }
        }
    }

    fn take_tagged(&mut self, tag: &str, status: Status) -> Result<(), Fault> {
        // Only tags already given out: a completion sent ahead of its command, or for somebody else, is a lie.
        let number = tag.strip_prefix('a').and_then(|number| number.parse::<u32>().ok());
        let Some(number) = number.filter(|number| (1..=self.last_tag).contains(number)) else {
            return Err(self.fail(Fault::PROTOCOL));
        };
        if let Some(Code::Capability(capabilities)) = &status.code {
            self.capabilities.clone_from(capabilities);
        }
        if self.talk == Talk::Login && number == self.last_tag {
            let word = match status.kind {
                Kind::Ok => "OK",
                Kind::Bad => "BAD",
                Kind::No | Kind::Bye | Kind::Preauth => "NO",
            };
            self.say(&format!("a{number} {word} done\r\n"));
        }
        let items = self.items.len();
        self.completions.push(Completion { tag: number, status, items });
        Ok(())
    }

    fn take_go_ahead(&mut self, challenge: &[u8]) -> Result<(), Fault> {
        match self.talk {
            Talk::Login => {
                let known = STANDARD.decode(challenge).is_ok();
                let challenge =
                    if known { String::from_utf8_lossy(challenge).into_owned() } else { String::new() };
                self.say(&format!("+ {challenge}\r\n"));
                Ok(())
            }
            Talk::Silent if self.waits_for_go_ahead => {
                self.waits_for_go_ahead = false;
                Ok(())
            }
            Talk::Silent => Err(self.fail(Fault::PROTOCOL)),
        }
    }

    fn take_untagged(&mut self, data: Data) {
        match &data {
            Data::Capability(list) => self.capabilities.clone_from(list),
            Data::Status(status) => {
                if let Some(Code::Capability(list)) = &status.code {
                    self.capabilities.clone_from(list);
                }
                if status.kind == Kind::Bye {
                    self.bye = Some(Fault::of_bye(status));
                }
                if self.greeting.is_none() {
                    self.greeting = Some(status.clone());
                    self.say("* OK hello\r\n");
                    return;
                }
            }
            Data::Other => return,
            _ => {}
        }
        self.items.push(data);
    }

    fn say(&mut self, line: &str) {
        self.made_up.extend(line.as_bytes());
    }
}

fn feed(sink: Option<&mut Sink>, data: &[u8], first: bool, last: bool) -> bool {
    let Some(sink) = sink else { return true };
    (!first || sink(Piece::Start))
        && (data.is_empty() || sink(Piece::Octets(data)))
        && (!last || sink(Piece::End))
}

/// [`Core`], shared between `imap`, which owns it inside its session, and our session: whoever runs a command uses both
/// sides, so nobody ever waits for the lock.
pub(crate) type SharedCore = Arc<Mutex<Core>>;

/// What `imap` owns.
pub(crate) struct Tap(pub(crate) SharedCore);

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut core = lock(&self.0);
        while core.made_up.is_empty() {
            match core.pump() {
                Ok(true) => {}
                Ok(false) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(_) => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        core.made_up.read(buffer)
    }
}

impl Write for Tap {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        lock(&self.0).queue(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut core = lock(&self.0);
        if core.corked || core.output.is_empty() {
            return Ok(());
        }
        match core.send() {
            Ok(true) => Ok(()),
            Ok(false) => Err(io::ErrorKind::WouldBlock.into()),
            Err(_) => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

/// The fetches among some responses.
pub(crate) fn fetches(items: Vec<Data>) -> impl Iterator<Item = Fetch> {
    items.into_iter().filter_map(|item| if let Data::Fetch(fetch) = item { Some(*fetch) } else { None })
}

#[cfg(test)]
mod tests;
