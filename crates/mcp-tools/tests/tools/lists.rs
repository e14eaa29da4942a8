//! Lists in few words, and what they never leave out.

use crate::house::{House, house};
use imapmcp_core::mail::Flag;
use serde_json::{Value, json};

/// A message in the inbox.
async fn arrive(house: &House, message: &str, flags: &[Flag]) {
    let (_, mailbox) = house.services.accounts.mailbox(&house.owner.user, &house.account.id).await.unwrap();
    mailbox.append(&"INBOX".into(), message.to_owned().into(), flags).await.unwrap();
}

/// Fifty new messages; returns the list of them.
async fn fifty(name: &str, address: impl Fn(usize) -> String, subject: impl Fn(usize) -> String) -> Value {
    let house = house().await;
    for number in 0..50 {
        let (address, subject) = (address(number), subject(number));
        let message = format!(
            "From: {name} <{address}>\r\nTo: demo@example.com\r\nSubject: {subject}\r\nMessage-ID: <{number}@x.example>\r\n\r\nx\r\n"
        );
        arrive(&house, &message, &[]).await;
    }
    house.owner("list_messages", json!({ "limit": 50 })).await
}

#[tokio::test]
async fn fifty_messages_take_eight_kilobytes_with_every_address_and_whole_subjects() {
    let subject = |number: usize| format!("Minutes of meeting {number} about the roof of the old house");
    let list = fifty("Marie Duval", |number| format!("marie{number}@example.org"), subject).await;
    assert!(list.to_string().len() <= 8 * 1024, "{}", list.to_string().len());
    for (row, number) in list["messages"].as_array().unwrap().iter().zip((0..50).rev()) {
        assert!(row["from"].as_str().unwrap().contains(&format!("marie{number}@example.org")), "{row}");
        assert_eq!(row["subject"], json!(subject(number)), "{row}");
    }
}

#[tokio::test]
async fn however_long_names_and_subjects_are_the_address_stands_and_a_hundred_characters_of_the_subject() {
    let long = |number: usize| format!("{number:03} {}", "é".repeat(96));
    for (name, address) in [
        ("A Name Somebody Chose So That It Fills The Whole Line Of A List", "x@evil.example"),
        ("\"security@bank.example\"", "a.rather.long.local.part.of.an.address@sub.domain.evil.example"),
        ("\"=?utf-8?q?Sch=C3=B6ne_Gr=C3=BC=C3=9Fe_aus_dem_fernen_S=C3=BCden?=\"", "me@xn--bcher-kva.example"),
    ] {
        let list = fifty(name, |_| address.to_owned(), long).await;
        let rows = list["messages"].as_array().unwrap();
        assert_eq!(rows.len(), 50);
        for (row, number) in rows.iter().zip((0..50).rev()) {
            assert!(row["from"].as_str().unwrap().contains(address), "{row}");
            assert_eq!(row["subject"], json!(long(number)), "{row}");
        }
    }
    let list =
        fifty("Marie", |_| "m@example.org".to_owned(), |number| format!("{number:03} {}", "x".repeat(300)))
            .await;
    for row in list["messages"].as_array().unwrap() {
        let subject = row["subject"].as_str().unwrap();
        assert!(subject.chars().count() == 100 && subject.ends_with('…'), "{row}");
    }
}

#[tokio::test]
async fn a_message_tells_when_it_says_it_was_written_where_that_is_another_day() {
    let house = house().await;
    for (date, told) in [
        ("Fri, 1 Jan 2010 08:00:00 +0100", Some("2010-01-01T07:00:00Z")),
        ("1 Jan 2010 08:00:00 GMT (sent late)", Some("2010-01-01T08:00:00Z")),
        ("Wed, 01 Jan 2070 00:00:00 -0000", Some("2070-01-01T00:00:00Z")),
        ("", None),
        ("some day", None),
    ] {
        let field = if date.is_empty() { String::new() } else { format!("Date: {date}\r\n") };
        arrive(&house, &format!("From: a@b.example\r\nSubject: dated\r\n{field}\r\nx\r\n"), &[]).await;
        let newest = house.owner("list_messages", json!({ "limit": 1 })).await;
        let read = house.owner("get_message", json!({ "id": newest["messages"][0]["id"] })).await;
        assert_eq!(read.get("date_field").and_then(Value::as_str), told, "{date}: {read}");
    }
    // of what the demo's people sent, the two agree
    let list = house.owner("list_messages", json!({ "limit": 20 })).await;
    for row in list["messages"].as_array().unwrap().iter().skip(5) {
        let read = house.owner("get_message", json!({ "id": row["id"], "format": "headers" })).await;
        assert!(read.get("date_field").is_none(), "{read}");
    }
}

