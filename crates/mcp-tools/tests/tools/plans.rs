//! What becomes of the messages of a plan, and of a change that is taken back.

use crate::{
    fates::{Effect, all_of, is_lasting, quick_lies},
    scripted::{Really, Scripted, scripted, uids},
};
use imapmcp_testkit::servers::{Features, Lie};
use serde_json::{Value, json};

/// Tools that are tried here.
pub(crate) const TRIED: [&str; 2] = ["run_plan", "undo_operation"];

/// Each way in which a plan changes messages.
const PLANS: [(&str, Effect); 3] = [
    ("move", Effect::Moves("Archive")),
    ("mark_read", Effect::Sets("\\Seen")),
    ("delete", Effect::Moves("Trash")),
];

async fn planned(house: &Scripted, action: &str) -> Value {
    let mut plan = json!({ "query": "subject:number", "action": action });
    if action == "move" {
        plan["to_folder"] = json!("Archive");
    }
    house.owner("plan_bulk", plan).await["plan_id"].clone()
}

fn count(answer: &Value, member: &str) -> usize {
    answer.get(member).map_or(0, |count| usize::try_from(count.as_u64().unwrap()).unwrap())
}

/// How many of these it was done to.
fn done(effect: Effect, ids: &[String], really: &Really) -> usize {
    ids.iter().filter(|id| effect.is_done("INBOX", really.get(*id))).count()
}

/// How many of these are not as they were.
fn changed(ids: &[String], before: &Really, now: &Really) -> usize {
    ids.iter().filter(|id| now.contains_key(*id) && now.get(*id) != before.get(*id)).count()
}

fn ids(messages: &[(u32, String)]) -> Vec<String> {
    messages.iter().map(|(_, id)| id.clone()).collect()
}

/// Whether a server with this lie may do more than it says, or other programs remove what was done.
fn blurs(lie: &Lie) -> bool {
    matches!(lie, Lie::Vanishes(_) | Lie::Halves("COPY"))
}

async fn plan_tried(house: &Scripted, lie: &Lie, (action, effect): (&str, Effect)) {
    let told = format!("{action}: {lie:?} {:?}", house.features);
    house.clear().await;
    let messages = ids(&house.fill("INBOX", 9));
    house.look_around().await;
    let plan = json!({ "plan_id": planned(house, action).await });
    let before = house.really().await;
    let answer = house.lied_to(std::slice::from_ref(lie), "run_plan", plan.clone()).await;
    let now = house.really().await;
    match answer {
        Ok(answer) => {
            let done_to = done(effect, &messages, &now);
            let all = ["done", "failed", "unknown"].map(|member| count(&answer, member));
            assert_eq!(all.iter().sum::<usize>(), 9, "{told}: {answer}");
            assert!(blurs(lie) || all[0] <= done_to, "{told}: told as done: {answer}, done to {done_to}");
            assert!(blurs(lie) || done_to <= all[0] + all[2], "{told}: {answer}, done to {done_to}");
        }
        Err(error) => {
            assert_eq!(changed(&messages, &before, &now), 0, "{told}: an error, and changed: {error}");
            if !is_lasting(lie) && !blurs(lie) {
                let later = house.lied_to(&[], "run_plan", plan).await;
                assert!(
                    later.as_ref().is_ok_and(|answer| count(answer, "done") == 9),
                    "{told}: it can be carried out later: {error} {later:?}"
                );
            }
        }
    }
}

