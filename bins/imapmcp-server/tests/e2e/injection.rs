//! Every string of every tool carries every attack; what then reaches the mail servers is what the product meant to say.

use crate::{
    mailbox,
    world::{EMAIL, World, base64},
};
use imapmcp_bootstrap::Services;
use imapmcp_core::{id::UserId, store::UserRepository};
use imapmcp_mcp_tools::registry::TOOLS;
use imapmcp_testkit::{
    dialogue::{self, Field, SmtpCommand, Token},
    proxy::Proxy,
    servers::MailServers,
    sink::{Habit, Sink},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::runtime::Runtime;

const PASSWORD: &str = "mailbox-Passw0rd";
const RECIPIENT: &str = "ok@imapmcp.test";
const WITH_FILE: &str = "Message-ID: <file@imapmcp.test>\r\nFrom: sender1@imapmcp.test\r\nTo: me@imapmcp.test\r\n\
    Subject: with a file\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
    Content-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nfile\r\n--b--\r\n";
/// `XEVIL` is the case's own mark: wherever it turns up it must be text, never a command, a field or an address.
const ATTACKS: &[&str] = &[
    "x\r\nBcc: evil@xevil.test\r\nXEVIL: 1",
    "x\r\na9 XEVIL\r\n",
    "x\nBcc: evil@xevil.test\n\nXEVIL",
    "x\rXEVIL: 1\r",
    "x\0XEVIL\0",
    "=?utf-8?q?a=0D=0ABcc:=20evil=40xevil.test?= XEVIL",
    "=?utf-8?b?DQpCY2M6IGV2aWxAeGV2aWwudGVzdA0K?= XEVIL",
    "x>\r\nRCPT TO:<evil@xevil.test>\r\nXEVIL",
    "evil@xevil.test> XEVIL <x",
    "x\r\nDATA\r\nXEVIL\r\n",
    "x\r\n.\r\nMAIL FROM:<evil@xevil.test>\r\nRCPT TO:<evil@xevil.test>\r\nDATA\r\nXEVIL\r\n.\r\n",
    "x\n.\nMAIL FROM:<evil@xevil.test>\n.\r\nXEVIL\r.\r",
    "x\"} {3+}\r\nXEVIL",
    "{8}\r\nXEVIL {12+}\r\n",
    "1) UID EXPUNGE 1:* (XEVIL",
    "INBOX] (XEVIL) BODY[\"",
    "x\u{2028}XEVIL: 1\u{2029}\u{85}XEVIL\u{b}\u{c}",
    // cut to their low octets these are CR and LF
    "x\u{560d}\u{560a}XEVIL: 1\u{10a}\u{10d}",
    "&AA0ACg-XEVIL &- &AGE &!!!-&2Eo-",
    "x\" XEVIL \\",
    "\\\" XEVIL \"\\\"\\",
    "%*XEVIL/../\\Deleted",
    "x\r\n--XEVIL--\r\nContent-Type: text/html\r\n\r\nXEVIL",
    "OVERLONG",
    "OVERLONG WORD",
];
const IMAP_COMMANDS: &[&str] = &[
    "APPEND",
    "AUTHENTICATE",
    "CAPABILITY",
    "CREATE",
    "DELETE",
    "ENABLE",
    "EXAMINE",
    "FETCH",
    "ID",
    "LIST",
    "LOGOUT",
    "NAMESPACE",
    "NOOP",
    "RENAME",
    "SELECT",
    "STATUS",
    "SUBSCRIBE",
    "UID COPY",
    "UID EXPUNGE",
    "UID FETCH",
    "UID MOVE",
    "UID SEARCH",
    "UID SORT",
    "UID STORE",
    "UID THREAD",
    "UNSELECT",
    "UNSUBSCRIBE",
];
const MESSAGE_FIELDS: &[&str] = &[
    "Bcc",
    "Cc",
    "Content-Transfer-Encoding",
    "Content-Type",
    "Date",
    "From",
    "In-Reply-To",
    "MIME-Version",
    "Message-ID",
    "References",
    "Subject",
    "To",
];
const PART_FIELDS: &[&str] =
    &["Content-Disposition", "Content-ID", "Content-Transfer-Encoding", "Content-Type"];

fn attack(index: usize, case: usize) -> String {
    let mark = format!("XEVIL{case}X");
    match ATTACKS[index] {
        "OVERLONG" => format!("{mark} ").repeat(100_000 / (mark.len() + 1)),
        "OVERLONG WORD" => format!("{mark}{}", "a".repeat(100_000)),
        attack => attack.replace("XEVIL", &mark),
    }
}

/// A way into a call's arguments.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Leaf(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Member(String),
    First,
}

