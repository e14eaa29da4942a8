//! One connection.

use super::{
    Lie, Refuses, Shared, show,
    wire::{Token, among, date_time, decode_name, list, tokens},
};
use imapmcp_core::mail::{
    Flag, FlagChange, MailError, Message, MessageRef, Messages, ThreadScope, TransferKind,
};
use std::sync::{Arc, atomic::Ordering};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// What becomes of a command: OK with a code or without, or a refusal.
pub(super) type Answer = Result<String, String>;

pub(super) struct Session {
    pub(super) stream: BufReader<TcpStream>,
    pub(super) shared: Arc<Shared>,
    pub(super) out: Vec<u8>,
    /// Folder, UIDVALIDITY and the UIDs the client knows of.
    pub(super) open: Option<(String, u32, Vec<u32>)>,
}

pub(super) fn no(error: MailError) -> String {
    match error {
        MailError::NoFolder => "NO [NONEXISTENT] no such folder".to_owned(),
        MailError::Refused { condition: Some(condition) } => format!("NO [{condition}] no"),
        error => format!("NO {error}"),
    }
}

fn hash(text: &str) -> u64 {
    // FNV-1a; Gmail's identifiers have 63 bits.
    let mix = |hash: u64, octet: u8| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, mix) >> 1
}

impl Session {
    pub(super) fn new(stream: TcpStream, shared: Arc<Shared>) -> Self {
        Self { stream: BufReader::new(stream), shared, out: Vec::new(), open: None }
    }

    pub(super) fn say(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    pub(super) async fn send(&mut self) -> Option<()> {
        let out = std::mem::take(&mut self.out);
        self.stream.get_mut().write_all(&out).await.ok()
    }

    pub(super) async fn serve(mut self) -> Option<()> {
        let capabilities = self.shared.features.capabilities.join(" ");
        self.say(&format!("* OK [CAPABILITY {capabilities}] scripted"));
        loop {
            self.send().await?;
            let tokens = self.read().await?;
            let (tag, rest) = tokens.split_first()?;
            let verb = verb(rest);
            let answer = match self.instead(&verb, rest).await? {
                Some(answer) => answer,
                None => self.obey(rest).await,
            };
            self.besides(&verb).await;
            let status = match answer {
                Ok(code) => format!("OK {code} done"),
                Err(refusal) => refusal,
            };
            self.say(&format!("{} {status}", tag.text()));
            if self.hangs_up(&verb) {
                self.send().await?;
                return None;
            }
        }
    }

    /// One command with its literals.
    async fn read(&mut self) -> Option<Vec<Token>> {
        let mut waits = self.stream.buffer().is_empty();
        let (mut out, mut record) = (Vec::new(), String::new());
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            if std::mem::take(&mut waits) {
                self.shared.turns.fetch_add(1, Ordering::SeqCst);
            }
            let line = line.trim_end();
            record.push_str(line);
            let open = line.rfind('{').filter(|_| line.ends_with('}'));
            let Some(open) = open else {
                tokens(line, &mut out);
                let record = record.split_once(' ').map_or("", |(_, command)| command).to_owned();
                self.shared.commands.lock().unwrap().push(record);
                return Some(out);
            };
            tokens(&line[..open], &mut out);
            let size = &line[open + 1..line.len() - 1];
            if !size.ends_with('+') {
                self.say("+ go on");
                self.send().await?;
                waits = true;
            }
            let mut octets = vec![0; size.trim_end_matches('+').parse().ok()?];
            self.stream.read_exact(&mut octets).await.ok()?;
            out.push(Token::Text(octets));
        }
    }

