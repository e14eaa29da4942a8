//! Every tool against real mail servers: what it says it did is what the servers then show.

use crate::{
    mailbox,
    world::{World, base64},
};
use imapmcp_mcp_tools::registry::TOOLS;
use imapmcp_testkit::servers::MailServers;
use serde_json::{Value, json};
use std::{cell::RefCell, collections::BTreeSet};

const PASSWORD: &str = "mailbox-Passw0rd";
/// More than a plan of 300 needs.
const MESSAGES: usize = 320;
/// Those that `mailbox::fill` puts its term into.
const QUARTERLY: usize = 4;

/// Two people with an account each, and what they called so far.
struct Desk {
    world: World,
    token: String,
    me: String,
    mine: String,
    you: String,
    yours: String,
    used: RefCell<BTreeSet<String>>,
    // ends after the server that talks to it
    servers: MailServers,
}

impl Desk {
    fn set_up() -> Option<Self> {
        let servers = MailServers::start()?;
        let (me, you) = (servers.add_user("me", PASSWORD), servers.add_user("you", PASSWORD));
        mailbox::fill(&servers, &me, MESSAGES);
        let ca_file = servers.ca_file();
        let mut world = World::new(&[
            ("IMAPMCP_EGRESS_ALLOW", &servers.egress()),
            ("IMAPMCP_CA_FILE", ca_file.to_str().unwrap()),
            ("IMAPMCP_RATE_LIMIT", "100000/min"),
            ("IMAPMCP_LOG", "info"),
        ]);
        let add = |label: &str, address: &str| {
            let user = address.replace('@', "%40");
            let imap = format!("imaps://{user}@localhost:{}", servers.imaps_port);
            let smtp = format!("smtp+starttls://{user}@localhost:{}", servers.smtp_port);
            world.add_account(label, address, &imap, &smtp, PASSWORD)
        };
        let (mine, yours) = (add("Mine", &me), add("Yours", &you));
        let token = world.token(&["--scope", "mail.read mail.draft mail.organize mail.send mail.delete"]);
        world.start();
        Some(Self { world, token, me, mine, you, yours, used: RefCell::default(), servers })
    }

    fn try_call(&self, tool: &str, arguments: &Value) -> Result<Value, String> {
        self.used.borrow_mut().insert(tool.to_owned());
        self.world.call(&self.token, tool, arguments)
    }

    /// As the owner of the first account, unless the arguments name another.
    #[expect(clippy::needless_pass_by_value, reason = "so that json! stands in the call")]
    fn call(&self, tool: &str, arguments: Value) -> Value {
        self.try_call(tool, &arguments).unwrap_or_else(|error| panic!("{tool} {arguments}: {error}"))
    }

    /// A change of messages, all of which must be done.
    fn change(&self, tool: &str, arguments: Value) -> Value {
        let asked = arguments["ids"].as_array().unwrap().len();
        let answer = self.call(tool, arguments);
        assert_eq!(answer["done"].as_array().unwrap().len(), asked, "{tool}: {answer}");
        assert_eq!((&answer["failed"], &answer["unknown"]), (&json!([]), &json!([])), "{tool}: {answer}");
        answer
    }

    fn undo(&self, answer: &Value) -> Value {
        self.call("undo_operation", json!({ "operation_id": answer["operation_id"] }))
    }

    fn total(&self, folder: &str) -> u64 {
        self.call("list_messages", json!({ "folder": folder, "limit": 1 }))["total"].as_u64().unwrap()
    }

    fn search(&self, account: &str, folder: &str, query: &str) -> Value {
        self.call("search_messages", json!({ "account_id": account, "folder": folder, "query": query }))
    }

    /// The message with this subject, once it is there.
    fn arrived(&self, account: &str, folder: &str, subject: &str) -> Value {
        let address = if account == self.mine { &self.me } else { &self.you };
        // looking begins before the first search: nothing is missed between the two
        let mut watch = self.servers.watch(address, PASSWORD, folder);
        loop {
            let found = self.search(account, folder, &format!("subject:\"{subject}\""));
            if let Some(message) = found["messages"].get(0) {
                return message.clone();
            }
            watch.news();
        }
    }

    fn message(&self, account: &str, id: &Value) -> Value {
        self.call("get_message", json!({ "account_id": account, "id": id }))
    }

