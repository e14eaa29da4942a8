//! What becomes of each message that a tool is asked to change: it stands in exactly one list, and what is told as done
//! is done, whatever the server does.

use crate::scripted::{Places, Really, Scripted, scripted, uids};
use futures_util::{StreamExt, stream};
use imapmcp_mcp_tools::{
    reference, registry,
    spec::{self, Spec},
};
use imapmcp_testkit::servers::{Features, Lie};
use serde_json::{Value, json};

/// What a tool does to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Sets(&'static str),
    Clears(&'static str),
    Moves(&'static str),
    Copies(&'static str),
    Removes,
}

/// A call, but for its messages.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(crate) tool: &'static str,
    pub(crate) effect: Effect,
    more: Value,
}

pub(crate) fn acts() -> Vec<Act> {
    use Effect::{Clears, Copies, Moves, Removes, Sets};
    [
        ("mark_read", Sets("\\Seen"), json!({})),
        ("mark_unread", Clears("\\Seen"), json!({})),
        ("flag_messages", Sets("\\Flagged"), json!({})),
        ("unflag_messages", Clears("\\Flagged"), json!({})),
        ("set_flags", Sets("$Later"), json!({ "add": ["$Later"], "remove": ["$Now"] })),
        ("archive_messages", Moves("Archive"), json!({})),
        ("move_messages", Moves("Trash"), json!({ "to_folder": "Trash" })),
        ("copy_messages", Copies("Archive"), json!({ "to_folder": "Archive" })),
        ("delete_messages", Moves("Trash"), json!({})),
        ("delete_messages", Removes, json!({ "permanent": true })),
    ]
    .into_iter()
    .map(|(tool, effect, more)| Act { tool, effect, more })
    .collect()
}

impl Act {
    /// With these messages.
    pub(crate) fn of(&self, messages: &Value) -> Value {
        let mut call = self.more.clone();
        call.as_object_mut().unwrap().extend(messages.as_object().unwrap().clone());
        call
    }
}

impl Effect {
    /// Whether it was done to a message of that folder, by where the message lay and lies.
    pub(crate) fn is_done(self, from: &str, now: Option<&Places>) -> bool {
        let none = Places::new();
        let now = now.unwrap_or(&none);
        let here = now.iter().filter(|(folder, ..)| folder == from);
        let flagged = |word: &str| here.clone().any(|(_, _, flags)| flags.iter().any(|flag| flag == word));
        match self {
            Self::Sets(word) => flagged(word),
            Self::Clears(word) => here.clone().count() > 0 && !flagged(word),
            Self::Moves(to) => here.count() == 0 && now.iter().any(|(folder, ..)| folder == to),
            Self::Copies(to) => here.count() > 0 && now.iter().any(|(folder, ..)| folder == to),
            Self::Removes => here.count() == 0,
        }
    }
}

/// Whether a tool takes several messages and tells what became of them, or of a plan or change of several.
fn tells_fates(tool: &Spec) -> bool {
    let takes = |name: &str| tool.fields.iter().any(|field| field.name() == name);
    let tells = |member: &str| tool.output.contains(&member);
    let takes = |name: &str| tool.effect != spec::Effect::Reads && takes(name);
    takes("ids") || takes("uids") || tells("done") || tells("failed") || tells("unknown") || tells("undone")
}

#[test]
fn every_tool_that_tells_fates_is_tried_here() {
    let mut tried: Vec<&str> = acts().iter().map(|act| act.tool).collect();
    tried.extend(crate::plans::TRIED);
    for tool in registry::TOOLS.iter().filter(|tool| tells_fates(tool)) {
        assert!(tried.contains(&tool.name), "{} is not held against servers that lie", tool.name);
    }
}

/// What may go wrong with one command.
fn of_verb(verb: &'static str) -> Vec<Lie> {
    let mut lies = vec![
        Lie::Refuses(verb, ""),
        Lie::Refuses(verb, "[UNAVAILABLE]"),
        Lie::Refuses(verb, "[OVERQUOTA]"),
        Lie::Refuses(verb, "[EXPUNGEISSUED]"),
        Lie::Refuses(verb, "[TRYCREATE]"),
        Lie::Misunderstands(verb),
        Lie::Rebuilds(verb),
        Lie::Dies(verb),
        Lie::Drops(verb),
        Lie::HangsUp(verb),
        Lie::Vanishes(verb),
    ];
    if ["STORE", "MOVE", "COPY", "EXPUNGE"].contains(&verb) {
        lies.push(Lie::Halves(verb));
    }
    lies
}

/// What a server may do wrong while messages are changed by these commands, without making anybody wait.
pub(crate) fn quick_lies(verbs: &[&'static str]) -> Vec<Lie> {
    let mut lies = Lie::OF_CHANGES.to_vec();
    lies.extend([Lie::Limits(2), Lie::Limits(1)]);
    lies.extend(["SELECT", "NOOP", "FETCH"].into_iter().flat_map(of_verb));
    lies.extend(verbs.iter().flat_map(|verb| of_verb(verb)));
    lies
}

/// Each costs a time-out.
pub(crate) fn slow_lies() -> Vec<Lie> {
    let verbs = ["SELECT", "FETCH", "STORE", "MOVE", "COPY", "EXPUNGE"];
    verbs.into_iter().flat_map(|verb| [Lie::Silent(verb), Lie::Mutes(verb)]).collect()
}

/// A message asked for: its folder, its UID there, and its Message-ID if it exists.
type Asked = (String, u32, Option<String>);

/// Rows of an answer, as folder and UID, each with its row.
fn rows<'a>(answer: &'a Value, member: &str) -> Vec<((String, u32), &'a Value)> {
    let place = |row: &Value| {
        let at = reference::decode(row["id"].as_str().unwrap()).unwrap().at;
        (at.folder.into(), at.uid)
    };
    answer[member].as_array().unwrap().iter().map(|row| (place(row), row)).collect()
}

/// Everything that was asked for stands in one list, with its truth.
fn judged(
    act: &Act,
    lies: &[Lie],
    (asked, before, now): (&[Asked], &Really, &Really),
    answer: &Result<Value, Value>,
    told: &str,
) {
    // another program may remove a message right after it was changed: before the next folder is opened, too
    let removed_later = [Lie::Vanishes("NOOP"), Lie::Vanishes("SELECT")].iter().any(|lie| lies.contains(lie));
    let message = |place: &(String, u32)| {
        let found = asked.iter().find(|(folder, uid, _)| (folder, uid) == (&place.0, &place.1));
        found.and_then(|(.., id)| id.clone())
    };
    let unchanged = |id: &String| now.get(id).is_none_or(|places| Some(places) == before.get(id));
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            assert!(error["code"].is_string() && error["hint"].is_string(), "{told}: {error}");
            let changed = asked.iter().filter_map(|(.., id)| id.as_ref()).find(|id| !unchanged(id));
            assert_eq!(changed, None, "{told}: an error, and changed: {error}");
            return;
        }
    };
    let mut listed: Vec<(String, u32)> =
        ["done", "failed", "unknown"].iter().flat_map(|list| rows(answer, list)).map(|(at, _)| at).collect();
    listed.sort_unstable();
    let mut all: Vec<_> = asked.iter().map(|(folder, uid, _)| (folder.clone(), *uid)).collect();
    all.sort_unstable();
    assert_eq!(listed, all, "{told}: each once: {answer}");
    for (place, row) in rows(answer, "done") {
        let id = message(&place).unwrap_or_else(|| panic!("{told}: done to none: {answer}"));
        let stays = now.get(&id).is_some_and(|places| places.iter().any(|(folder, ..)| *folder == place.0));
        let is_done = act.effect.is_done(&place.0, now.get(&id)) || (removed_later && !stays);
        assert!(is_done, "{told}: told as done: {row} {:?}", now.get(&id));
        if let Some(new) = row["new_id"].as_str() {
            let at = reference::decode(new).unwrap().at;
            let there = |places: &Places| {
                places.iter().any(|(folder, uid, _)| (folder.as_str(), *uid) == (at.folder.as_str(), at.uid))
            };
            assert!(now.get(&id).is_some_and(there), "{told}: it is not there: {row}");
        }
    }
    for (place, row) in rows(answer, "failed") {
        assert!(row["code"].is_string() && row["hint"].is_string(), "{told}: {row}");
        let Some(id) = message(&place) else { continue };
        let copied = row["code"] == "copied_not_removed";
        let stays = now.get(&id).is_some_and(|places| places.iter().any(|(folder, ..)| *folder == place.0));
        let same = if copied { stays } else { unchanged(&id) };
        assert!(same, "{told}: told as failed: {row} {:?}", now.get(&id));
    }
}