    pub(super) async fn obey(&mut self, tokens: &[Token]) -> Answer {
        let by_uid = tokens[0].text().eq_ignore_ascii_case("UID");
        let verb = verb(tokens);
        let rest = &tokens[1 + usize::from(by_uid)..];
        let spells = self.lie(|lie| matches!(lie, Lie::Spells(..)));
        let name = |at: usize| {
            let wire = rest.get(at).map(Token::text).unwrap_or_default();
            match spells {
                Some(Lie::Spells(usual, own)) if wire == own => decode_name(usual),
                Some(Lie::Spells(usual, _)) if wire == usual => "no such spelling".to_owned(),
                _ => decode_name(&wire),
            }
        };
        if matches!(verb.as_str(), "CREATE" | "RENAME") && self.lie(|lie| *lie == Lie::RefusesNames).is_some()
        {
            return Err("NO Invalid mailbox name.".to_owned());
        }
        match verb.as_str() {
            "CAPABILITY" => {
                let capabilities = self.shared.features.capabilities.join(" ");
                self.say(&format!("* CAPABILITY {capabilities}"));
                Ok(String::new())
            }
            "LOGIN" | "AUTHENTICATE" | "ID" | "SUBSCRIBE" | "UNSUBSCRIBE" => Ok(String::new()),
            "NOOP" => {
                self.look().await;
                Ok(String::new())
            }
            "SELECT" => self.select(&name(0)).await,
            "LIST" => self.list(rest).await,
            "LSUB" => self.subscriptions().await,
            "NAMESPACE" if !self.shared.features.namespaces.is_empty() => {
                self.say(&format!("* NAMESPACE {}", self.shared.features.namespaces));
                Ok(String::new())
            }
            "STATUS" => {
                let folders = self.folders().await;
                let folder = folders.iter().find(|one| *one.name == *name(0)).ok_or("NO no such folder")?;
                self.status(folder);
                Ok(String::new())
            }
            "CREATE" => done(self.shared.mailbox.create_folder(&name(0).into()).await.map(drop)),
            "RENAME" => {
                done(self.shared.mailbox.rename_folder(&name(0).into(), &name(1).into()).await.map(drop))
            }
            "DELETE" => done(self.shared.mailbox.delete_folder(&name(0).into()).await),
            "APPEND" => self.append(&name(0), &rest[1..]).await,
            "FETCH" => self.fetch(rest, by_uid).await,
            "SEARCH" if by_uid => self.search(rest).await,
            "STORE" if by_uid => self.store(rest).await,
            "COPY" if by_uid => self.transfer(rest, TransferKind::Copy).await,
            "MOVE" if by_uid && self.shared.features.has("MOVE") => {
                self.transfer(rest, TransferKind::Move).await
            }
            "EXPUNGE" if by_uid && self.shared.features.has("UIDPLUS") => self.expunge(rest).await,
            other => Err(format!("BAD {other}?")),
        }
    }

    /// The messages of a set, with sequence numbers; those that are gone by now are left out.
    pub(super) fn named(&self, set: &str, by_uid: bool) -> Result<Vec<(u32, u32)>, String> {
        let (_, _, known) = self.open.as_ref().ok_or("BAD no folder is open")?;
        let numbered: Vec<(u32, u32)> = (1..).zip(known.iter().copied()).collect();
        let all: Vec<u32> =
            numbered.iter().map(|(sequence, uid)| if by_uid { *uid } else { *sequence }).collect();
        let chosen = among(set, &all);
        Ok(numbered
            .into_iter()
            .filter(|(sequence, uid)| chosen.contains(if by_uid { uid } else { sequence }))
            .collect())
    }

    async fn fetch(&mut self, rest: &[Token], by_uid: bool) -> Answer {
        let items: Vec<String> = rest[1..].iter().map(Token::text).filter(|item| !item.is_empty()).collect();
        if let Some(section) = items.iter().find_map(|item| item.strip_prefix("BINARY.PEEK[")) {
            return self.fetch_decoded(&rest[0].text(), section.trim_end_matches(']')).await;
        }
        let mut refused = None;
        let (named, code) = self.limited(self.named(&rest[0].text(), by_uid)?);
        let summary = items.iter().any(|item| item == "RFC822.SIZE" || item == "ENVELOPE");
        for (sequence, uid) in named {
            match self.unfetchable(uid).filter(|_| summary) {
                Some((Refuses::Stops, code)) => return Err(format!("NO {code} cannot")),
                Some((Refuses::LeavesOut, code)) => {
                    refused = Some(format!("NO {code} cannot"));
                    continue;
                }
                None => {}
            }
            let at = self.place(uid);
            let Ok(message) = self.shared.mailbox.message(&at, 0).await else { continue };
            let mut shown: Vec<Vec<u8>> = Vec::new();
            for item in &items {
                shown.push(self.show(item, uid, &message).await);
            }
            self.out.extend_from_slice(format!("* {sequence} FETCH (").as_bytes());
            self.out.extend_from_slice(&shown.join(&b' '));
            self.out.extend_from_slice(b")\r\n");
        }
        refused.map_or(Ok(code), Err)
    }