    fn sent(&self, tool: &str, arguments: Value) -> Value {
        let receipt = self.call(tool, arguments);
        assert_eq!((&receipt["state"], &receipt["rejected"]), (&json!("sent"), &json!([])), "{receipt}");
        assert_eq!(receipt["saved_to_sent"], true, "{receipt}");
        receipt
    }

    fn download(&self, account: &str, id: &Value, index: u32) -> Vec<u8> {
        let arguments = json!({ "account_id": account, "id": id, "attachment_index": index });
        let link = self.call("get_attachment", arguments);
        let url = link["download_url"].as_str().unwrap();
        ureq::get(url).call().unwrap().body_mut().read_to_vec().unwrap()
    }
}

fn ids(list: &Value) -> Vec<Value> {
    list["messages"].as_array().unwrap().iter().map(|message| message["id"].clone()).collect()
}

fn new_ids(answer: &Value) -> Vec<Value> {
    answer["done"].as_array().unwrap().iter().map(|row| row["new_id"].clone()).collect()
}

#[test]
fn every_tool_does_on_real_servers_what_it_says() {
    let Some(desk) = Desk::set_up() else { return };
    for stage in [reads, organises, corresponds, drafts, holds_back, in_bulk, keeps_to_its_budget] {
        stage(&desk);
    }
    let all: BTreeSet<String> = TOOLS.iter().map(|tool| tool.name.to_owned()).collect();
    let used = desk.used.borrow();
    assert_eq!(all.difference(&used).collect::<Vec<_>>(), Vec::<&String>::new(), "tools that nobody called");
    drop(used);
    let listed = desk.world.rpc(&desk.token, "tools/list", &json!({}));
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), TOOLS.len());
}

fn reads(desk: &Desk) {
    let accounts = desk.call("list_accounts", json!({}));
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 2);
    let folders = desk.call("list_folders", json!({ "account_id": desk.mine, "counts": true }));
    let inbox = folders["folders"].as_array().unwrap().iter().find(|folder| folder["path"] == "INBOX");
    assert_eq!(inbox.unwrap()["total"], MESSAGES, "{folders}");
    let mut list = desk.call("list_messages", json!({ "limit": 200 }));
    assert_eq!(list["total"], MESSAGES);
    let mut all: BTreeSet<String> = ids(&list).iter().map(Value::to_string).collect();
    while let Some(cursor) = list.get("next_cursor") {
        list = desk.call("list_messages", json!({ "limit": 200, "cursor": cursor }));
        all.extend(ids(&list).iter().map(Value::to_string));
    }
    assert_eq!(all.len(), MESSAGES);
    // reading marks nothing as read
    for id in ids(&list).iter().take(20) {
        assert!(desk.message(&desk.mine, id)["body"].is_string());
    }
    assert_eq!(desk.search(&desk.mine, "INBOX", "is:unread")["total"], MESSAGES);
    let found =
        desk.search(&desk.mine, "INBOX", "subject:quarterly -is:flagged (has:attachment OR larger:1)");
    assert_eq!(found["total"], QUARTERLY);
    let everywhere = desk.call("search_messages", json!({ "folders": "all", "subject": "quarterly" }));
    assert_eq!(ids(&everywhere).len(), QUARTERLY, "{}", everywhere["coverage"]);
    let contacts = desk.call("find_contact", json!({ "name": "sender3" }));
    assert_eq!(contacts["contacts"][0]["email"], "sender3@imapmcp.test");
    let parent = desk.search(&desk.mine, "INBOX", "subject:\"Topic 21\"");
    let thread = desk.call("get_thread", json!({ "id": parent["messages"][0]["id"] }));
    assert_eq!(ids(&thread).len(), 5, "{thread}");
    let file = desk.search(&desk.mine, "INBOX", "rfc822msgid:m10@imapmcp.test");
    let id = &file["messages"][0]["id"];
    assert_eq!(desk.message(&desk.mine, id)["attachments"][0]["filename"], "日本.pdf");
    assert_eq!(desk.download(&desk.mine, id, 0), b"%PDF-1.4\n");
}