/// Asks for messages of two folders, some twice, one that never was.
async fn asked(house: &Scripted, act: &Act, by_uid: bool) -> (Vec<Asked>, Value) {
    let others = house.fill("INBOX", 4);
    let ours = house.fill("INBOX", 5);
    let theirs = if by_uid { vec![] } else { house.fill("Projects", 3) };
    let of = |folder: &str, (uid, id): &(u32, String)| (folder.to_owned(), *uid, Some(id.clone()));
    let mut asked: Vec<Asked> = ours.iter().map(|one| of("INBOX", one)).collect();
    asked.extend(theirs.iter().map(|one| of("Projects", one)));
    asked.push(of("INBOX", &others[0]));
    asked.push(("INBOX".to_owned(), 99_999, None));
    let call = if by_uid {
        let mut uids: Vec<u32> = asked.iter().map(|(_, uid, _)| *uid).rev().collect();
        uids.push(uids[0]);
        let field = if act.more.get("to_folder").is_some() { "from_folder" } else { "folder" };
        json!({ field: "inbox", "uids": uids })
    } else {
        let mut ids = Vec::new();
        for (folder, uid, _) in asked.iter().rev() {
            ids.push(house.id(folder, *uid).await);
        }
        ids.extend(ids[2..5].to_vec());
        json!({ "ids": ids })
    };
    (asked, act.of(&call))
}