    async fn show(&self, item: &str, uid: u32, message: &Message) -> Vec<u8> {
        if let Some(Lie::Tells(_, words)) =
            self.lie(|lie| matches!(lie, Lie::Tells(own, _) if item.starts_with(own)))
        {
            return words.into_bytes();
        }
        let summary = &message.summary;
        let gmail = self.shared.features.has("X-GM-EXT-1");
        let text = match item {
            "UID" => format!("UID {uid}"),
            "FLAGS" => format!("FLAGS ({})", summary.flags.join(" ")),
            "INTERNALDATE" => format!("INTERNALDATE \"{}\"", date_time(summary.internal_date.unwrap())),
            "RFC822.SIZE" => format!("RFC822.SIZE {}", summary.size),
            "ENVELOPE" => format!("ENVELOPE {}", show::envelope(&summary.envelope)),
            "BODYSTRUCTURE" => format!("BODYSTRUCTURE {}", show::structure(&summary.parts)),
            "X-GM-MSGID" if gmail => format!("X-GM-MSGID {}", message_hash(message)),
            "X-GM-THRID" if gmail => format!("X-GM-THRID {}", self.thread_hash(&message.at).await),
            item if item.starts_with("BODY.PEEK[") => {
                let (section, partial) = item["BODY.PEEK[".len()..].split_once(']').unwrap();
                let range = partial.trim_matches(['<', '>']).split_once('.');
                let range = range.map(|(start, length)| (start.parse().unwrap(), length.parse().unwrap()));
                let (start, length): (usize, usize) = range.unwrap_or((0, 32 << 20));
                let limit = u32::try_from(start + length).unwrap();
                let octets = match section {
                    fields if fields.starts_with("HEADER.FIELDS") => {
                        Ok(show::fields(&message.header, fields).into())
                    }
                    section => self.shared.mailbox.section(&message.at.clone().into(), section, limit).await,
                };
                let origin = if partial.is_empty() { String::new() } else { format!("<{start}>") };
                let Ok(octets) = octets else { return format!("BODY[{section}]{origin} NIL").into_bytes() };
                let octets = octets.slice(start.min(octets.len())..);
                let head = format!("BODY[{section}]{origin} {{{}}}\r\n", octets.len());
                return [head.as_bytes(), &octets].concat();
            }
            other => panic!("an item that no server knows: {other}"),
        };
        text.into_bytes()
    }

    pub(super) async fn thread_hash(&self, at: &MessageRef) -> u64 {
        let scope = ThreadScope { cross_folder: true, limit: 1, beginning: 0 };
        let thread = self.shared.mailbox.thread(&at.clone().into(), &scope).await.unwrap();
        hash(&thread.id.unwrap_or_else(|| format!("{at:?}")))
    }

    async fn append(&mut self, folder: &str, rest: &[Token]) -> Answer {
        let Some(Token::Text(message)) = rest.last() else { return Err("BAD no literal".to_owned()) };
        let flags: Vec<_> = rest.iter().filter_map(|token| Flag::parse(&token.text())).collect();
        let flags = if rest[0] == Token::Open { flags } else { vec![] };
        match self.shared.mailbox.append(&folder.into(), message.clone().into(), &flags).await {
            Ok(Some(at)) if self.shared.features.has("UIDPLUS") => {
                Ok(format!("[APPENDUID {} {}]", at.uid_validity, at.uid))
            }
            Ok(_) => Ok(String::new()),
            Err(MailError::NoFolder) => Err("NO [TRYCREATE] no such folder".to_owned()),
            Err(error) => Err(no(error)),
        }
    }