impl Leaf {
    fn name(&self) -> &str {
        match &self.0[0] {
            Step::Member(name) => name,
            Step::First => "",
        }
    }

    fn below(&self, step: Step) -> Self {
        let mut path = self.0.clone();
        path.push(step);
        Self(path)
    }

    fn ends_with(&self, name: &str) -> bool {
        matches!(self.0.last(), Some(Step::Member(last)) if last == name)
    }

    fn place(&self, arguments: &mut Value, value: Value) {
        let mut at = arguments;
        for step in &self.0 {
            at = match step {
                Step::Member(name) => &mut at[name.as_str()],
                Step::First => {
                    if at.as_array().is_none_or(Vec::is_empty) {
                        *at = json!([null]);
                    }
                    &mut at[0]
                }
            };
        }
        *at = value;
    }

    fn current(&self, arguments: &Value) -> String {
        let mut at = arguments;
        for step in &self.0 {
            at = match step {
                Step::Member(name) => &at[name.as_str()],
                Step::First => &at[0],
            };
        }
        at.as_str().unwrap_or_default().to_owned()
    }
}

/// Everything an argument's schema lets a caller write text into; numbers and flags are taken as text too.
fn leaves(at: &Leaf, schema: &Value, found: &mut BTreeSet<Leaf>) {
    if let Some(members) = schema["properties"].as_object() {
        for (name, member) in members {
            leaves(&at.below(Step::Member(name.clone())), member, found);
        }
        return;
    }
    if schema["type"] == "array" {
        leaves(&at.below(Step::First), &schema["items"], found);
        return;
    }
    found.insert(at.clone());
}

struct Bench {
    world: World,
    token: String,
    account: String,
    imap: Proxy,
    sink: Sink,
    inbox: Vec<Value>,
    with_file: Value,
    count: AtomicUsize,
    /// Beside the server, to forget what would pass a bound: a user has 20 uploads open.
    beside: (Runtime, Services, UserId),
    // end after the server that talks to them
    _servers: MailServers,
}

impl Bench {
    fn set_up() -> Option<Self> {
        let servers = MailServers::imap_only()?;
        let address = servers.add_user("me", PASSWORD);
        mailbox::fill(&servers, &address, 60);
        servers.deliver(&address, WITH_FILE);
        let imap = Proxy::recording(servers.imap_port);
        let sink = Sink::start(Habit::Takes);
        let egress = format!("127.0.0.1:{},127.0.0.1:{}", imap.port, sink.port);
        let mut world = World::new(&[
            ("IMAPMCP_EGRESS_ALLOW", &egress),
            ("IMAPMCP_ALLOW_INSECURE", "1"),
            ("IMAPMCP_RATE_LIMIT", "1000000/min"),
            ("IMAPMCP_LOG_FORMAT", "json"),
        ]);
        let user = address.replace('@', "%40");
        let account = world.add_account(
            "Me",
            &address,
            &format!("imap+insecure://{user}@127.0.0.1:{}", imap.port),
            &format!("smtp+insecure://{user}@127.0.0.1:{}", sink.port),
            PASSWORD,
        );
        let token = world.token(&["--scope", "mail.read mail.draft mail.organize mail.send mail.delete"]);
        world.start();
        let runtime = Runtime::new().unwrap();
        let services = runtime.block_on(world.services());
        let user = runtime.block_on(services.database.find_user_by_email(EMAIL)).unwrap().unwrap().id;
        let mut bench = Self {
            beside: (runtime, services, user),
            world,
            token,
            account,
            imap,
            sink,
            inbox: Vec::new(),
            with_file: Value::Null,
            count: AtomicUsize::new(0),
            _servers: servers,
        };
        let ids = |list: &Value| -> Vec<Value> {
            list["messages"].as_array().unwrap().iter().map(|message| message["id"].clone()).collect()
        };
        bench.inbox = ids(&bench.call("list_messages", &json!({ "limit": 60 })).unwrap());
        let file =
            bench.call("search_messages", &json!({ "query": "rfc822msgid:file@imapmcp.test" })).unwrap();
        bench.with_file = ids(&file)[0].clone();
        Some(bench)
    }

