//! Searches of servers that find too much: what is told is what was looked at.

use crate::scripted::{Scripted, scripted, scripted_of, uids};
use imapmcp_testkit::servers::{Features, Lie};
use serde_json::{Value, json};
use std::time::Duration;

fn rows(answer: &Value) -> Vec<u32> {
    let uid = |row: &Value| row["id"].as_str().unwrap().rsplit_once('-').unwrap().1.parse().unwrap();
    answer["messages"].as_array().unwrap().iter().map(uid).collect()
}

async fn found(house: &Scripted, lie: Lie, call: Value) -> Value {
    house.lied_to(&[lie], "search_messages", call).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_hits_that_do_not_exist_hide_none_that_do() {
    for features in [Features::modern(), Features::modern().without("ESEARCH")] {
        // the server needs its time for as many
        let house = scripted_of(features, Duration::from_mins(1)).await;
        let mut real = uids(&house.fill("INBOX", 8));
        let lies: Vec<u32> =
            real.iter().copied().chain((0..1_000_000).map(|number| 1_001 + 2 * number)).collect();
        let answer = found(&house, Lie::SearchesFor(lies), json!({ "subject": "number" })).await;
        real.reverse();
        assert_eq!((rows(&answer), &answer["total"]), (real, &json!(8)), "{answer}");
        assert!(answer.get("next_cursor").is_none() && answer.get("unchecked").is_none(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_alone_make_no_page() {
    let house = scripted(Features::modern()).await;
    let wanted = house.deliver("INBOX", "Message-ID: <w@x>\r\nSubject: wanted\r\n\r\nx\r\n", -100);
    house.fill("INBOX", 1_500);
    house.server.take_commands();
    let answer = found(&house, Lie::SearchesAll, json!({ "subject": "wanted", "limit": 10 })).await;
    assert_eq!((rows(&answer), &answer["total"]), (vec![wanted], &json!(1)), "{answer}");
    assert!(answer.get("next_cursor").is_none() && answer.get("total_exact").is_none(), "{answer}");
    let asked = house.server.take_commands().len();
    assert!(asked <= 20, "{asked} commands");
    let none = found(&house, Lie::SearchesAll, json!({ "subject": "nobody" })).await;
    assert_eq!((rows(&none), &none["total"]), (vec![], &json!(0)), "{none}");
    let plan = json!({ "query": "subject:wanted", "action": "flag" });
    let plan = house.lied_to(&[Lie::SearchesAll], "plan_bulk", plan).await.unwrap();
    assert_eq!((&plan["count"], &plan["more"]), (&json!(1), &json!(false)), "{plan}");
}

/// Where dates and UIDs disagree, pages go by date.
#[tokio::test(flavor = "multi_thread")]
async fn lies_alone_make_no_page_where_dates_lead() {
    let house = scripted(Features::modern()).await;
    let subject = |number: i64| if (12..300).contains(&number) { "other" } else { "wanted" };
    let mut wanted = Vec::new();
    for number in (0..310).rev() {
        let message = format!("Message-ID: <d{number}@x>\r\nSubject: {}\r\n\r\nx\r\n", subject(number));
        let uid = house.deliver("INBOX", &message, number);
        wanted.extend((subject(number) == "wanted").then_some((number, uid)));
    }
    wanted.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
    let (mut came, mut call) = (Vec::new(), json!({ "subject": "wanted", "limit": 10 }));
    for _ in 0..10 {
        let answer = found(&house, Lie::SearchesAll, call.clone()).await;
        assert!(!rows(&answer).is_empty(), "{answer}");
        came.extend(rows(&answer));
        match answer.get("next_cursor") {
            Some(cursor) => call["cursor"] = cursor.clone(),
            None => break,
        }
    }
    assert_eq!(came, wanted.into_iter().map(|(_, uid)| uid).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_looked_at_is_told() {
    let house = scripted(Features::modern()).await;
    house.fill("INBOX", 300);
    let call = json!({ "subject": "number 2", "limit": 5 });
    let answer = found(&house, Lie::SearchesAll, call).await;
    assert_eq!(rows(&answer).len(), 5, "{answer}");
    assert_eq!(
        (&answer["total_exact"], answer["unchecked"].as_u64()),
        (&json!(false), Some(295)),
        "{answer}"
    );
    let honest = found(&house, Lie::Jumps, json!({ "subject": "number 2", "limit": 5 })).await;
    assert!(honest.get("total_exact").is_none() && honest.get("unchecked").is_none(), "{honest}");
    assert_eq!(honest["total"], json!(111), "{honest}");
    // so does a list with conditions
    let list = json!({ "unread_only": true, "limit": 5 });
    house.owner("mark_read", json!({ "uids": [298, 299, 300] })).await;
    let list = house.lied_to(&[Lie::SearchesAll], "list_messages", list).await.unwrap();
    assert_eq!((rows(&list), &list["total_exact"]), (vec![297, 296, 295, 294, 293], &json!(false)), "{list}");
    assert_eq!(list["unchecked"].as_u64(), Some(292), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_counts_only_what_was_checked() {
    let house = scripted(Features::modern()).await;
    let all = uids(&house.fill("INBOX", 60));
    house.owner("flag_messages", json!({ "uids": all[..7] })).await;
    let plan = json!({ "query": "is:flagged", "action": "mark_read" });
    for lie in [
        Lie::SearchesAll,
        Lie::SearchesFor((1..=5_000).collect()),
        Lie::SearchesFor((0..900).map(|n| n * 3 + 1).collect()),
    ] {
        let real = if matches!(&lie, Lie::SearchesFor(uids) if uids.len() == 900) { 3 } else { 7 };
        let told = format!("{lie:?}").chars().take(60).collect::<String>();
        let plan = house.lied_to(&[lie], "plan_bulk", plan.clone()).await.unwrap();
        assert_eq!(plan["count"], json!(real), "{told}: {plan}");
        assert_eq!(plan["samples"].as_array().unwrap().len(), real, "{told}: {plan}");
    }
    let texts = json!({ "query": "body:nowhere after:2020-01-01", "action": "delete" });
    let refused = house.lied_to(&[Lie::SearchesAll], "plan_bulk", texts).await.unwrap_err();
    assert_eq!(refused["code"], "invalid_argument", "{refused}");
}