async fn tried(house: &Scripted, lies: &[Lie], act: &Act, by_uid: bool) {
    let told = format!("{} {:?} by uid {by_uid}: {lies:?} {:?}", act.tool, act.effect, house.features);
    house.clear().await;
    let (asked, call) = asked(house, act, by_uid).await;
    let marks = json!({ "uids": [asked[0].1, asked[1].1], "add": ["\\Seen", "\\Flagged"] });
    house.owner("set_flags", marks).await;
    house.look_around().await;
    let before = house.really().await;
    let answer = house.lied_to(lies, act.tool, call).await;
    let now = house.really().await;
    judged(act, lies, (&asked, &before, &now), &answer, &told);
}

/// Whether a server is left alone for a while after this, or its connections stay as they are.
pub(crate) fn is_lasting(lie: &Lie) -> bool {
    matches!(lie, Lie::Refuses(_, "[UNAVAILABLE]") | Lie::ReadOnly | Lie::Rebuilds(_))
}

/// One act after the other, each under its lie.
async fn tried_in_turn(features: Features, tries: Vec<(Lie, Act, bool)>) {
    let mut house = scripted(features.clone()).await;
    for (lie, act, by_uid) in tries {
        tried(&house, std::slice::from_ref(&lie), &act, by_uid).await;
        if is_lasting(&lie) {
            house = scripted(features.clone()).await;
        }
    }
}

/// Runs them side by side, some at a time, so that time-outs are waited for together; tells of all that failed.
pub(crate) async fn all_of(tries: impl IntoIterator<Item = impl Future<Output = ()> + Send + 'static>) {
    let tries = stream::iter(tries).map(tokio::spawn).buffer_unordered(16);
    let failed = tries.filter(|done| std::future::ready(done.is_err())).count().await;
    assert_eq!(failed, 0, "see above");
}

/// Acts that are one mechanism, with the commands they are made of; they take turns.
fn of_kind(is: fn(Effect) -> bool, verbs: &[&'static str]) -> Vec<(Lie, Act, bool)> {
    let acts: Vec<Act> = acts().into_iter().filter(|act| is(act.effect)).collect();
    let lies = quick_lies(verbs).into_iter().enumerate();
    lies.map(|(number, lie)| (lie, acts[number % acts.len()].clone(), number % 2 == 1)).collect()
}

const FLAGS: fn(Effect) -> bool = |effect| matches!(effect, Effect::Sets(_) | Effect::Clears(_));
const MOVES: fn(Effect) -> bool = |effect| matches!(effect, Effect::Moves(_));
const COPIES: fn(Effect) -> bool = |effect| matches!(effect, Effect::Copies(_));
const REMOVES: fn(Effect) -> bool = |effect| effect == Effect::Removes;

#[tokio::test(flavor = "multi_thread")]
async fn each_message_is_in_one_list_and_done_is_done() {
    let modern = Features::modern;
    let tries = [
        (modern(), of_kind(FLAGS, &["STORE"])),
        (modern(), of_kind(MOVES, &["MOVE"])),
        (modern(), of_kind(COPIES, &["COPY"])),
        (modern(), of_kind(REMOVES, &["STORE", "EXPUNGE"])),
        (modern().without("MOVE"), of_kind(MOVES, &["COPY", "STORE", "EXPUNGE"])),
        (modern().without("UIDPLUS"), of_kind(MOVES, &["MOVE"])),
        (modern().without("UIDPLUS"), of_kind(COPIES, &["COPY"])),
        (Features::bare(), of_kind(FLAGS, &["STORE"])),
    ];
    all_of(tries.into_iter().map(|(features, tries)| tried_in_turn(features, tries))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_no_answer_leaves_no_message_out() {
    let chains = [Features::modern(), Features::modern().without("MOVE")].into_iter().flat_map(|features| {
        slow_lies().into_iter().map(move |lie| {
            let kinds = [FLAGS, MOVES, COPIES, REMOVES].into_iter();
            let acts = kinds.filter_map(|is| acts().into_iter().find(|act| is(act.effect)));
            tried_in_turn(features.clone(), acts.map(|act| (lie.clone(), act, false)).collect())
        })
    });
    all_of(chains).await;
}

#[tokio::test]
async fn a_message_named_by_id_and_by_uid_is_asked_for_once() {
    let house = scripted(Features::modern()).await;
    let uids: Vec<u32> = uids(&house.fill("INBOX", 3));
    let id = house.id("INBOX", uids[0]).await;
    for tool in ["mark_read", "archive_messages", "delete_messages"] {
        let call = json!({ "ids": [id, id], "folder": "Inbox", "uids": [uids[0], uids[1]] });
        let answer = house.owner(tool, call).await;
        let all: Vec<_> = ["done", "failed", "unknown"].iter().flat_map(|list| rows(&answer, list)).collect();
        assert_eq!(all.len(), 2, "{tool}: {answer}");
    }
}