    async fn store(&mut self, rest: &[Token]) -> Answer {
        let (named, code) = self.limited(self.named(&rest[0].text(), true)?);
        let uids: Vec<_> = named.into_iter().map(|(_, uid)| uid).collect();
        let flags: Vec<_> = rest[2..].iter().filter_map(|token| Flag::parse(&token.text())).collect();
        let change = if rest[1].text().starts_with('+') {
            FlagChange { add: flags, remove: vec![] }
        } else {
            FlagChange { add: vec![], remove: flags }
        };
        let mut changed = Vec::new();
        for uid in uids {
            let at = self.place(uid);
            let done = self
                .shared
                .mailbox
                .change_flags(&Messages::new(at.folder.clone(), at.uid_validity, &[at.uid]), &change)
                .await;
            changed.extend(done.map_err(no)?.changed);
        }
        let silent = rest[1].text().ends_with(".SILENT") || !self.shared.features.has("UIDPLUS");
        if silent || changed.is_empty() {
            return Ok(code);
        }
        let told = [list(changed), "UID".to_owned(), "FLAGS".to_owned()].map(Token::Atom);
        self.fetch(&told, true).await
    }

    async fn transfer(&mut self, rest: &[Token], kind: TransferKind) -> Answer {
        let (named, limit) = self.limited(self.named(&rest[0].text(), true)?);
        let uids: Vec<_> = named.into_iter().map(|(_, uid)| uid).collect();
        let (folder, validity, _) = self.open.clone().unwrap();
        let to = decode_name(&rest[1].text());
        let done = self
            .shared
            .mailbox
            .transfer(&Messages::new(folder.clone(), Some(validity), &uids), &to.into(), kind)
            .await;
        let done = done.map_err(|error| match error {
            MailError::NoFolder => "NO [TRYCREATE] no such folder".to_owned(),
            error => no(error),
        })?;
        let code = done.placed.first().map_or(String::new(), |(_, first)| {
            let (old, new): (Vec<_>, Vec<_>) = done.placed.iter().map(|(old, new)| (*old, new.uid)).unzip();
            self.copyuid(first.uid_validity, old, new)
        });
        let code = if self.shared.features.has("UIDPLUS") { code } else { String::new() };
        if kind == TransferKind::Move {
            self.say(&format!("* OK {code} moved"));
            if self.lie(|lie| *lie == Lie::MovesWithoutWord).is_none() {
                self.look().await;
            }
            return Ok(limit);
        }
        if limit.is_empty() {
            return Ok(code);
        }
        self.say(&format!("* OK {code} copied"));
        Ok(limit)
    }

    async fn expunge(&mut self, rest: &[Token]) -> Answer {
        let (folder, validity, _) = self.open.clone().ok_or("BAD no folder is open")?;
        let (mut marked, (named, code)) = (Vec::new(), self.limited(self.named(&rest[0].text(), true)?));
        for (_, uid) in named {
            let message = self.shared.mailbox.message(&self.place(uid), 0).await.map_err(no)?;
            if message.summary.flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Deleted")) {
                marked.push(uid);
            }
        }
        self.shared
            .mailbox
            .expunge(&Messages::new(folder.clone(), Some(validity), &marked))
            .await
            .map_err(no)?;
        self.look().await;
        Ok(code)
    }
}

/// The command's name, without `UID`, in upper case.
fn verb(tokens: &[Token]) -> String {
    let word = |at: usize| tokens.get(at).map(|token| token.text().to_ascii_uppercase()).unwrap_or_default();
    if word(0) == "UID" { word(1) } else { word(0) }
}

fn done(result: Result<(), MailError>) -> Answer {
    result.map(|()| String::new()).map_err(no)
}

pub(super) fn message_hash(message: &Message) -> u64 {
    hash(message.summary.envelope.message_id.as_deref().unwrap_or(&format!("{:?}", message.at)))
}