fn organises(desk: &Desk) {
    let some = ids(&desk.call("list_messages", json!({ "limit": 6 })));
    let flags = |id: &Value| desk.message(&desk.mine, id)["flags"].to_string();
    for (tool, more, flag, set) in [
        ("mark_read", json!({}), "Seen", true),
        ("mark_unread", json!({}), "Seen", false),
        ("flag_messages", json!({}), "Flagged", true),
        ("unflag_messages", json!({}), "Flagged", false),
        ("set_flags", json!({ "add": ["$Important", "\\Answered"] }), "$Important", true),
        ("set_flags", json!({ "remove": ["$Important", "\\Answered"] }), "$Important", false),
    ] {
        let mut arguments = more;
        arguments["ids"] = json!(some);
        let answer = desk.change(tool, arguments);
        assert!(some.iter().all(|id| flags(id).contains(flag) == set), "{tool}");
        if set {
            assert_eq!(desk.undo(&answer)["undone"], some.len(), "{tool}");
            assert!(some.iter().all(|id| !flags(id).contains(flag)), "{tool} is undone");
            let again = json!({ "operation_id": answer["operation_id"] });
            assert!(desk.try_call("undo_operation", &again).is_err(), "{tool} is undone once");
        }
    }
    desk.call("create_folder", json!({ "folder": "Projects" }));
    let before = desk.total("INBOX");
    let moved = desk.change("move_messages", json!({ "ids": some, "to_folder": "Projects" }));
    assert_eq!((desk.total("INBOX"), desk.total("Projects")), (before - 6, 6));
    for (old, new) in some.iter().zip(new_ids(&moved)) {
        assert_eq!(desk.message(&desk.mine, &new)["folder"], "Projects");
        assert!(desk.try_call("get_message", &json!({ "id": old })).is_err());
    }
    assert_eq!(desk.undo(&moved)["undone"], 6);
    assert_eq!((desk.total("INBOX"), desk.total("Projects")), (before, 0));
    for (tool, folder) in [("archive_messages", "Archive"), ("delete_messages", "Trash")] {
        let there = desk.total(folder);
        let some = ids(&desk.call("list_messages", json!({ "limit": 3 })));
        let gone = desk.change(tool, json!({ "ids": some }));
        assert_eq!((gone["folder"].as_str(), desk.total(folder)), (Some(folder), there + 3), "{tool}");
        assert!(new_ids(&gone).iter().all(|id| desk.message(&desk.mine, id)["folder"] == folder), "{tool}");
        assert_eq!(desk.undo(&gone)["undone"], 3, "{tool}");
        assert_eq!((desk.total("INBOX"), desk.total(folder)), (before, there), "{tool}");
    }
    let some = ids(&desk.call("list_messages", json!({ "limit": 2 })));
    let copied = desk.change("copy_messages", json!({ "ids": some, "to_folder": "Projects" }));
    assert_eq!((desk.total("INBOX"), desk.total("Projects")), (before, 2));
    desk.change("delete_messages", json!({ "ids": [new_ids(&copied)[0]], "permanent": true }));
    assert_eq!((desk.total("Projects"), desk.total("Trash")), (1, 0));
    let renamed = desk.call("rename_folder", json!({ "folder": "Projects", "new_name": "Plans/日本" }));
    assert_eq!(desk.total("Plans/日本"), 1);
    desk.undo(&renamed);
    assert_eq!(desk.total("Projects"), 1);
    assert!(desk.try_call("delete_folder", &json!({ "folder": "Projects" })).is_err(), "it holds a message");
    desk.call("delete_folder", json!({ "folder": "Projects", "with_messages": true }));
    assert!(desk.try_call("list_messages", &json!({ "folder": "Projects" })).is_err());
    assert!(desk.try_call("delete_folder", &json!({ "folder": "Sent", "with_messages": true })).is_err());
}

