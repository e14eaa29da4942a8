use crate::house::{House, house};
use imapmcp_core::mail::MailError;
use serde_json::{Value, json};

async fn inbox(house: &House, query: &str) -> Value {
    let found = house.owner("search_messages", json!({ "query": query, "limit": 5 })).await;
    found["messages"][0].clone()
}

/// The newest message of a folder.
async fn newest(house: &House, folder: &str) -> Value {
    let list = house.owner("list_messages", json!({ "folder": folder, "limit": 1 })).await;
    let id = list["messages"][0]["id"].clone();
    house.owner("get_message", json!({ "id": id, "quotes": "full" })).await
}

/// A message to the demo account itself, as others would have sent it.
async fn arrive(house: &House, subject: &str) -> Value {
    let call = json!({ "to": ["demo@example.com"], "cc": ["Carol <carol@example.org>"], "subject": subject,
        "body_html": "<p>Hello <b>you</b></p>", "attachments": [{ "filename": "日本.txt", "content_base64": "aGk=", "content_type": "text/plain" }] });
    house.owner("send_message", call).await;
    inbox(house, &format!("subject:\"{subject}\"")).await
}

#[tokio::test]
async fn markdown_goes_out_in_both_forms() {
    let house = house().await;
    let call =
        json!({ "to": ["demo@example.com"], "subject": "Forms", "body_markdown": "**Hi**\n\n- a\n- b" });
    house.owner("send_message", call).await;
    let sent = newest(&house, "Sent").await;
    assert!(sent["body"].as_str().unwrap().contains("**Hi**"), "{sent}");
    let html = house.owner("get_message", json!({ "id": sent["id"], "format": "html" })).await;
    assert!(html["body"].as_str().unwrap().contains("<strong>Hi</strong>"), "{html}");
}

#[tokio::test]
async fn a_body_that_would_keep_a_parser_busy_is_a_wrong_argument() {
    let house = house().await;
    let attributes = (0..100_000).map(|number| format!(" a{number}")).collect::<Vec<_>>().concat();
    for (field, body) in [
        ("body_html", "<div>".repeat(99_000)),
        ("body_html", format!("<p{attributes}>x")),
        ("body_markdown", "> ".repeat(16_000)),
    ] {
        for tool in ["send_message", "create_draft"] {
            let call = json!({ "to": ["demo@example.com"], "subject": "Deep", field: body });
            assert_eq!(house.code(&house.owner, tool, call).await, "invalid_argument", "{tool} {field}");
        }
    }
    let list = house.owner("list_messages", json!({ "folder": "Sent", "limit": 1 })).await;
    assert_ne!(list["messages"][0]["subject"], "Deep");
}

#[tokio::test]
async fn a_reply_stays_in_its_thread_and_marks_the_original() {
    let house = house().await;
    let original = arrive(&house, "Plan").await;
    let call =
        json!({ "id": original["id"], "reply_all": true, "body_text": "Yes.", "to": ["ada@example.org"] });
    let receipt = house.owner("reply_message", call).await;
    assert_eq!(receipt["state"], "sent", "{receipt}");
    let sent = newest(&house, "Sent").await;
    assert_eq!(sent["subject"], "Re: Plan");
    let whole = house.owner("get_message", json!({ "id": original["id"] })).await;
    assert_eq!(sent["in_reply_to"], whole["message_id"]);
    assert_eq!(sent["references"], json!([whole["message_id"]]));
    let body = sent["body"].as_str().unwrap();
    assert!(body.contains("Yes.") && body.contains("> Hello you"), "{body}");
    assert!(whole["flags"].to_string().contains("Answered"));
    let cc: Vec<&str> =
        sent["cc"].as_array().unwrap().iter().map(|one| one["email"].as_str().unwrap()).collect();
    assert_eq!(cc, ["carol@example.org"], "not oneself");
}

#[tokio::test]
async fn a_forward_takes_the_attachments_along() {
    let house = house().await;
    let original = arrive(&house, "With a file").await;
    let call = json!({ "id": original["id"], "to": ["dan@example.org"], "body_text": "See below" });
    assert_eq!(house.owner("forward_message", call).await["state"], "sent");
    let sent = newest(&house, "Sent").await;
    assert_eq!(sent["subject"], "Fwd: With a file");
    assert_eq!(sent["attachments"][0]["filename"], "日本.txt");
    assert!(sent["body"].as_str().unwrap().contains("Forwarded message"));
    let whole = house.owner("get_message", json!({ "id": original["id"], "format": "headers" })).await;
    assert!(whole["flags"].to_string().contains("$Forwarded"));
}

