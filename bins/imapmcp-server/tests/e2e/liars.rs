//! Mail servers that lie and flood, in many ways at once, while somebody else reads: nothing is told as done or sent that is
//! not, no message is told twice or not at all, memory stays, and nobody else waits. `IMAPMCP_TEST_SIEGE` tells how many
//! seconds it lasts.

use crate::{
    outbox::Mail,
    siege::{Over, lasts, p99, resident, slowest_allowed, tenant},
    world::World,
};
use imapmcp_core::{
    account::Login,
    mail::{Criterion, MailStore, Mailbox, Messages, Page},
    time::SystemClock,
};
use imapmcp_mail::memory::MemoryMail;
use imapmcp_testkit::{
    builders,
    hostile::{HostileImap, Mode},
    hostile_smtp::{HostileSmtp, Layer, Step, Trick},
    servers::{Features, Lie, ScriptedImap},
    sink::Habit,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// By how much the memory of the process may grow, in MiB.
const MEMORY: u64 = 64;

/// Lies of an IMAP server about changes and searches.
fn lies() -> Vec<Lie> {
    let mut lies = Lie::OF_CHANGES.to_vec();
    lies.extend([Lie::SearchesAll, Lie::SearchesNothing, Lie::Limits(1)]);
    for verb in ["FETCH", "STORE", "MOVE"] {
        lies.extend([Lie::Floods(verb), Lie::Nests(verb), Lie::Halves(verb), Lie::Dies(verb)]);
    }
    lies
}

/// Floods of an IMAP server, for somebody who reads.
const FLOODS: [Mode; 14] = [
    Mode::EndlessResponses,
    Mode::EndlessLine,
    Mode::HugeLiteral,
    Mode::NestedLists,
    Mode::OpenLists,
    Mode::MillionResponses,
    Mode::MillionTokens,
    Mode::MillionHits,
    Mode::MillionHitsInASet,
    Mode::ManyAddresses,
    Mode::AsManyAsCanBe,
    Mode::StrayContinuation,
    Mode::WrongTag,
    Mode::Garbage,
];

/// What a submission server does at each step.
const TRICKS: [Trick; 6] = [
    Trick::Floods("{}-x\r\n"),
    Trick::Floods("220-x\r\n"),
    Trick::Floods("{} x"),
    Trick::Says("9999 x\r\n"),
    Trick::Says("{}-a\r\n451-b\r\n550 c\r\n"),
    Trick::Hangs,
];

/// A server that lies, and what is really behind it.
struct Organised {
    server: ScriptedImap,
    mailbox: Arc<dyn Mailbox>,
    memory: MemoryMail,
    login: Login,
}

impl Organised {
    fn start(runtime: &Runtime) -> Self {
        let memory = MemoryMail::empty(Arc::new(SystemClock));
        let login = builders::demo_login("behind");
        let mailbox = memory.mailbox(&login);
        let server = runtime.block_on(ScriptedImap::start(memory.mailbox(&login), Features::modern()));
        Self { server, mailbox, memory, login }
    }

    /// Message-IDs of a folder, of those with the flag if one is given.
    async fn there(&self, folder: &str, flag: Option<&str>) -> BTreeSet<String> {
        let page = Page { limit: 200, after: None };
        let found = self.mailbox.search(&folder.into(), &Criterion::And(vec![]), &page).await.unwrap();
        let with = |flags: &[String]| flag.is_none_or(|flag| flags.iter().any(|own| own == flag));
        let messages = found.messages.into_iter().filter(|message| with(&message.flags));
        messages.filter_map(|message| message.envelope.message_id).collect()
    }

    async fn clear(&self) {
        for folder in ["INBOX", "Archive", "Trash"] {
            let page = Page { limit: 200, after: None };
            let found = self.mailbox.search(&folder.into(), &Criterion::And(vec![]), &page).await.unwrap();
            let uids: Vec<u32> = found.messages.iter().map(|message| message.uid).collect();
            if !uids.is_empty() {
                self.mailbox.expunge(&Messages::new(folder, None, &uids)).await.unwrap();
            }
        }
    }

    /// One change of four messages under a lie.
    fn turn(&self, runtime: &Runtime, world: &World, token: &str, number: usize) {
        let lies = lies();
        let lie = lies[number % lies.len()].clone();
        let (tool, more, folder, flag) = [
            ("flag_messages", json!({}), "INBOX", Some("\\Flagged")),
            ("archive_messages", json!({}), "Archive", None),
            ("copy_messages", json!({ "to_folder": "Archive" }), "Archive", None),
            ("delete_messages", json!({}), "Trash", None),
        ][number / lies.len() % 4]
            .clone();
        runtime.block_on(self.clear());
        let count = i64::try_from(number).unwrap() * 4;
        for number in count..count + 4 {
            let message = builders::small_message(number).into();
            let at = imapmcp_core::time::Timestamp(1_740_000_000_000).plus_seconds(number);
            self.memory.deliver(&self.login, "INBOX", message, at).unwrap();
        }
        // a server that has just flooded may be left alone for a moment
        let Ok(listed) = world.call(token, "list_messages", &json!({ "limit": 10 })) else { return };
        let ids: Vec<String> = texts(&listed["messages"], "id");
        if ids.len() != 4 {
            return;
        }
        let mut call = json!({ "ids": ids });
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.server.lies([lie.clone()]);
        let answer = world.call(token, tool, &call);
        self.server.lies([]);
        let told = format!("{tool} under {lie:?}: {answer:?}");
        let Ok(answer) = answer else { return };
        let mut all: Vec<String> =
            ["done", "failed", "unknown"].iter().flat_map(|list| texts(&answer[*list], "id")).collect();
        all.sort_unstable();
        let mut asked = ids.clone();
        asked.sort_unstable();
        assert_eq!(all, asked, "{told}");
        let really = runtime.block_on(self.there(folder, flag));
        let done = texts(&answer["done"], "id").len();
        let ours = (count..count + 4).filter(|number| really.contains(&format!("<m{number}@x>"))).count();
        assert!(done <= ours, "{done} told as done, {ours} are: {told}");
    }
}

/// The texts of one member of all rows.
fn texts(rows: &Value, member: &str) -> Vec<String> {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    rows.iter().map(|row| row[member].as_str().unwrap().to_owned()).collect()
}

/// A message to a server that does something wrong at one step: it is sent where the server took it and said so.
fn send(world: &World, token: &str, server: &HostileSmtp, number: usize) {
    let step = Step::SUBMISSION[number % Step::SUBMISSION.len()];
    let trick = TRICKS[number / Step::SUBMISSION.len() % TRICKS.len()];
    server.will(step, trick);
    let call = json!({ "to": ["a@example.org"], "subject": format!("{number}: {step:?} {trick:?}"), "body_text": "x" });
    let receipt = match world.call(token, "send_message", &call) {
        Ok(receipt) => receipt,
        Err(code) => {
            assert_eq!(server.messages(), 0, "{step:?} {trick:?}: {code}, and it was taken");
            assert_ne!(code, "internal", "{step:?} {trick:?}");
            return;
        }
    };
    let id = receipt["outbox_id"].as_str().unwrap().to_owned();
    let state = |_| {
        let all = world.call(token, "list_outbox", &json!({ "all": true })).ok()?;
        let entry = all["sends"].as_array()?.iter().find(|entry| entry["outbox_id"] == id.as_str())?.clone();
        let waits = entry["attempts"] == 0 || entry["state"] == "sending";
        (!waits).then(|| entry["state"].as_str().unwrap_or_default().to_owned())
    };
    let state = (0..400).find_map(|turn| {
        if turn > 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
        state(turn)
    });
    let told = format!("{step:?} {trick:?}: {state:?}, {} taken", server.messages());
    let state = state.unwrap_or_else(|| panic!("{told}: {receipt}"));
    let _ = world.call(token, "cancel_send", &json!({ "outbox_id": id }));
    match step {
        // it was taken, and what was said about it is worth nothing
        Step::Dot => assert!(state != "sent", "{told}"),
        Step::Quit => assert!(server.messages() <= 1, "{told}"),
        _ => assert!(state != "sent" || server.messages() == 1, "{told}"),
    }
    assert!(server.messages() <= 1, "{told}");
}

/// One turn after the other until it is over; how many.
fn repeat(over: &AtomicBool, turn: impl Fn(usize)) -> usize {
    (0..).take_while(|_| !over.load(Ordering::SeqCst)).inspect(|number| turn(*number)).count()
}

#[test]
fn servers_that_lie_are_not_believed_and_hold_up_nobody_else() {
    let Some(mail) = Mail::start(Habit::Takes) else { return };
    let runtime = Runtime::new().unwrap();
    let liar = Organised::start(&runtime);
    let flooding = HostileImap::start(Mode::Behaves);
    let copies = HostileImap::start(Mode::Behaves);
    let submission = HostileSmtp::start(Step::Greeting, Trick::Hangs, Layer::Plain);
    let ports = [liar.server.port, flooding.port, copies.port, submission.port];
    let ports: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let egress = format!("{},{}", mail.egress(), ports.join(","));
    let mut world = mail.world(&[("IMAPMCP_EGRESS_ALLOW", &egress)]);
    mail.add_account(&world, mail.servers.imaps_port);
    let quiet = world.token(&[]);
    let smtp = format!("smtp+insecure://x@{}", ports[3]);
    let person =
        |name: &str, port: usize| tenant(&world, name, &format!("imap+insecure://x@{}", ports[port]), &smtp);
    let (archivist, reader, sender) = (person("archivist", 0), person("reader", 1), person("sender", 2));
    world.start();
    for _ in 0..50 {
        world.call(&quiet, "list_messages", &json!({ "limit": 20 })).unwrap();
    }
    let (before, _) = resident(&world);
    let over = AtomicBool::new(false);
    let (mut times, mut turns) = (Vec::new(), [0, 0, 0]);
    std::thread::scope(|scope| {
        let (world, over) = (&world, &over);
        let changes = scope.spawn(|| repeat(over, |number| liar.turn(&runtime, world, &archivist, number)));
        let reads = scope.spawn(|| {
            repeat(over, |number| {
                flooding.becomes(FLOODS[number % FLOODS.len()]);
                for (tool, call) in
                    [("list_messages", json!({})), ("search_messages", json!({ "query": "x" }))]
                {
                    let code = world.call(&reader, tool, &call).err();
                    assert_ne!(code.as_deref(), Some("internal"), "{:?}", FLOODS[number % FLOODS.len()]);
                }
            })
        });
        let sends = scope.spawn(|| repeat(over, |number| send(world, &sender, &submission, number)));
        let own = Over(over);
        let end = Instant::now() + lasts();
        while Instant::now() < end && ![&changes, &reads, &sends].iter().any(|one| one.is_finished()) {
            let began = Instant::now();
            let answer = world.try_call(&quiet, "list_messages", &json!({ "limit": 20 }));
            times.push(if answer.is_some() { began.elapsed() } else { Duration::MAX });
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(own);
        turns = [changes, reads, sends].map(|one| one.join().unwrap());
    });
    let (after, most) = resident(&world);
    let (calls, slowest) = (times.len(), p99(&mut times));
    #[expect(clippy::print_stderr, reason = "the figures")]
    {
        eprintln!(
            "{calls} calls, p99 {slowest:?}; {turns:?} lies; {before} MiB before, {most} at most, {after} afterwards"
        );
    }
    assert!(turns.iter().all(|turns| *turns >= 15), "{turns:?}");
    assert!(most <= before + MEMORY, "{before} MiB before, {most} at most");
    assert!(slowest < slowest_allowed(300, 1_500), "{slowest:?} of {calls} calls");
}
