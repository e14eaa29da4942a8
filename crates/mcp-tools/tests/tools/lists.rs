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
