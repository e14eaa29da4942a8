//! An authenticated session: batches of commands written at once, their answers sorted by command.

use super::{
    command::Command,
    fault::{Fault, refusal, select_refusal},
    hints::Hints,
    net::Killer,
    response::{Code, Data, Kind, Status},
    tap::{SharedCore, Sink, Tap, lock},
    wire::Limits,
};
use bytes::Bytes;
use imapmcp_core::mail::MailError;
use std::{sync::Arc, time::Duration};

/// The folder the server has open for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) folder: String,
    pub(crate) uid_validity: u32,
    pub(crate) exists: u32,
}

/// The answer to one command.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: Status,
    pub(crate) items: Vec<Data>,
}

impl Reply {
    /// The responses, if the server said OK.
    pub(crate) fn ok(self) -> Result<Self, Fault> {
        if self.status.kind == Kind::Ok { Ok(self) } else { Err(Fault::Said(refusal(&self.status))) }
    }
}

/// An authenticated session. All methods block.
pub(crate) struct Session {
    imap: imap::Session<Tap>,
    core: SharedCore,
    tag: u32,
    selected: Option<Selected>,
    capabilities: Vec<String>,
    introduced: bool,
    killer: Arc<Killer>,
    silence: Duration,
    pub(super) hints: Arc<Hints>,
}

impl Session {
    pub(super) fn new(
        imap: imap::Session<Tap>,
        core: SharedCore,
        tag: u32,
        killer: Killer,
        hints: Arc<Hints>,
    ) -> Result<Self, Fault> {
        let mut session = Self {
            hints,
            imap,
            core,
            tag,
            selected: None,
            capabilities: vec![],
            introduced: false,
            killer: Arc::new(killer),
            silence: Duration::ZERO,
        };
        if lock(&session.core).capabilities.is_empty() {
            session.run(vec![Command::new("CAPABILITY")])?;
        }
        session.capabilities = std::mem::take(&mut lock(&session.core).capabilities);
        session.introduced = !session.offers("ID");
        Ok(session)
    }

    /// What cuts this session from another thread.
    pub(crate) fn killer(&self) -> Arc<Killer> {
        Arc::clone(&self.killer)
    }