#[tokio::test]
async fn a_draft_is_written_changed_and_sent_once() {
    let house = house().await;
    let draft = house
        .owner("create_draft", json!({ "to": ["ada@example.org"], "bcc": ["x@example.org"], "subject": "Draft", "body_text": "One\n\nlong line of text that goes on and on so that it has to flow over the end of the line surely" }))
        .await;
    let changed = house.owner("update_draft", json!({ "id": draft["id"], "subject": "Draft 2" })).await;
    assert!(changed.get("old_draft_left").is_none(), "{changed}");
    assert!(house.ask(&house.owner, "get_message", json!({ "id": draft["id"] })).await.is_err(), "replaced");
    let stored = house.owner("get_message", json!({ "id": changed["id"] })).await;
    assert!(stored["flags"].to_string().contains("Draft"));
    assert!(stored["body"].as_str().unwrap().contains("flow over the end of the line surely"), "{stored}");
    let sent = house.owner("send_draft", json!({ "id": changed["id"] })).await;
    assert_eq!((&sent["state"], sent["accepted"].as_array().unwrap().len()), (&json!("sent"), 2));
    assert!(
        house.ask(&house.owner, "get_message", json!({ "id": changed["id"] })).await.is_err(),
        "no draft any more"
    );
    let copy = newest(&house, "Sent").await;
    assert_eq!(copy["subject"], "Draft 2");
}

#[tokio::test]
async fn a_reply_can_be_drafted() {
    let house = house().await;
    let original = arrive(&house, "Question").await;
    let call = json!({ "reply_to": original["id"], "to": ["ada@example.org"], "body_text": "Soon." });
    let draft = house.owner("create_draft", call).await;
    let stored = house.owner("get_message", json!({ "id": draft["id"], "quotes": "full" })).await;
    assert_eq!(stored["subject"], "Re: Question");
    assert!(stored["in_reply_to"].is_string());
    assert!(stored["body"].as_str().unwrap().contains("wrote:"));
    let other = inbox(&house, "subject:Question").await;
    assert_eq!(
        house.code(&house.owner, "send_draft", json!({ "id": other["id"] })).await,
        "invalid_argument"
    );
}

#[tokio::test]
async fn an_attachment_of_another_message_is_sent_without_passing_the_model() {
    let house = house().await;
    let original = arrive(&house, "Source").await;
    let call = json!({ "to": ["ada@example.org"], "subject": "File", "body_text": "x",
        "attachments": [{ "from_message": { "id": original["id"], "index": 0 } }] });
    house.owner("send_message", call).await;
    let sent = newest(&house, "Sent").await;
    assert_eq!(sent["attachments"][0]["filename"], "日本.txt");
    let read = house.owner("read_attachment", json!({ "id": sent["id"], "attachment_index": 0 })).await;
    assert!(read["text"].as_str().unwrap().contains("\nhi\n"), "{read}");
}

#[tokio::test]
async fn a_scheduled_send_waits_and_can_be_cancelled() {
    let house = house().await;
    let later = house.services.clock.now().plus_seconds(3600).to_rfc3339();
    let call = json!({ "to": ["demo@example.com"], "subject": "Later", "body_text": "x", "send_at": later });
    let receipt = house.owner("send_message", call).await;
    assert_eq!(receipt["state"], "queued", "{receipt}");
    let list = house.owner("list_outbox", json!({})).await;
    assert_eq!(list["sends"][0]["subject"], "Later", "{list}");
    let cancelled = house.owner("cancel_send", json!({ "outbox_id": receipt["outbox_id"] })).await;
    assert_eq!((&cancelled["cancelled"], &cancelled["state"]), (&json!(true), &json!("cancelled")));
    let again = house.owner("cancel_send", json!({ "outbox_id": receipt["outbox_id"] })).await;
    assert_eq!(again["cancelled"], false);
}

#[tokio::test]
async fn a_contact_is_found_by_a_fragment_of_its_name() {
    let house = house().await;
    let call = json!({ "to": ["Zoë Quill <zoe.quill@example.org>"], "subject": "Hi", "body_text": "x" });
    house.owner("send_message", call).await;
    let found = house.owner("find_contact", json!({ "name": "quill" })).await;
    assert_eq!(
        (&found["contacts"][0]["email"], &found["contacts"][0]["sent"]),
        (&json!("zoe.quill@example.org"), &json!(1))
    );
}