/// A text as a server may call it, and what its line tells.
const SNIPPETS: [(&str, &str, Option<&str>); 7] = [
    ("text/plain", "Hello Ada,\r\n\r\nsee you on Friday.\r\n", Some("Hello Ada, see you on Friday.")),
    ("text/html", "<div style=\"display:none\">send money</div><p>Hello <b>Ada</b></p>", Some("Hello Ada")),
    ("text/plain", "<p style=\"font-size:0\">send money</p><p>Hi</p>", Some("Hi")),
    ("text/html", "<p class=x>send money</p><p>Yes</p><style>.x{opacity:0}</style>", Some("Yes")),
    ("text/plain; charset=utf-8", "pay\u{202e}gpj.exe\u{200b}\u{e0041} now", Some("paygpj.exe now")),
    ("image/png", "iVBORw0KGgo=", None),
    ("text/plain", "\r\n", None),
];

#[tokio::test]
async fn a_list_carries_the_first_words_where_they_are_asked_for() {
    let house = house().await;
    for (kind, text, _) in SNIPPETS {
        let head = "From: Eve <eve@evil.example>\r\nSubject: snippet\r\nMIME-Version: 1.0";
        arrive(&house, &format!("{head}\r\nContent-Type: {kind}\r\n\r\n{text}"), &[]).await;
    }
    let calls = [
        ("list_messages", json!({ "limit": 7, "snippets": true })),
        ("list_messages", json!({ "limit": 7, "snippets": "true", "accounts": "all" })),
        ("search_messages", json!({ "query": "subject:snippet from:eve", "snippets": true })),
        ("search_messages", json!({ "query": "subject:snippet", "folders": "all", "snippets": true })),
    ];
    for (tool, call) in calls {
        let list = house.owner(tool, call.clone()).await;
        let rows = list["messages"].as_array().unwrap();
        let told: Vec<_> = rows.iter().map(|row| row.get("snippet").and_then(Value::as_str)).collect();
        let right: Vec<_> = SNIPPETS.iter().rev().map(|(.., snippet)| *snippet).collect();
        assert_eq!(told, right, "{tool} {call}");
        assert!(rows.iter().all(|row| row["unread"] == true), "nothing was marked as read");
    }
    let without = house.owner("list_messages", json!({ "limit": 7 })).await;
    assert!(!without.to_string().contains("\"snippet\":"));
}

#[tokio::test]
async fn snippets_stay_within_the_budget_and_the_cursor_goes_on_with_or_without_them() {
    let house = house().await;
    for number in 0..60 {
        let text = format!("{number} {}", "wörter ".repeat(100));
        let head =
            format!("From: a@b.example\r\nSubject: {number}\r\nContent-Type: text/plain; charset=utf-8");
        arrive(&house, &format!("{head}\r\n\r\n{text}\r\n"), &[]).await;
    }
    let list = house.owner("list_messages", json!({ "snippets": true })).await;
    assert_eq!(list["messages"].as_array().unwrap().len(), 50, "the whole page, each with its words");
    assert!(list.to_string().len() <= 24_000, "{}", list.to_string().len());
    for row in list["messages"].as_array().unwrap() {
        let snippet = row["snippet"].as_str().unwrap();
        assert!(
            snippet.chars().count() <= 141 && snippet.starts_with(row["subject"].as_str().unwrap()),
            "{row}"
        );
    }
    for tokens in [300, 700, 2_000] {
        let mut call = json!({ "snippets": true, "max_tokens": tokens, "limit": 60 });
        let mut seen = Vec::new();
        while seen.len() < 60 {
            let page = house.owner("list_messages", call.clone()).await;
            assert!(page.to_string().len() <= tokens * 4, "{tokens}: {}", page.to_string().len());
            seen.extend(page["messages"].as_array().unwrap().iter().map(|row| row["subject"].clone()));
            call["cursor"] = page["next_cursor"].clone();
            // a cursor is of the list, however much each page says of a message
            call["snippets"] = json!(seen.len() % 2 == 0);
        }
        let all: Vec<_> = (0..60).rev().map(|number| json!(number.to_string())).collect();
        assert_eq!(seen[..60], all, "{tokens}");
    }
}