    /// Whether the server has this capability (upper case), read once after the login.
    pub(crate) fn offers(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|offered| offered == capability)
    }

    /// The folder that is open.
    pub(crate) fn selected(&self) -> Option<&Selected> {
        self.selected.as_ref()
    }

    /// How long the server may be silent from now on.
    pub(crate) fn set_silence(&mut self, silence: Duration) -> Result<(), Fault> {
        if self.silence != silence {
            lock(&self.core).net.set_silence(silence)?;
            self.silence = silence;
        }
        Ok(())
    }

    /// Whether the idle connection looks alive, without a word on the wire.
    pub(crate) fn is_quiet(&self) -> bool {
        lock(&self.core).net.is_quiet()
    }

    /// Whether the connection can still be used.
    pub(crate) fn is_usable(&self) -> bool {
        lock(&self.core).fault().is_none()
    }

    /// Frees what an idle connection does not need.
    pub(crate) fn rest(&mut self) {
        lock(&self.core).rest();
    }

    /// Opens `folder`, or takes in what happened in it since: the first command of a batch that needs it.
    pub(crate) fn enter(&self, folder: &str) -> Command {
        if self.selected.as_ref().is_some_and(|selected| selected.folder == folder) {
            return Command::new("NOOP");
        }
        self.name(Command::new("SELECT ").selecting(folder), folder)
    }

    /// Adds a folder's name as the server spells it.
    pub(crate) fn name(&self, command: Command, folder: &str) -> Command {
        match self.hints.wire_name(folder) {
            Some(name) => command.string(&name),
            None => command.folder(folder),
        }
    }

    /// The open folder after [`Session::enter`] was run, if its UIDVALIDITY is still `known`.
    pub(crate) fn entered(&self, entering: Reply, known: Option<u32>) -> Result<Selected, Fault> {
        if entering.status.kind != Kind::Ok {
            return Err(Fault::Said(select_refusal(&entering.status)));
        }
        let selected = self.selected.clone().ok_or(Fault::PROTOCOL)?;
        if known.is_some_and(|known| known != selected.uid_validity) {
            return Err(Fault::Said(MailError::Stale));
        }
        Ok(selected)
    }

    /// Runs commands as one batch: written together, answered in order.
    pub(crate) fn run(&mut self, commands: Vec<Command>) -> Result<Vec<Reply>, Fault> {
        self.run_within(commands, Limits::default(), None)
    }

    /// As [`Session::run`] with bounds and a receiver for the literal of a BODY[…].
    pub(crate) fn run_within(
        &mut self,
        mut commands: Vec<Command>,
        limits: Limits,
        sink: Option<Sink>,
    ) -> Result<Vec<Reply>, Fault> {
        // RFC 2971: some providers refuse to open folders for clients that do not say who they are. It rides along.
        let introduces = !self.introduced;
        if introduces {
            commands.insert(0, Command::new("ID (\"name\" \"imapmcp\")"));
            self.introduced = true;
        }
        {
            let mut core = lock(&self.core);
            core.begin(limits);
            core.stream_to(sink);
            core.cork();
        }
        let first = self.tag + 1;
        for command in &commands {
            self.write(command)?;
        }
        lock(&self.core).send()?;
        for tag in first..=self.tag {
            self.wait(tag)?;
        }
        lock(&self.core).stream_to(None);
        let mut replies = self.sort(first, commands.len())?;
        for (command, reply) in commands.iter().zip(&replies) {
            self.follow(command, reply);
        }
        if introduces {
            replies.remove(0);
        }
        Ok(replies)
    }

    fn write(&mut self, command: &Command) -> Result<(), Fault> {
        self.tag += 1;
        lock(&self.core).expect_tag(self.tag);
        let mut texts = command.texts.iter();
        let mut literals = command.literals.iter().peekable();
        let first = texts.next().map(String::as_str).unwrap_or_default();
        let mut line = first.to_owned();
        let waits = self.announce(&mut line, literals.peek().copied());
        self.imap
            .run_command(&line)
            .map_err(|_| lock(&self.core).fault().cloned().unwrap_or(Fault::PROTOCOL))?;
        let mut go_ahead = !waits;
        while let (Some(literal), Some(text)) = (literals.next(), texts.next()) {
            if !go_ahead && !self.wait_for_go_ahead()? {
                return Ok(());
            }
            let mut line = text.clone();
            go_ahead = !self.announce(&mut line, literals.peek().copied());
            line.push_str("\r\n");
            let mut core = lock(&self.core);
            core.send()?;
            core.write(literal)?;
            core.cork();
            core.queue(line.as_bytes());
        }
        Ok(())
    }

    /// `{5}` or, where the server does not want to be asked, `{5+}` (RFC 7888); whether it wants to be asked.
    fn announce(&self, line: &mut String, literal: Option<&Bytes>) -> bool {
        let Some(literal) = literal else { return false };
        let size = literal.len();
        let free = self.offers("LITERAL+") || (self.offers("LITERAL-") && size <= 4096);
        line.push_str(&if free { format!("{{{size}+}}") } else { format!("{{{size}}}") });
        !free
    }

    /// Waits for `+`; `false` if the command was completed instead.
    fn wait_for_go_ahead(&mut self) -> Result<bool, Fault> {
        let mut core = lock(&self.core);
        core.waits_for_go_ahead = true;
        core.send()?;
        while core.waits_for_go_ahead {
            if core.completions.iter().any(|done| done.tag == self.tag) {
                core.waits_for_go_ahead = false;
                core.cork();
                return Ok(false);
            }
            core.pump()?;
        }
        core.cork();
        Ok(true)
    }

    fn wait(&mut self, tag: u32) -> Result<(), Fault> {
        let mut core = lock(&self.core);
        while !core.completions.iter().any(|done| done.tag == tag) {
            core.pump()?;
        }
        Ok(())
    }

    /// Gives each command the responses that came since the completion before its own.
    fn sort(&mut self, first: u32, count: usize) -> Result<Vec<Reply>, Fault> {
        let mut core = lock(&self.core);
        let mut items = std::mem::take(&mut core.items);
        let mut replies: Vec<Option<Reply>> = (0..count).map(|_| None).collect();
        for index in (0..core.completions.len()).rev() {
            let start = index.checked_sub(1).map_or(0, |before| core.completions[before].position);
            let own = items.split_off(start.min(items.len()));
            let done = &core.completions[index];
            let place = done.tag.checked_sub(first).and_then(|place| usize::try_from(place).ok());
            if let Some(slot) = place.and_then(|place| replies.get_mut(place)) {
                *slot = Some(Reply { status: done.status.clone(), items: own });
            }
        }
        core.completions.clear();
        replies.into_iter().collect::<Option<_>>().ok_or(Fault::PROTOCOL)
    }

    /// Keeps the idea of the open folder true.
    fn follow(&mut self, command: &Command, reply: &Reply) {
        if let Some(folder) = &command.selects {
            self.selected = (reply.status.kind == Kind::Ok).then(|| Selected {
                folder: folder.clone(),
                uid_validity: 0,
                exists: 0,
            });
        }
        let Some(selected) = &mut self.selected else { return };
        for item in &reply.items {
            match item {
                Data::Exists(exists) => selected.exists = *exists,
                Data::Expunge => selected.exists = selected.exists.saturating_sub(1),
                Data::Status(Status { code: Some(Code::UidValidity(validity)), .. }) => {
                    selected.uid_validity = *validity;
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read, Result, Write};

    struct Script(Cursor<&'static [u8]>, Vec<u8>);

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Script {
        fn write(&mut self, octets: &[u8]) -> Result<usize> {
            self.1.write(octets)
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    /// The session counts the tags that `imap` gives out; this pins that they are a1, a2 and so on.
    #[test]
    fn the_tags_of_the_imap_crate_are_counted_from_a1() {
        let script = b"* OK hello\r\na1 OK done\r\na2 OK done\r\na3 OK done\r\na4 OK done\r\n";
        let mut client = imap::Client::new(Script(Cursor::new(script), vec![]));
        client.read_greeting().unwrap();
        let _ = client.capabilities();
        let mut session = client.login("u", "p").map_err(|(error, _)| error).unwrap();
        session.run_command_and_check_ok("X").unwrap();
        session.run_command_and_check_ok("Y").unwrap();
    }
}
