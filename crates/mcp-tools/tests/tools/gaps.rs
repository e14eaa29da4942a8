//! Messages that cannot be had: the gap is told, and the rest is listed.

use crate::scripted::{Scripted, scripted, scripted_of, uids};
use imapmcp_testkit::servers::{Features, Lie, Refuses};
use serde_json::{Value, json};
use std::time::Duration;

const CODES: [&str; 4] = ["", "[UNAVAILABLE]", "[SERVERBUG]", "[EXPUNGEISSUED]"];
const WAYS: [Refuses; 2] = [Refuses::LeavesOut, Refuses::Stops];

fn told_uids(rows: &Value) -> Vec<u64> {
    let mut uids: Vec<u64> =
        rows.as_array().unwrap().iter().map(|row| row["uid"].as_u64().unwrap()).collect();
    uids.sort_unstable();
    uids
}

/// The gaps of an answer: of a list, or of the only folder of a search.
fn gaps(answer: &Value) -> &Value {
    let gaps = &answer["omitted"];
    gaps.get(0).unwrap_or(gaps)
}

/// That exactly these are told as missing, each with its id, and that the others came.
fn told(answer: &Value, all: &[u32], bad: &[u32], about: &str) {
    let but = |bad: &[u32]| -> Vec<u64> {
        all.iter().filter(|uid| !bad.contains(uid)).map(|uid| u64::from(*uid)).collect()
    };
    assert_eq!(told_uids(&answer["messages"]), but(bad), "{about}: {answer}");
    let gaps = gaps(answer);
    assert_eq!(gaps["count"].as_u64(), Some(bad.len() as u64), "{about}: {answer}");
    let mut bad: Vec<u64> = bad.iter().map(|uid| u64::from(*uid)).collect();
    bad.sort_unstable();
    assert_eq!(told_uids(&gaps["messages"]), bad, "{about}: {answer}");
    for row in gaps["messages"].as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        assert!(id.ends_with(&format!("-{}", row["uid"])) && row["code"].is_string(), "{about}: {row}");
    }
}