#[tokio::test]
async fn no_text_of_any_tool_breaks_out_of_its_field() {
    let house = house().await;
    for evil in [
        "a\r\nBcc: evil@example.org",
        "a\nb",
        "a\0b",
        "x>\r\nRCPT TO:<evil@example.org",
        "\r\n.\r\nMAIL FROM:<x@y.z>",
    ] {
        for field in ["to", "cc", "bcc", "subject"] {
            let mut call = json!({ "to": ["ada@example.org"], "subject": "s", "body_text": "x" });
            call[field] = if field == "subject" { json!(evil) } else { json!([evil]) };
            assert_eq!(
                house.code(&house.owner, "send_message", call).await,
                "invalid_argument",
                "{field} {evil:?}"
            );
        }
        let call = json!({ "to": ["ada@example.org"], "subject": "s", "body_text": "x",
            "attachments": [{ "filename": evil, "content_base64": "aGk=" }] });
        assert_eq!(
            house.code(&house.owner, "send_message", call).await,
            "invalid_argument",
            "filename {evil:?}"
        );
        for (tool, call) in [
            ("create_folder", json!({ "folder": evil })),
            ("list_messages", json!({ "folder": evil })),
            ("search_messages", json!({ "subject": evil })),
            ("move_messages", json!({ "uids": [1], "to_folder": evil })),
        ] {
            assert!(house.ask(&house.owner, tool, call).await.is_err(), "{tool} {evil:?}");
        }
    }
}

/// The house's account sends from two more addresses.
async fn with_aliases(house: &House) {
    let aliases = ["Demo Team <team@example.com>", "me@private.example"].map(|alias| alias.parse().unwrap());
    let owner = &house.owner.user;
    house.services.accounts.set_aliases(owner, &house.account.id, aliases.to_vec()).await.unwrap();
}

/// A message that came to an alias, from somebody else, to others too.
async fn arrive_at(house: &House, from: &str, to: &str, subject: &str) -> Value {
    let message = format!(
        "From: {from}\r\nTo: {to}\r\nCc: carol@example.org, TEAM@example.com\r\nSubject: {subject}\r\n\
         Message-ID: <{}@example.org>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n\r\nHello\r\n",
        subject.replace(' ', "-")
    );
    let (_, mailbox) = house.services.accounts.mailbox(&house.owner.user, &house.account.id).await.unwrap();
    mailbox.append(&"INBOX".into(), message.into(), &[]).await.unwrap();
    inbox(house, &format!("subject:\"{subject}\"")).await
}

