//! Several messages in one call.

use crate::house::house;
use serde_json::{Value, json};

/// An answer without what is new in each: marks and links.
fn lasting(message: &Value) -> Value {
    let mut message = message.clone();
    let text = message["body"].as_str().map(|text| text.lines().skip(1).map(str::len).collect::<Vec<_>>());
    message["body"] = json!(text);
    for file in message["attachments"].as_array_mut().into_iter().flatten() {
        file["url"] = Value::Null;
        file["expires_at"] = Value::Null;
    }
    message
}

fn ids(rows: &Value) -> Vec<String> {
    let rows = rows.as_array().into_iter().flatten();
    rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn twenty_messages_come_in_one_answer_within_its_budget_each_as_it_would_alone() {
    let house = house().await;
    let mut asked = ids(&house.owner("list_messages", json!({ "limit": 20 })).await["messages"]);
    let few = &asked[..3];
    let answer = house.owner("get_message", json!({ "ids": few, "max_tokens": 20_000 })).await;
    assert_eq!(ids(&answer["messages"]), few);
    for (message, id) in answer["messages"].as_array().unwrap().iter().zip(few) {
        let alone = house.owner("get_message", json!({ "id": id, "max_tokens": 20_000 })).await;
        assert_eq!(lasting(message), lasting(&alone));
    }
    asked.sort();
    for max_tokens in [20_000, 6000, 1500] {
        let answer = house.owner("get_message", json!({ "ids": asked, "max_tokens": max_tokens })).await;
        assert!(answer.to_string().len() <= max_tokens * 4, "{max_tokens}: {}", answer.to_string().len());
        let mut told = [ids(&answer["messages"]), ids(&answer["omitted"]["messages"])].concat();
        told.sort();
        assert_eq!(told, asked, "each stands in one place");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_takes_nothing_along() {
    let house = house().await;
    let list = house.owner("list_messages", json!({ "limit": 2 })).await;
    let (one, two) = (&list["messages"][0]["id"], &list["messages"][1]["id"]);
    let gone = one.as_str().unwrap().rsplit_once('-').unwrap().0.to_owned() + "-999999";
    let call = json!({ "ids": [one, "nonsense", gone, two], "format": "headers" });
    let answer = house.owner("get_message", call).await;
    assert_eq!(json!(ids(&answer["messages"])), json!([one, two]));
    assert_eq!(answer["omitted"]["count"], 2);
    let codes = answer["omitted"]["messages"].as_array().unwrap().iter().map(|row| row["code"].clone());
    assert_eq!(codes.collect::<Vec<_>>(), ["invalid_argument", "message_gone"], "{answer}");
    let single = house.owner("get_message", json!({ "ids": one })).await;
    assert_eq!(single["messages"][0]["id"], *one, "one entry is a list of one");
    for wrong in [
        json!({ "ids": [one], "id": two }),
        json!({ "ids": [one], "cursor": "100" }),
        json!({ "ids": vec![one; 21] }),
    ] {
        assert_eq!(
            house.code(&house.owner, "get_message", wrong.clone()).await,
            "invalid_argument",
            "{wrong}"
        );
    }
}