    fn number(&self) -> usize {
        self.count.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The structured result, or the code of the error: there is one or the other.
    fn call(&self, tool: &str, arguments: &Value) -> Result<Value, String> {
        let params = json!({ "name": tool, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        let authorization = format!("Bearer {}", self.token);
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
        ];
        let (status, _, answer) = self.world.post("/mcp", &headers, body.as_bytes());
        let shown: String = format!("{tool} {arguments}").chars().take(600).collect();
        assert!(status < 500, "HTTP {status} to {shown}: {answer}");
        let answer: Value =
            serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {shown}: {answer}"));
        let result = &answer["result"];
        if result["isError"] == true {
            let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
            let code = text["error"]["code"].as_str().unwrap().to_owned();
            let mends =
                ["internal", "protocol_error", "timeout", "unknown_outcome", "unavailable", "connect_failed"];
            assert!(!mends.contains(&code.as_str()), "{code} to {shown}: {text}");
            return Err(code);
        }
        assert!(result["structuredContent"].is_object(), "{shown}: {answer}");
        if let Some(upload) = result["structuredContent"]["upload"].as_str() {
            let (runtime, services, user) = &self.beside;
            runtime.block_on(services.uploads.forget(user, &upload.parse().unwrap())).unwrap();
        }
        Ok(result["structuredContent"].clone())
    }

    fn draft(&self) -> Value {
        let draft =
            json!({ "to": [RECIPIENT], "subject": format!("Draft {}", self.number()), "body_text": "x" });
        self.call("create_draft", &draft).unwrap()["id"].clone()
    }

    fn operation(&self) -> Value {
        self.call("mark_unread", &json!({ "ids": [self.inbox[7]] })).unwrap();
        self.call("mark_read", &json!({ "ids": [self.inbox[7]] })).unwrap()["operation_id"].clone()
    }

    fn plan(&self) -> Value {
        let plan = json!({ "query": "subject:\"Topic 3\"", "action": "flag" });
        self.call("plan_bulk", &plan).unwrap()["plan_id"].clone()
    }

    fn folder(&self) -> String {
        let name = format!("Folder {}", self.number());
        self.call("create_folder", &json!({ "folder": name })).unwrap();
        name
    }

    /// Arguments that work, with everything that may be given and goes together.
    fn base(&self, tool: &str) -> Value {
        let number = self.number();
        let (one, two) = (&self.inbox[20], &self.inbox[21]);
        let file = json!({ "filename": "a.txt", "content_base64": "aGk=", "content_type": "text/plain", "content_id": "p1@x", "is_inline": true });
        let mut letter = json!({
            "subject": format!("Letter {number}"), "body_text": "text", "body_html": "<p>html</p>", "attachments": [file],
        });
        let mut own = match tool {
            "list_accounts" => return json!({}),
            "undo_operation" => return json!({ "operation_id": self.operation() }),
            "run_plan" => return json!({ "plan_id": self.plan() }),
            "list_folders" => json!({ "counts": true }),
            "list_messages" => json!({ "folder": "INBOX", "since": "2020-01-01", "limit": 2 }),
            "get_message" => json!({ "id": one, "format": "text" }),
            "get_thread" => json!({ "id": one, "bodies": "none", "max_messages": 3 }),
            "search_messages" => json!({
                "query": "topic", "folder": "INBOX", "from": "sender", "subject": "topic", "date_from": "2020-01-01", "limit": 2,
            }),
            "get_attachment" | "read_attachment" => json!({ "id": self.with_file, "attachment_index": 0 }),
            "find_contact" => json!({ "name": "sender" }),
            "send_message" | "forward_message" | "reply_message" => {
                letter["to"] = json!([RECIPIENT]);
                letter["idempotency_key"] = json!(format!("key {number}"));
                if tool != "send_message" {
                    letter["id"] = self.with_file.clone();
                }
                letter
            }
            "create_upload" => {
                json!({ "filename": "a.txt", "content_type": "text/plain", "size": 2 })
            }
            "create_draft" => {
                letter["to"] = json!([RECIPIENT]);
                letter
            }
            "update_draft" => {
                letter["id"] = self.draft();
                letter
            }
            "send_draft" => json!({ "id": self.draft(), "idempotency_key": format!("key {number}") }),
            "list_outbox" => json!({ "limit": 1 }),
            "cancel_send" => {
                let held = json!({ "to": [RECIPIENT], "subject": format!("Held {number}"), "body_text": "x", "send_at": "2027-06-01T08:00:00Z" });
                json!({ "outbox_id": self.call("send_message", &held).unwrap()["outbox_id"] })
            }
            "mark_read" | "mark_unread" | "flag_messages" | "unflag_messages" => json!({ "ids": [one, two] }),
            "set_flags" => json!({ "ids": [one], "add": ["$Important"], "remove": ["$Other"] }),
            "archive_messages" | "delete_messages" => json!({ "ids": [self.copy()] }),
            "move_messages" => json!({ "ids": [self.copy()], "to_folder": "Archive" }),
            "copy_messages" => json!({ "ids": [one], "to_folder": "Archive" }),
            "create_folder" => json!({ "folder": format!("Made {number}") }),
            "rename_folder" => json!({ "folder": self.folder(), "new_name": format!("Renamed {number}") }),
            "delete_folder" => json!({ "folder": self.folder() }),
            "plan_bulk" => {
                json!({ "query": "subject:topic", "action": "move", "to_folder": "Archive", "folder": "INBOX" })
            }
            other => panic!("{other} has no arguments here that work: the test does not reach it"),
        };
        let fields = TOOLS.iter().find(|known| known.name == tool).unwrap().fields;
        if fields.iter().any(|field| field.name() == "account_id") {
            own["account_id"] = json!(self.account);
        }
        own
    }

    /// A message that may go away.
    fn copy(&self) -> Value {
        let copied = json!({ "ids": [self.inbox[22]], "to_folder": "Archive" });
        let id = self.call("copy_messages", &copied).unwrap()["done"][0]["new_id"].clone();
        let moved = self.call("move_messages", &json!({ "ids": [id], "to_folder": "INBOX" })).unwrap();
        moved["done"][0]["new_id"].clone()
    }

    /// One attack on one argument, in each of the ways it can be written.
    fn strike(&self, tool: &str, leaf: &Leaf, attack: &str) -> usize {
        let mut base = self.base(tool);
        if matches!(leaf.name(), "folder" | "from_folder")
            && tool != "delete_folder"
            && tool != "rename_folder"
        {
            for (by_id, by_uid, uid) in [("id", "uid", json!(1)), ("ids", "uids", json!([1]))] {
                if base.as_object_mut().unwrap().remove(by_id).is_some() {
                    base[by_uid] = uid;
                }
            }
        }
        if leaf.0.contains(&Step::Member("from_message".to_owned())) {
            base["attachments"] = json!([{ "from_message": { "id": self.with_file, "index": 0 } }]);
        }
        if leaf.ends_with("upload") {
            base["attachments"] = json!([{ "upload": "" }]);
        }
        if leaf.name() == "body_markdown" {
            base.as_object_mut().unwrap().remove("body_html");
        }
        let valid = leaf.current(&base);
        let mut forms = vec![attack.to_owned()];
        if !valid.is_empty() {
            forms.push(format!("{valid}{attack}"));
        }
        if leaf.ends_with("content_base64") {
            forms.push(base64(attack.as_bytes()));
        }
        if matches!(leaf.name(), "to" | "cc" | "bcc") && leaf.0.len() == 2 {
            forms.push(format!("{attack} <{RECIPIENT}>"));
            forms.push(format!("\"{attack}\" <{RECIPIENT}>"));
        }
        let count = forms.len();
        for form in forms {
            let mut arguments = base.clone();
            leaf.place(&mut arguments, json!(form));
            // refused or done: what matters is what was said to the servers
            let _ = self.call(tool, &arguments);
        }
        count
    }
}

#[test]
fn no_string_of_any_tool_becomes_a_command_a_recipient_or_a_field() {
    let Some(mut bench) = Bench::set_up() else { return };
    let listed = bench.world.rpc(&bench.token, "tools/list", &json!({}));
    let tools: BTreeMap<String, BTreeSet<Leaf>> = listed["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| {
            let mut found = BTreeSet::new();
            let name = tool["name"].as_str().unwrap();
            // those that the model is not shown are understood all the same
            for field in TOOLS.iter().filter(|known| known.name == name).flat_map(|known| known.fields) {
                leaves(
                    &Leaf(Vec::new()).below(Step::Member(field.name().to_owned())),
                    &field.schema(),
                    &mut found,
                );
            }
            (tool["name"].as_str().unwrap().to_owned(), found)
        })
        .collect();
    assert_eq!(tools.len(), TOOLS.len());
    for tool in tools.keys() {
        let arguments = bench.base(tool);
        let answer = bench.call(tool, &arguments);
        assert!(answer.is_ok(), "{tool} {arguments}: {answer:?}");
    }
    let every = std::env::var("IMAPMCP_TEST_ATTACKS").is_ok_and(|value| value == "all");
    let mut work = Vec::new();
    for (place, (tool, leaf)) in
        tools.iter().flat_map(|(tool, leaves)| leaves.iter().map(move |leaf| (tool, leaf))).enumerate()
    {
        // in turn: every argument meets a third, every attack meets a third of the arguments
        let chosen = (0..ATTACKS.len()).filter(|index| every || (index + place) % 3 == 0);
        work.extend(chosen.map(|index| (tool, leaf, index)));
    }
    let cases = work.len();
    let struck: BTreeSet<(&String, &Leaf)> = work.iter().map(|(tool, leaf, _)| (*tool, *leaf)).collect();
    assert_eq!(struck.len(), tools.values().map(BTreeSet::len).sum::<usize>(), "arguments nobody attacked");
    let (next, calls, log) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((tool, leaf, index)) = work.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let case = bench.number();
                    log.lock().unwrap().insert(case, (*tool, *leaf, *index));
                    let struck = bench.strike(tool, leaf, &attack(*index, case));
                    calls.fetch_add(struck, Ordering::SeqCst);
                }
            });
        }
    });
    let log = log.into_inner().unwrap();
    let of = |mark: &str| -> String {
        let number = mark.to_ascii_uppercase();
        let number = number.split("XEVIL").nth(1).and_then(|rest| rest.split('X').next()).unwrap_or_default();
        number
            .parse()
            .ok()
            .and_then(|case: usize| log.get(&case))
            .map_or_else(String::new, |case| format!("{case:?}"))
    };
    // all of it still works
    for tool in tools.keys() {
        let arguments = bench.base(tool);
        let answer = bench.call(tool, &arguments);
        assert!(answer.is_ok(), "afterwards {tool} {arguments}: {answer:?}");
    }
    let appended = imap_is_clean(&bench, &of);
    let taken = smtp_is_clean(&bench);
    for message in appended.iter().chain(&taken) {
        mail_is_clean(message, &of);
    }
    assert!(taken.len() > cases / 20, "{} messages left in {cases} cases", taken.len());
    assert!(appended.len() > taken.len(), "{} copies and drafts", appended.len());
    let log = log_of(&mut bench);
    assert!(!log.contains(PASSWORD) && !log.contains(&bench.token));
    let (arguments, calls) = (struck.len(), calls.into_inner());
    #[expect(clippy::print_stderr, reason = "the figure")]
    {
        eprintln!(
            "{} tools, {arguments} arguments, {cases} cases, {calls} calls; {} messages sent, {} stored",
            tools.len(),
            taken.len(),
            appended.len()
        );
    }
}