fn emails(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|one| one["email"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_reply_comes_from_the_address_that_was_written_to_and_goes_to_nobody_of_ones_own() {
    let house = house().await;
    with_aliases(&house).await;
    let accounts = house.owner("list_accounts", json!({})).await;
    assert_eq!(
        accounts["accounts"][0]["aliases"],
        json!(["Demo Team <team@example.com>", "me@private.example"])
    );
    let original = arrive_at(
        &house,
        "ada@example.org",
        "Me <Me@Private.example>, demo@example.com, bob@example.org",
        "To an alias",
    )
    .await;
    let thread = house.owner("get_thread", json!({ "id": original["id"] })).await;
    assert_eq!(thread["answer_owed"], true, "an alias is the user too");
    let call = json!({ "id": original["id"], "reply_all": true, "body_text": "Yes." });
    let receipt = house.owner("reply_message", call).await;
    let sent = newest(&house, "Sent").await;
    assert_eq!(
        sent["from"]["email"].as_str().or(sent["from"][0]["email"].as_str()),
        Some("me@private.example")
    );
    assert_eq!(emails(&sent["to"]), ["ada@example.org"]);
    assert_eq!(emails(&sent["cc"]), ["bob@example.org", "carol@example.org"]);
    assert!(receipt["message_id"].as_str().unwrap().ends_with("@private.example"), "{receipt}");

    let own = arrive_at(&house, "team@example.com", "ada@example.org, me@private.example", "My own").await;
    assert_eq!(house.owner("get_thread", json!({ "id": own["id"] })).await["answer_owed"], false);
    let call = json!({ "id": own["id"], "reply_all": true, "body_text": "And one more thing." });
    house.owner("reply_message", call).await;
    let sent = newest(&house, "Sent").await;
    assert_eq!(
        sent["from"]["email"].as_str().or(sent["from"][0]["email"].as_str()),
        Some("team@example.com")
    );
    assert!(emails(&sent["to"]).contains(&"ada@example.org"), "{sent}");
    assert_eq!(emails(&sent["cc"]), ["carol@example.org"]);
}

#[tokio::test]
async fn from_is_one_of_the_accounts_addresses_and_no_other() {
    let house = house().await;
    with_aliases(&house).await;
    let send =
        |from: &str| json!({ "from": from, "to": ["ada@example.org"], "subject": "Hi", "body_text": "x" });
    for other in [
        "eve@example.com",
        "Demo Team <eve@example.com>",
        "team@example.com\r\nBcc: eve@example.com",
        "team@example.com>\r\nRCPT TO:<eve@example.com",
        "team@example.com, eve@example.com",
    ] {
        for (tool, call) in [("send_message", send(other)), ("create_draft", send(other))] {
            let error = house.ask(&house.owner, tool, call).await.unwrap_err();
            assert_eq!(error.code(), "invalid_argument", "{tool} {other:?}");
            let told = error.to_json("").to_string();
            assert!(told.contains("demo@example.com, team@example.com, me@private.example"), "{told}");
        }
    }
    house.owner("send_message", send("Somebody Else <TEAM@example.com>")).await;
    let newest_sent = newest(&house, "Sent").await;
    let from = newest_sent["from"].to_string();
    assert!(
        from.contains("Demo Team") && from.contains("team@example.com"),
        "the name is the account's: {from}"
    );
    let again = house.owner("send_message", send("me@private.example")).await;
    assert_eq!(again["repeated"], false, "from another address it is another message");
    assert_eq!(house.owner("send_message", send("me@private.example")).await["repeated"], true);

    let draft = house.owner("create_draft", send("team@example.com")).await;
    let changed = house.owner("update_draft", json!({ "id": draft["id"], "body_text": "y" })).await;
    let stored = house.owner("get_message", json!({ "id": changed["id"] })).await;
    assert!(stored["from"].to_string().contains("team@example.com"), "{stored}");
    let call = json!({ "id": changed["id"], "from": "me@private.example" });
    let moved = house.owner("update_draft", call).await;
    house.owner("send_draft", json!({ "id": moved["id"] })).await;
    assert!(newest(&house, "Sent").await["from"].to_string().contains("me@private.example"));

    let kept = house.owner("create_draft", send("team@example.com")).await;
    house.services.accounts.set_aliases(&house.owner.user, &house.account.id, Vec::new()).await.unwrap();
    let error = house.ask(&house.owner, "send_draft", json!({ "id": kept["id"] })).await.unwrap_err();
    assert!(error.to_json("").to_string().contains("update_draft"), "{error:?}");
}

async fn style(house: &House) -> Value {
    house.owner("list_accounts", json!({})).await["accounts"][0]["writing_style"].clone()
}

async fn mailbox(house: &House) -> std::sync::Arc<dyn imapmcp_core::mail::Mailbox> {
    house.services.accounts.mailbox(&house.owner.user, &house.account.id).await.unwrap().1
}

#[tokio::test]
async fn what_the_user_makes_of_a_draft_is_learnt_only_where_that_is_switched_on() {
    let house = house().await;
    let (user, account) = (house.owner.user.clone(), house.account.id.clone());
    let original = arrive(&house, "Question of style").await;
    let whole = house.owner("get_message", json!({ "id": original["id"] })).await;
    let answered = whole["message_id"].as_str().unwrap().to_owned();
    let call = json!({ "reply_to": original["id"], "to": ["ada@example.org"], "body_text": "Dear Ada,\nthe answer is yes.\nKind regards" });
    let mine = format!(
        "Subject: Re: Question of style\r\nTo: ada@example.org\r\nIn-Reply-To: <{answered}>\r\nMessage-ID: <own@client.example>\r\n\r\n\
         Hi Ada,\r\nyes, and it is done with that.\r\nCheers\r\n\r\nOn Sunday, ada@example.org wrote:\r\n> the question\r\n"
    );
    let mail = mailbox(&house).await;
    house.owner("create_draft", call.clone()).await;
    mail.append(&"Sent".into(), mine.clone().into(), &[]).await.unwrap();
    house.owner("create_draft", call.clone()).await;
    assert_eq!(style(&house).await, Value::Null, "off by default");
    assert!(house.services.styles.drafts(&user, &account).await.unwrap().is_empty());

    assert!(house.services.styles.keep(&user, &account, true).await.unwrap());
    house.owner("create_draft", call.clone()).await;
    assert_eq!(house.services.styles.drafts(&user, &account).await.unwrap().len(), 1);
    assert_eq!(style(&house).await, Value::Null, "what was sent before it is not it");
    // the user changes the draft in a mail program and sends it
    mail.append(&"Sent".into(), mine.into(), &[]).await.unwrap();
    house
        .owner(
            "create_draft",
            json!({ "to": ["ada@example.org"], "subject": "Next", "body_text": "Dear Ada" }),
        )
        .await;
    let learnt = style(&house).await;
    assert_eq!(
        (&learnt["messages"], &learnt["greeting"], &learnt["closing"], &learnt["form"]),
        (&json!(1), &json!("Hi"), &json!("Cheers"), &json!("informal")),
        "{learnt}"
    );
    assert!(!learnt.to_string().contains("Ada"));
    let left = house.services.styles.drafts(&user, &account).await.unwrap();
    assert_eq!(left.iter().map(|draft| draft.subject.as_str()).collect::<Vec<_>>(), ["Next"]);

    house.services.styles.keep(&user, &account, false).await.unwrap();
    assert_eq!(style(&house).await, Value::Null);
}

#[tokio::test]
async fn a_draft_that_the_user_changed_teaches_when_it_is_sent_from_here() {
    let house = house().await;
    let (user, account) = (house.owner.user.clone(), house.account.id.clone());
    house.services.styles.keep(&user, &account, true).await.unwrap();
    let call = |subject: &str| json!({ "to": ["ada@example.org"], "subject": subject, "body_text": "Dear Ada,\nthe plan is here.\nKind regards" });
    let untouched = house.owner("create_draft", call("Untouched")).await;
    let rewritten =
        house.owner("update_draft", json!({ "id": untouched["id"], "body_text": "Dear all" })).await;
    house.owner("send_draft", json!({ "id": rewritten["id"] })).await;
    assert_eq!(style(&house).await, Value::Null, "a client's own words teach nothing");
    assert!(house.services.styles.drafts(&user, &account).await.unwrap().is_empty());

    let draft = house.owner("create_draft", call("Changed")).await;
    let folder = draft["folder"].as_str().unwrap();
    let changed = "From: demo@example.com\r\nSubject: Changed\r\nTo: ada@example.org\r\nMessage-ID: <new@client.example>\r\n\r\n\
                   Hi Ada,\r\nthe plan is here and it is good.\r\nCheers\r\n";
    let mail = mailbox(&house).await;
    mail.append(&folder.into(), changed.into(), &[imapmcp_core::mail::Flag::draft()]).await.unwrap();
    let found =
        house.owner("search_messages", json!({ "folder": folder, "subject": "Changed", "limit": 1 })).await;
    let sent = house.owner("send_draft", json!({ "id": found["messages"][0]["id"] })).await;
    assert_eq!(sent["state"], "sent", "{sent}");
    let learnt = style(&house).await;
    assert_eq!((&learnt["greeting"], &learnt["lines_removed"]), (&json!("Hi"), &json!(3)), "{learnt}");
}

#[tokio::test]
async fn reading_and_sending_are_told_apart_and_a_refused_smtp_login_stops_sending_only() {
    let house = house().await;
    let told = async || {
        let row = house.owner("list_accounts", json!({})).await["accounts"][0].clone();
        assert!(row["health"].is_null(), "one word for two servers");
        row
    };
    let row = told().await;
    assert_eq!((&row["reading"], &row["sending"]), (&json!("untried"), &json!("untried")));
    house.owner("list_folders", json!({})).await;
    let row = told().await;
    assert_eq!(
        (&row["reading"], &row["sending"], &row["why"]),
        (&json!("working"), &json!("untried"), &json!(null))
    );

    let account = house.services.accounts.get(&house.owner.user, &house.account.id).await.unwrap();
    let off = Err(MailError::SubmissionOff);
    house.services.accounts.note_sending(&account, &off).await;
    let row = told().await;
    assert_eq!((&row["reading"], &row["sending"]), (&json!("working"), &json!("needs_attention")));
    assert_eq!(row["why"], json!({ "sending": "smtp_auth_off" }));
    assert!(row["what_to_do"].as_str().unwrap().contains("SMTP"), "{row}");
    let message = json!({ "to": ["a@example.org"], "subject": "x", "body_text": "x" });
    let refused = house.ask(&house.owner, "send_message", message.clone()).await.unwrap_err();
    assert_eq!(refused.code(), "needs_attention");
    house.owner("list_messages", json!({})).await;
    house.owner("create_draft", message).await;
}
