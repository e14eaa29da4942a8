//! What a real Dovecot cannot do is refused with a way out, and nothing is lost for it.

use crate::world::World;
use imapmcp_testkit::servers::MailServers;
use serde_json::{Value, json};

const PASSWORD: &str = "mailbox-Passw0rd";

#[test]
fn without_a_trash_folder_nothing_is_deleted_and_other_clients_marks_stay() {
    let Some(servers) = MailServers::imap_only() else { return };
    let address = servers.add_user("me", PASSWORD);
    servers.without_trash(&address);
    for name in ["one", "two", "three", "marked"] {
        let message = format!("Message-ID: <{name}@x>\r\nFrom: a@b.example\r\nSubject: {name}\r\n\r\nx\r\n");
        servers.deliver(&address, &message);
    }
    servers.add_flag(&address, "INBOX", "marked@x", "\\Deleted");
    let mut world = World::new(&[
        ("IMAPMCP_EGRESS_ALLOW", &servers.egress()),
        ("IMAPMCP_CA_FILE", servers.ca_file().to_str().unwrap()),
    ]);
    let user = address.replace('@', "%40");
    let imap = format!("imaps://{user}@localhost:{}", servers.imaps_port);
    world.add_account("Me", &address, &imap, "smtps://localhost:465", PASSWORD);
    let token = world.token(&["--scope", "mail.read mail.organize mail.delete"]);
    world.start();
    let id = |subject: &str| -> Value {
        let found = world.call(&token, "search_messages", &json!({ "subject": subject })).unwrap();
        found["messages"][0]["id"].clone()
    };
    let there = || servers.message_ids(&address, "INBOX");
    let folders = world.call(&token, "list_folders", &json!({})).unwrap();
    assert!(!folders.to_string().contains("Trash"), "{folders}");

    let delete = json!({ "ids": [id("one"), id("two")] });
    let answer = world.rpc(&token, "tools/call", &json!({ "name": "delete_messages", "arguments": delete }));
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    let error: Value = serde_json::from_str::<Value>(text).unwrap()["error"].clone();
    assert_eq!((&error["code"], &error["next_tool"]), (&json!("no_trash_folder"), &json!("list_folders")));
    assert!(error["hint"].as_str().unwrap().contains("no trash folder"), "{error}");
    let plan = json!({ "query": "subject:one", "action": "delete" });
    assert_eq!(world.call(&token, "plan_bulk", &plan).unwrap_err(), "no_trash_folder");
    assert_eq!(there(), ["one@x", "two@x", "three@x", "marked@x"]);
    for subject in ["one", "two"] {
        let message = world.call(&token, "get_message", &json!({ "id": id(subject) })).unwrap();
        assert!(!message["flags"].to_string().contains("Deleted"), "{message}");
    }

    // for good: exactly the one, whatever other clients have marked
    let gone = json!({ "ids": [id("one")], "permanent": true });
    let gone = world.call(&token, "delete_messages", &gone).unwrap();
    assert_eq!(gone["done"].as_array().unwrap().len(), 1, "{gone}");
    assert_eq!(there(), ["two@x", "three@x", "marked@x"]);
    // and moving takes nothing else along either
    let moved = json!({ "ids": [id("two")], "to_folder": "Archive" });
    let moved = world.call(&token, "move_messages", &moved).unwrap();
    assert_eq!(moved["done"].as_array().unwrap().len(), 1, "{moved}");
    assert_eq!(
        (there(), servers.message_ids(&address, "Archive")),
        (vec!["three@x".to_owned(), "marked@x".to_owned()], vec!["two@x".to_owned()])
    );
    let marked = world.call(&token, "get_message", &json!({ "id": id("marked") })).unwrap();
    assert!(marked["flags"].to_string().contains("Deleted"), "{marked}");
}