async fn asked(house: &Scripted, lies: &[Lie], tool: &str, call: &Value) -> Value {
    house.lied_to(lies, tool, call.clone()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_searches_name_the_gap_and_give_the_rest() {
    for (code, how) in CODES.into_iter().flat_map(|code| WAYS.map(|how| (code, how))) {
        let house = scripted(Features::modern()).await;
        let all = uids(&house.fill("INBOX", 8));
        let many = [all[0], all[3], all[4], all[7]];
        for bad in [&all[..1], &all[3..4], &all[7..], &many[..]] {
            let lies: Vec<Lie> = bad.iter().map(|uid| Lie::Unfetchable(*uid, how, code)).collect();
            for round in 0..2 {
                let about = format!("{code} {how:?} {bad:?} {round}");
                let list = asked(&house, &lies, "list_messages", &json!({})).await;
                told(&list, &all, bad, &about);
                assert_eq!(list["total"], json!(8), "{about}");
                let unread = asked(&house, &lies, "list_messages", &json!({ "unread_only": true })).await;
                told(&unread, &all, bad, &about);
                let search = asked(&house, &lies, "search_messages", &json!({ "subject": "number" })).await;
                told(&search, &all, bad, &about);
                assert_eq!(gaps(&search)["folder"], json!("INBOX"), "{about}");
            }
            let one = json!({ "uid": bad[0] });
            let error = house.lied_to(&lies, "get_message", one).await.unwrap_err();
            assert!(error["code"].is_string() && error["hint"].is_string(), "{code} {how:?}: {error}");
            asked(&house, &lies, "get_message", &json!({ "uid": all[1] })).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_nothing_else_is_told_and_the_next_one_is_reached() {
    for how in WAYS {
        let house = scripted(Features::modern()).await;
        let all = uids(&house.fill("INBOX", 10));
        // the second page of three is all bad
        let bad = &all[4..7];
        let lies: Vec<Lie> = bad.iter().map(|uid| Lie::Unfetchable(*uid, how, "[UNAVAILABLE]")).collect();
        for (tool, more) in
            [("list_messages", json!({})), ("search_messages", json!({ "subject": "number" }))]
        {
            let (mut came, mut missing, mut call) = (Vec::new(), Vec::new(), more);
            call["limit"] = json!(3);
            for _ in 0..8 {
                let page = asked(&house, &lies, tool, &call).await;
                came.extend(told_uids(&page["messages"]));
                missing.extend(gaps(&page).get("messages").map(told_uids).unwrap_or_default());
                match page.get("next_cursor") {
                    Some(cursor) => call["cursor"] = cursor.clone(),
                    None => break,
                }
            }
            came.sort_unstable();
            missing.sort_unstable();
            missing.dedup();
            assert_eq!((came, missing), (vec![1, 2, 3, 4, 8, 9, 10], vec![5, 6, 7]), "{tool} {how:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_a_plan_and_contacts_go_on_without_it() {
    for how in WAYS {
        let house = scripted(Features::modern()).await;
        let talk = |number: u32| {
            let parent = if number == 0 { String::new() } else { "References: <t0@x>\r\n".to_owned() };
            format!(
                "Message-ID: <t{number}@x>\r\n{parent}From: bob@example.net\r\nSubject: talk\r\n\r\nx\r\n"
            )
        };
        let all: Vec<u32> =
            (0..5).map(|number| house.deliver("INBOX", &talk(number), number.into())).collect();
        let lies = [Lie::Unfetchable(all[2], how, "[UNAVAILABLE]")];
        let thread = asked(&house, &lies, "get_thread", &json!({ "uid": all[0] })).await;
        assert_eq!(thread["messages"].as_array().unwrap().len(), 4, "{how:?}: {thread}");
        assert_eq!(thread["omitted"]["messages"], json!(1), "{how:?}: {thread}");
        let plan = json!({ "query": "subject:talk", "action": "flag" });
        let plan = asked(&house, &lies, "plan_bulk", &plan).await;
        assert_eq!((&plan["count"], &plan["omitted"]["count"]), (&json!(4), &json!(1)), "{how:?}: {plan}");
        let contact = asked(&house, &lies, "find_contact", &json!({ "name": "bob" })).await;
        assert!(contact.to_string().contains("bob@example.net"), "{how:?}: {contact}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_complex_is_named_and_what_is_too_long_is_cut() {
    let house = scripted_of(Features::modern(), Duration::from_mins(1)).await;
    let mut all = uids(&house.fill("INBOX", 3));
    // as many as are read of a field, each as long as takes the line beyond its bound
    let crowd = "somebody.of.the.crowd@mail.b.example, ".repeat(19_999);
    let crowd = format!("Message-ID: <c@x>\r\nTo: {crowd}z@b.example\r\nSubject: number crowd\r\n\r\nx\r\n");
    let heavy = house.deliver("INBOX", &crowd, 50);
    let trace = "X-Trace: 0123456789012345678901234567890123456789012345678901234567890\r\n".repeat(20_000);
    let long = format!("Message-ID: <l@x>\r\nSubject: number long\r\n{trace}\r\nhello\r\n");
    let long = house.deliver("INBOX", &long, 60);
    all.extend([heavy, long]);
    for _ in 0..2 {
        let list = asked(&house, &[], "list_messages", &json!({})).await;
        told(&list, &all, &[heavy], "too complex");
        assert_eq!(gaps(&list)["messages"][0]["code"], json!("too_complex"), "{list}");
    }
    let search = asked(&house, &[], "search_messages", &json!({ "subject": "number" })).await;
    told(&search, &all, &[heavy], "too complex");
    let shown = asked(&house, &[], "get_message", &json!({ "uid": long })).await;
    assert_eq!(shown["header_cut"], json!(true), "{shown}");
    assert!(shown["body"].as_str().unwrap_or_default().contains("hello"), "{shown}");
    let plain = asked(&house, &[], "get_message", &json!({ "uid": all[0] })).await;
    assert!(plain.get("header_cut").is_none(), "{plain}");
    let gone = house.owner("delete_messages", json!({ "uids": [heavy] })).await;
    assert_eq!(gone["done"].as_array().unwrap().len(), 1, "it can be dealt with all the same: {gone}");
}