/// One command after the other, each with the tag the client counts, a known name, and no attack outside a string.
fn imap_is_clean(bench: &Bench, of: &dyn Fn(&str) -> String) -> Vec<Vec<u8>> {
    let mut appended = Vec::new();
    let dialogues = bench.imap.dialogues();
    assert!(!dialogues.is_empty());
    for said in dialogues {
        let commands = dialogue::imap(&said).unwrap_or_else(|why| panic!("{why} {}", of(&why)));
        assert!(!commands.is_empty());
        for (number, command) in (1..).zip(&commands) {
            assert_eq!(command.tag, format!("a{number}"), "{command:?}");
            assert!(IMAP_COMMANDS.contains(&command.name.as_str()), "{command:?}");
            for token in &command.tokens {
                if let Token::Atom(word) = token {
                    assert!(!word.to_ascii_uppercase().contains("XEVIL"), "{} {command:?}", of(word));
                }
            }
            if command.name == "APPEND"
                && let Some(Token::Text(message)) = command.tokens.last()
            {
                appended.push(message.clone());
            }
        }
    }
    appended
}

/// Every message went from the account to the one recipient, in one transaction of its own.
fn smtp_is_clean(bench: &Bench) -> Vec<Vec<u8>> {
    let mut sent = Vec::new();
    for said in bench.sink.dialogues() {
        let commands = dialogue::smtp(&said).unwrap_or_else(|why| panic!("{why}"));
        let mut shape = Vec::new();
        for command in commands {
            match command {
                SmtpCommand::Plain(line) => shape.push(line.split(' ').next().unwrap().to_owned()),
                SmtpCommand::Mail(from) => {
                    assert_eq!(from, "me@imapmcp.test");
                    shape.push("MAIL".to_owned());
                }
                SmtpCommand::Recipient(to) => {
                    assert!(
                        [RECIPIENT, "me@imapmcp.test"].contains(&to.as_str()) || to.starts_with("sender"),
                        "{to}"
                    );
                    shape.push("RCPT".to_owned());
                }
                SmtpCommand::Data(message) => {
                    sent.push(message);
                    shape.push("DATA".to_owned());
                }
            }
        }
        shape.dedup();
        assert_eq!(shape, ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]);
    }
    assert_eq!(sent.len(), bench.sink.taken().len());
    sent
}

fn mail_is_clean(message: &[u8], of: &dyn Fn(&str) -> String) {
    let shown = || String::from_utf8_lossy(&message[..message.len().min(2000)]).into_owned();
    let headers = dialogue::mail(message).unwrap_or_else(|why| panic!("{why} {}\n{}", of(&shown()), shown()));
    let (own, parts) = headers.split_first().unwrap();
    let known = |fields: &[Field], expected: &[&str]| {
        let mut names = BTreeSet::new();
        for (name, _) in fields {
            assert!(expected.contains(&name.as_str()), "{name} {}\n{}", of(&shown()), shown());
            assert!(names.insert(name), "{name} twice {}\n{}", of(&shown()), shown());
        }
    };
    known(own, MESSAGE_FIELDS);
    for part in parts {
        known(part, PART_FIELDS);
    }
}

/// One JSON object a line, whatever was in it, to the end.
fn log_of(bench: &mut Bench) -> String {
    assert_eq!(bench.world.terminate(), Some(0));
    let log = std::fs::read_to_string(bench.world.log()).unwrap();
    assert!(!log.is_empty(), "it says at least that it stops");
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(entry.is_object(), "{line}");
    }
    log
}
