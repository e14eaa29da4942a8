//! An authenticated session: batches of commands written at once, their answers sorted by command.

use super::{batch::Batch, capabilities::Capabilities, hints::Hints, selected::Selected};
use crate::imap::wire::{
    command::{Command, Literal},
    fault::{Fault, select_refusal},
    framing::Limits,
    net::Killer,
    response::{Data, Kind, Status},
    tap::{Core, SharedCore, Sink, Tap},
    waiting::{Waiting, at_once},
};
use crate::lock::lock;
use bytes::Bytes;
use imapmcp_core::{mail::MailError, octets::ReadError};
use std::{
    fmt::Write,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// How long what was said of a folder counts as its present state.
const FRESH: Duration = Duration::from_secs(1);

/// The octets of a literal, as they are read.
pub(crate) type Feed = mpsc::Receiver<Result<Bytes, ReadError>>;

/// An authenticated session. Its futures wait as [`Waiting`] says.
pub(crate) struct Session {
    imap: imap::Session<Tap>,
    core: SharedCore,
    tag: u32,
    selected: Option<Selected>,
    /// Read once after the login.
    pub(crate) capabilities: Capabilities,
    introduced: bool,
    killer: Arc<Killer>,
    pub(crate) waiting: Waiting,
    /// Whether the last octet of the last batch was handed to the network.
    sent: bool,
    /// When the server was last asked for news of the open folder, and how much had been changed by then.
    looked: Option<(Instant, u64)>,
    /// Where the octets of a fed literal come from.
    feed: Option<Feed>,
    pub(crate) hints: Arc<Hints>,
}

impl Session {
    pub(crate) fn new(
        imap: imap::Session<Tap>,
        core: SharedCore,
        tag: u32,
        killer: Killer,
        hints: Arc<Hints>,
    ) -> Result<Self, Fault> {
        let killer = Arc::new(killer);
        let mut session = Self {
            waiting: Waiting::new(Arc::clone(&core), Arc::clone(&killer)),
            hints,
            imap,
            core,
            tag,
            selected: None,
            capabilities: Capabilities::of(&[]),
            introduced: false,
            killer,
            sent: false,
            looked: None,
            feed: None,
        };
        if lock(&session.core).capabilities.is_empty() {
            at_once(session.run(vec![Command::new("CAPABILITY")]))?.check(0)?;
        }
        session.capabilities = Capabilities::of(&std::mem::take(&mut lock(&session.core).capabilities));
        session.introduced = !session.capabilities.has_id();
        Ok(session)
    }

    /// What cuts this session from another thread.
    pub(crate) fn killer(&self) -> Arc<Killer> {
        Arc::clone(&self.killer)
    }

    /// The folder that is open.
    pub(crate) fn selected(&self) -> Option<&Selected> {
        self.selected.as_ref()
    }

    /// Whether the idle connection looks alive, without a word on the wire.
    pub(crate) fn is_quiet(&self) -> bool {
        lock(&self.core).net.is_quiet()
    }

    /// Whether the connection can still be used.
    pub(crate) fn is_usable(&self) -> bool {
        lock(&self.core).fault().is_none()
    }

    /// Opens `folder`, or takes in what happened in it since: the first command of a batch that needs it.
    pub(crate) fn enter(&self, folder: &str) -> Command {
        if self.selected.as_ref().is_some_and(|selected| selected.folder == folder) {
            return Command::new("NOOP");
        }
        self.name(Command::new("SELECT ").selecting(folder), folder)
    }

    /// Whether there is nothing to take in: the folder is open, the server was asked a moment ago, and nobody changed
    /// anything through this account since.
    pub(crate) fn is_fresh(&self, folder: &str) -> bool {
        self.selected.as_ref().is_some_and(|selected| selected.folder == folder)
            && self.looked.is_some_and(|(at, writes)| at.elapsed() < FRESH && writes == self.hints.writes())
    }

    /// Adds a folder's name as the server spells it.
    pub(crate) fn name(&self, command: Command, folder: &str) -> Command {
        match self.hints.wire_name(folder) {
            Some(name) => command.string(&name),
            None => command.folder(folder),
        }
    }

    /// The open folder after [`Session::enter`] was run at the head of a batch, if its UIDVALIDITY is still `known`.
    pub(crate) fn entered(&self, batch: &Batch, known: Option<u32>) -> Result<Selected, Fault> {
        if let Some(status) = batch.statuses.first().filter(|status| status.kind != Kind::Ok) {
            return Err(Fault::Said(select_refusal(status)));
        }
        let selected = self.selected.clone().ok_or(Fault::PROTOCOL)?;
        if known.is_some_and(|known| known != selected.uid_validity) {
            return Err(Fault::Said(MailError::Stale));
        }
        Ok(selected)
    }

    /// Whether all of the last batch was written.
    pub(crate) fn was_sent(&self) -> bool {
        self.sent
    }

    /// Runs commands as one batch, written together. What changes something must not stand behind a command that
    /// selects, unless the caller does not care for UIDVALIDITY.
    pub(crate) async fn run(&mut self, commands: Vec<Command>) -> Result<Batch, Fault> {
        self.run_within(commands, Limits::default(), None).await
    }

    /// Runs one command with a literal whose octets come while it is written; on a thread of its own only.
    pub(crate) async fn run_fed(&mut self, command: Command, feed: Feed) -> Result<Batch, Fault> {
        self.feed = Some(feed);
        let done = self.run(vec![command]).await;
        self.feed = None;
        done
    }

    /// As [`Session::run`] with bounds and a receiver for the literal of a BODY[…].
    pub(crate) async fn run_within(
        &mut self,
        mut commands: Vec<Command>,
        limits: Limits,
        sink: Option<Sink>,
    ) -> Result<Batch, Fault> {
        // RFC 2971: some providers refuse to open folders for clients that do not say who they are. It rides along.
        let introduces = !std::mem::replace(&mut self.introduced, true);
        if introduces {
            commands.insert(0, Command::new("ID (\"name\" \"imapmcp\")"));
        }
        {
            let mut core = lock(&self.core);
            core.begin(limits);
            core.stream_to(sink);
            core.cork();
        }
        self.sent = false;
        let looks = commands.get(usize::from(introduces)).is_some_and(Command::looks);
        let looked = looks.then(|| (Instant::now(), self.hints.writes()));
        let first = self.tag + 1;
        for command in &commands {
            self.write(command).await?;
        }
        self.waiting.send().await?;
        self.sent = true;
        for tag in first..=self.tag {
            self.wait(tag).await?;
        }
        let (items, mut completions) = {
            let mut core = lock(&self.core);
            core.stream_to(None);
            (std::mem::take(&mut core.items), std::mem::take(&mut core.completions))
        };
        completions.sort_by_key(|done| done.tag);
        completions.dedup_by_key(|done| done.tag);
        let own = completions.into_iter().skip_while(|done| done.tag < first);
        let skipped = usize::from(introduces);
        let (statuses, marks): (Vec<_>, Vec<_>) =
            own.skip(skipped).map(|done| (done.status, done.items)).unzip();
        self.looked = looked.or(self.looked);
        let (news, expunged) =
            self.follow(commands.get(skipped..).unwrap_or_default(), &statuses, &marks, &items);
        Ok(Batch { statuses, items, marks, news, expunged })
    }

    async fn write(&mut self, command: &Command) -> Result<(), Fault> {
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
            if !go_ahead && !self.wait_for_go_ahead().await? {
                return Ok(());
            }
            let mut line = text.clone();
            go_ahead = !self.announce(&mut line, literals.peek().copied());
            line.push_str("\r\n");
            match literal {
                Literal::Octets(octets) => lock(&self.core).queue(octets),
                Literal::Fed(length) => {
                    self.waiting.send().await?;
                    let mut core = lock(&self.core);
                    feed(&mut core, self.feed.as_mut(), *length)?;
                    core.cork();
                }
            }
            lock(&self.core).queue(line.as_bytes());
        }
        Ok(())
    }

    /// `{5}` or, where the server does not want to be asked, `{5+}` (RFC 7888); whether it wants to be asked.
    fn announce(&self, line: &mut String, literal: Option<&Literal>) -> bool {
        let Some(literal) = literal else { return false };
        let size = literal.length();
        let free = self.capabilities.takes_literal_unasked(size);
        let plus = if free { "+" } else { "" };
        // Writing to a string does not fail.
        let _ = write!(line, "{{{size}{plus}}}");
        !free
    }

    /// Waits for `+`; `false` if the command was completed instead.
    async fn wait_for_go_ahead(&mut self) -> Result<bool, Fault> {
        lock(&self.core).waits_for_go_ahead = true;
        self.waiting.send().await?;
        let tag = self.tag;
        self.waiting.pump_until(|core| !core.waits_for_go_ahead || core.is_complete(tag)).await?;
        let mut core = lock(&self.core);
        core.cork();
        Ok(!std::mem::take(&mut core.waits_for_go_ahead))
    }

    async fn wait(&mut self, tag: u32) -> Result<(), Fault> {
        self.waiting.pump_until(|core| core.is_complete(tag)).await
    }

    /// Keeps the idea of the open folder true; says whether there was news, and whether messages vanished.
    fn follow(
        &mut self,
        commands: &[Command],
        statuses: &[Status],
        marks: &[usize],
        items: &[Data],
    ) -> (bool, bool) {
        let (mut start, mut expunged, mut entered) = (0, false, false);
        let before = self.selected.as_ref().map(|selected| selected.exists);
        for (index, command) in commands.iter().enumerate() {
            if let Some(folder) = &command.selects {
                let opened = statuses.get(index).is_some_and(|status| status.kind == Kind::Ok);
                let read_only = statuses.get(index).is_some_and(|one| one.condition() == Some("READ-ONLY"));
                self.selected =
                    opened.then(|| Selected { read_only, ..Selected::new(folder.as_str().into()) });
                entered = true;
            }
            let last = index + 1 == commands.len();
            let end = if last { items.len() } else { marks.get(index).map_or(start, |end| start.max(*end)) };
            if let Some(selected) = &mut self.selected {
                expunged |= selected.take_in(&items[start..end]);
            }
            start = end;
        }
        let after = self.selected.as_ref().map(|selected| selected.exists);
        (!entered && (expunged || after != before), expunged)
    }
}

/// Writes a literal as its octets come. They have to be exactly as many as were announced: with fewer, or none any more,
/// the server still waits, and only the end of the connection tells it that there is no message.
fn feed(core: &mut Core, feed: Option<&mut Feed>, length: u64) -> Result<(), Fault> {
    let Some(feed) = feed else { return Err(core.give_up(MailError::Unreadable)) };
    let mut left = length;
    while left > 0 {
        let Some(Ok(piece)) = feed.blocking_recv() else {
            return Err(core.give_up(MailError::Unreadable));
        };
        let Some(rest) = left.checked_sub(piece.len() as u64) else {
            return Err(core.give_up(MailError::Unreadable));
        };
        core.write(&piece)?;
        left = rest;
    }
    Ok(())
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