/// A letter, its reply, the reply to that, and a forward.
fn corresponds(desk: &Desk) {
    let text = "name,count\r\nline one,1\nline two,2\r";
    let upload = desk.call("create_upload", json!({ "filename": "handed over.bin" }));
    let handed_over: Vec<u8> = (0..700_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    let put = ureq::put(upload["url"].as_str().unwrap()).send(handed_over.as_slice()).unwrap();
    assert_eq!(put.status().as_u16(), 201);
    desk.sent(
        "send_message",
        json!({ "account_id": desk.mine, "to": [desk.you], "subject": "日本 plan 🎉", "body_markdown": "**Hi** you\n\n.\nFrom here",
            "attachments": [
                { "filename": "日本.csv", "content_type": "text/csv", "content_base64": base64(text.as_bytes()) },
                { "filename": "a \"b\"; c.bin", "content_base64": base64(&[0, 13, 10, 255]) },
                { "upload": upload["upload"] },
            ] }),
    );
    let letter = desk.arrived(&desk.yours, "INBOX", "plan 🎉");
    let shown = desk.message(&desk.yours, &letter["id"]);
    assert_eq!((&shown["subject"], &shown["from"][0]["email"]), (&json!("日本 plan 🎉"), &json!(desk.me)));
    assert!(shown["body"].as_str().unwrap().contains("**Hi** you"), "{shown}");
    assert_eq!(desk.download(&desk.yours, &letter["id"], 0), text.as_bytes());
    assert_eq!(desk.download(&desk.yours, &letter["id"], 1), [0, 13, 10, 255]);
    assert!(desk.download(&desk.yours, &letter["id"], 2) == handed_over);
    let read = json!({ "account_id": desk.yours, "id": letter["id"], "attachment_index": 0 });
    assert!(desk.call("read_attachment", read)["text"].as_str().unwrap().contains("line two"));

    let reply = json!({ "account_id": desk.yours, "id": letter["id"], "body_text": "Fine with me." });
    desk.sent("reply_message", reply);
    let flags = desk.message(&desk.yours, &letter["id"])["flags"].to_string();
    assert!(flags.contains("Answered"), "{flags}");
    let answer = desk.arrived(&desk.mine, "INBOX", "Re: 日本 plan");
    let shown = desk.message(&desk.mine, &answer["id"]);
    assert_eq!(shown["in_reply_to"], desk.message(&desk.yours, &letter["id"])["message_id"]);
    assert!(shown["body"].as_str().unwrap().contains("Fine with me."), "{shown}");
    // from either end, in either account
    let my_sent = desk.arrived(&desk.mine, "Sent", "日本 plan");
    let your_sent = desk.arrived(&desk.yours, "Sent", "日本 plan");
    for (account, id) in [
        (&desk.mine, &answer["id"]),
        (&desk.mine, &my_sent["id"]),
        (&desk.yours, &letter["id"]),
        (&desk.yours, &your_sent["id"]),
    ] {
        let thread = desk.call("get_thread", json!({ "account_id": account, "id": id }));
        let folders: BTreeSet<&str> = thread["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["folder"].as_str().unwrap_or("INBOX"))
            .collect();
        assert_eq!(folders, BTreeSet::from(["INBOX", "Sent"]), "{thread}");
        assert_eq!(ids(&thread).len(), 2, "{thread}");
        assert_eq!(thread["answer_owed"], account == &desk.mine, "{thread}");
    }

    let forward =
        json!({ "account_id": desk.yours, "id": letter["id"], "to": [desk.me], "body_text": "See this." });
    desk.sent("forward_message", forward);
    let forwarded = desk.arrived(&desk.mine, "INBOX", "Fwd: 日本 plan");
    let shown = desk.message(&desk.mine, &forwarded["id"]);
    let names: Vec<&Value> =
        shown["attachments"].as_array().unwrap().iter().map(|f| &f["filename"]).collect();
    assert_eq!(names, ["日本.csv", "a \"b\"; c.bin", "handed over.bin"], "{shown}");
    assert!(desk.download(&desk.mine, &forwarded["id"], 2) == handed_over);
    assert_eq!(desk.download(&desk.mine, &forwarded["id"], 0), text.as_bytes());
    assert_eq!(desk.download(&desk.mine, &forwarded["id"], 1), [0, 13, 10, 255]);
    let flags = desk.message(&desk.yours, &letter["id"])["flags"].to_string();
    assert!(flags.contains("$Forwarded"), "{flags}");
    let contacts = desk.call("find_contact", json!({ "name": "you@" }));
    assert_eq!(contacts["contacts"][0]["email"], json!(desk.you), "{contacts}");
}

fn drafts(desk: &Desk) {
    let letter = desk.arrived(&desk.mine, "INBOX", "Re: 日本 plan");
    let draft = desk.call(
        "create_draft",
        json!({ "account_id": desk.mine, "reply_to": letter["id"], "body_text": "Not yet.",
            "attachments": [{ "filename": "notes.txt", "content_type": "text/plain", "content_base64": base64(b"notes\n") }] }),
    );
    assert_eq!((&draft["folder"], &draft["to"]), (&json!("Drafts"), &json!([desk.you])), "{draft}");
    assert_eq!(desk.search(&desk.mine, "Drafts", "is:draft")["total"], 1);
    let changed =
        desk.call("update_draft", json!({ "id": draft["id"], "body_text": "Now.", "subject": "Re: Later" }));
    assert_ne!(changed["id"], draft["id"]);
    assert_eq!(desk.total("Drafts"), 1);
    assert!(desk.try_call("get_message", &json!({ "id": draft["id"] })).is_err());
    desk.sent("send_draft", json!({ "id": changed["id"] }));
    assert_eq!(desk.total("Drafts"), 0);
    let arrived = desk.arrived(&desk.yours, "INBOX", "Re: Later");
    let shown = desk.message(&desk.yours, &arrived["id"]);
    assert!(shown["body"].as_str().unwrap().contains("Now."), "{shown}");
    assert_eq!(shown["in_reply_to"], desk.message(&desk.mine, &letter["id"])["message_id"]);
    assert_eq!(desk.download(&desk.yours, &arrived["id"], 0), b"notes\n");
}

fn holds_back(desk: &Desk) {
    let later = "2027-06-01T08:00:00Z";
    let held = desk.call(
        "send_message",
        json!({ "to": [desk.you], "subject": "Not before June", "body_text": "x", "send_at": later }),
    );
    assert_eq!((&held["state"], &held["not_before"]), (&json!("queued"), &json!(later)), "{held}");
    let outbox = desk.call("list_outbox", json!({}));
    assert_eq!(outbox["sends"].as_array().unwrap().len(), 1, "{outbox}");
    let send = &outbox["sends"][0];
    assert_eq!((&send["outbox_id"], &send["subject"]), (&held["outbox_id"], &json!("Not before June")));
    let cancelled = desk.call("cancel_send", json!({ "outbox_id": held["outbox_id"] }));
    assert_eq!(cancelled, json!({ "cancelled": true, "state": "cancelled" }));
    assert_eq!(desk.call("list_outbox", json!({}))["sends"], json!([]));
    assert!(desk.servers.message_ids(&desk.me, "Sent").iter().all(|id| *id != held["message_id"]));
}

fn in_bulk(desk: &Desk) {
    let before = (desk.total("INBOX"), desk.total("Archive"));
    let plan = json!({ "query": "smaller:1000000", "action": "archive" });
    let plan = desk.call("plan_bulk", plan);
    let count = plan["count"].as_u64().unwrap();
    assert!(count >= 300, "{plan}");
    assert_eq!((desk.total("INBOX"), desk.total("Archive")), before, "a plan changes nothing");
    let done = desk.call("run_plan", json!({ "plan_id": plan["plan_id"] }));
    assert_eq!((&done["done"], &done["failed"], &done["unknown"]), (&json!(count), &json!(0), &json!(0)));
    assert_eq!((desk.total("INBOX"), desk.total("Archive")), (before.0 - count, before.1 + count));
    assert!(desk.try_call("run_plan", &json!({ "plan_id": plan["plan_id"] })).is_err(), "a plan works once");
    assert_eq!(desk.undo(&done), json!({ "undone": count, "left": 0 }));
    assert_eq!((desk.total("INBOX"), desk.total("Archive")), before);
}

/// Whatever takes `max_tokens` keeps to it, or says that nothing fits.
fn keeps_to_its_budget(desk: &Desk) {
    for index in 0..4 {
        desk.servers.deliver(&desk.me, &excessive(&desk.me, index));
    }
    let long = "f".repeat(200);
    desk.call("create_folder", json!({ "folder": long }));
    desk.call("send_message", json!({
        "to": (0..100).map(|n| format!("{} <{}{n}@imapmcp.test>", "N".repeat(80), "l".repeat(60))).collect::<Vec<_>>(),
        "subject": "\u{65e5}".repeat(300), "body_text": "x", "send_at": "2027-06-01T08:00:00Z"
    }));
    let excess = ids(&desk.search(&desk.mine, "INBOX", "subject:excessive"));
    assert_eq!(excess.len(), 4);
    let list = ids(&desk.call("list_messages", json!({ "limit": 60 })));
    let file = desk.arrived(&desk.mine, "INBOX", "Fwd: 日本 plan")["id"].clone();
    let mut calls = vec![
        ("list_folders", json!({ "counts": true })),
        ("list_messages", json!({ "limit": 200 })),
        ("search_messages", json!({ "query": "topic", "limit": 200 })),
        (
            "search_messages",
            json!({ "folders": "all", "accounts": "all", "query": "subject:topic", "limit": 200 }),
        ),
        ("find_contact", json!({ "name": "sender", "limit": 50 })),
        ("list_outbox", json!({ "all": true, "limit": 100 })),
        ("read_attachment", json!({ "id": file, "attachment_index": 0 })),
    ];
    for (index, id) in excess.iter().enumerate().take(4) {
        calls.push(("read_attachment", json!({ "id": id, "attachment_index": index })));
    }
    calls.push(("find_contact", json!({ "name": "\u{65e5}\u{65e5}", "limit": 50 })));
    for id in excess.iter().chain(&list).chain([&file]) {
        for format in ["markdown", "text", "html", "headers"] {
            calls.push(("get_message", json!({ "id": id, "format": format, "quotes": "full" })));
        }
    }
    for id in excess.iter().chain(list.iter().take(12)).chain([&file]) {
        calls.extend(
            ["newest", "all", "none"].map(|bodies| ("get_thread", json!({ "id": id, "bodies": bodies }))),
        );
    }
    let covered: BTreeSet<&str> = calls.iter().map(|(tool, _)| *tool).collect();
    let bounded: BTreeSet<&str> = TOOLS
        .iter()
        .filter(|tool| tool.fields.iter().any(|field| field.name() == "max_tokens"))
        .map(|tool| tool.name)
        .collect();
    assert_eq!(covered, bounded);
    let mut over = Vec::new();
    for (number, (tool, mut arguments)) in calls.into_iter().enumerate() {
        for tokens in [300, 450, 700, 1000, 2000] {
            // many messages of one kind need not all be asked for in every size
            if number > 60 && (number + tokens / 50) % 3 != 0 {
                continue;
            }
            arguments["max_tokens"] = json!(tokens);
            match desk.try_call(tool, &arguments) {
                Ok(result) => {
                    let octets = result.to_string().len();
                    if octets > tokens * 4 {
                        over.push(format!("{tool} {arguments}: {octets}"));
                    }
                }
                Err(code) => {
                    if tokens >= 1000 || code != "invalid_argument" {
                        over.push(format!("{tool} {arguments}: {code}"));
                    }
                }
            }
        }
    }
    assert!(over.is_empty(), "{} of them: {:#?}", over.len(), &over[..over.len().min(60)]);
}

/// Of everything more than anybody asked for.
fn excessive(to: &str, index: usize) -> String {
    let name = format!("=?utf-8?b?{}?=", base64("\u{65e5}".repeat(200).as_bytes()));
    let person = |kind: &str, n: usize| format!("{name} <{kind}{n}{}@imapmcp.test>", "x".repeat(50));
    let people = |kind: &str| (0..120).map(|n| person(kind, n)).collect::<Vec<_>>().join(",\r\n ");
    let references: Vec<String> = (0..200).map(|n| format!("<{n}{}@x>", "r".repeat(200))).collect();
    let files: Vec<String> = (0..60)
        .map(|n| {
            format!(
                "--b\r\nContent-Type: text/plain; name=\"{n}{}.txt\"\r\nContent-Disposition: attachment\r\n\r\n{}\r\n",
                "n".repeat(240),
                "\"\\\u{2028}\u{1f389} ".repeat(500)
            )
        })
        .collect();
    let files = files.concat();
    format!(
        "Message-ID: <excess{index}@x>\r\nFrom: {}\r\nReply-To: {}\r\nTo: {to},\r\n {}\r\nCc: {}\r\nSubject: excessive {}\r\n\
         References: {}\r\nList-Unsubscribe: <https://example.com/{}>\r\nList-Id: <{}.example>\r\n\
         Authentication-Results: localhost; spf=fail smtp.mailfrom={}@x\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{}\r\n{files}--b--\r\n",
        person("from", index),
        people("reply"),
        people("to"),
        people("cc"),
        name.repeat(3),
        references.join("\r\n "),
        "u".repeat(900),
        "i".repeat(400),
        "s".repeat(400),
        (0..200)
            .map(|n| format!(
                "<a href=\"https://evil{n}.example/{0}\">https://bank{n}.example/{0}</a>",
                "p".repeat(200)
            ))
            .collect::<Vec<_>>()
            .concat(),
    )
}