/// Changes, honestly, and has the change taken back by a server that lies.
async fn undo_tried(house: &Scripted, lie: &Lie, tool: &str) {
    let told = format!("undo of {tool}: {lie:?} {:?}", house.features);
    house.clear().await;
    let (here, there) = (house.fill("INBOX", 6), house.fill("Projects", 3));
    let messages = [ids(&here), ids(&there)].concat();
    let mut named = house.ids("INBOX", uids(&here)).await;
    named.extend(house.ids("Projects", uids(&there)).await);
    // connections that the lie before hung up are found out before something is changed through them
    house.look_around().await;
    let before = house.really().await;
    let mut call = json!({ "ids": named });
    if tool != "mark_read" {
        call["to_folder"] = json!("Archive");
    }
    let changed_by = house.owner(tool, call).await;
    assert_eq!(changed_by["done"].as_array().unwrap().len(), 9, "{told}: {changed_by}");
    house.look_around().await;
    let between = house.really().await;
    let operation = json!({ "operation_id": changed_by["operation_id"] });
    let answer = house.lied_to(std::slice::from_ref(lie), "undo_operation", operation.clone()).await;
    let now = house.really().await;
    // a message that is moved back has a new UID
    let places = |really: &Really, id: &String| -> Vec<(String, Vec<String>)> {
        really
            .get(id)
            .into_iter()
            .flatten()
            .map(|(folder, _, flags)| (folder.clone(), flags.clone()))
            .collect()
    };
    let back = messages.iter().filter(|id| places(&now, id) == places(&before, id)).count();
    match answer {
        Ok(answer) => {
            let all = ["undone", "left", "unknown"].map(|member| count(&answer, member));
            assert_eq!(all.iter().sum::<usize>(), 9, "{told}: {answer}");
            assert!(blurs(lie) || all[0] <= back, "{told}: {answer}, and {back} are back");
            assert!(blurs(lie) || back <= all[0] + all[2], "{told}: {answer}, and {back} are back");
        }
        Err(error) => {
            assert_eq!(changed(&messages, &between, &now), 0, "{told}: an error, and changed: {error}");
            if !is_lasting(lie) && !blurs(lie) {
                let later = house.lied_to(&[], "undo_operation", operation).await;
                assert!(
                    later.as_ref().is_ok_and(|answer| count(answer, "undone") == 9),
                    "{told}: it can be taken back later: {error} {later:?}"
                );
            }
        }
    }
}

async fn tried_in_turn(features: Features, lies: Vec<Lie>, first: usize) {
    let mut house = scripted(features.clone()).await;
    let undoes = ["mark_read", "move_messages", "copy_messages"];
    for (number, lie) in lies.iter().enumerate() {
        plan_tried(&house, lie, PLANS[(number + first) % PLANS.len()]).await;
        if is_lasting(lie) {
            house = scripted(features.clone()).await;
        }
        undo_tried(&house, lie, undoes[(number + first + 1) % undoes.len()]).await;
        if is_lasting(lie) {
            house = scripted(features.clone()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_and_what_is_taken_back_count_every_message_once() {
    let (moves, copies) = (["STORE", "MOVE"], ["STORE", "COPY", "EXPUNGE"]);
    let modern = Features::modern;
    let tries = [
        (modern(), quick_lies(&moves), 0),
        (modern(), quick_lies(&moves), 1),
        (modern().without("MOVE"), quick_lies(&copies), 2),
    ];
    all_of(tries.into_iter().map(|(features, lies, first)| tried_in_turn(features, lies, first))).await;
}

/// The first 500 are in doubt, and the connection that would do the rest does not come about.
const BREAKS_OFF: [Lie; 2] = [Lie::Dies("MOVE"), Lie::Drops("SELECT")];

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_in_the_middle_tells_of_all_the_same() {
    let house = scripted(Features::modern()).await;
    house.fill("INBOX", 520);
    let plan = json!({ "plan_id": planned(&house, "move").await });
    let answer = house.lied_to(&BREAKS_OFF, "run_plan", plan).await.unwrap();
    let all = ["done", "failed", "unknown"].map(|member| count(&answer, member));
    assert_eq!((all, answer["problem"]["code"].is_string()), ([0, 20, 500], true), "{answer}");

    let house = scripted(Features::modern()).await;
    house.fill("INBOX", 520);
    let plan = json!({ "plan_id": planned(&house, "move").await });
    let moved = house.owner("run_plan", plan).await;
    assert_eq!(count(&moved, "done"), 520);
    house.owner("list_messages", json!({ "folder": "Archive" })).await;
    let operation = json!({ "operation_id": moved["operation_id"] });
    let answer = house.lied_to(&BREAKS_OFF, "undo_operation", operation).await.unwrap();
    let all = ["undone", "left", "unknown"].map(|member| count(&answer, member));
    assert_eq!((all, answer["problem"]["code"].is_string()), ([0, 500, 20], true), "{answer}");
}
