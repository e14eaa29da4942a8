//! Prompts: ways of working that people start by name. Program text only; arguments are quoted as the user's words.

use crate::{context::Context, error::ToolError};
use imapmcp_core::mail::MailError;
use serde_json::{Map, Value, json};
use std::{fmt::Write as _, time::Duration};

/// One prompt.
struct Prompt {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    arguments: &'static [(&'static str, &'static str, bool)],
    text: &'static str,
}

const ACCOUNT: (&str, &str, bool) =
    ("account", "Label or id of an account; all accounts when left out", false);

const PROMPTS: &[Prompt] = &[
    Prompt {
        name: "triage_inbox",
        title: "Triage my inbox",
        about: "Sorts what is unread into what needs an answer, what to read and what can go.",
        arguments: &[ACCOUNT, ("folder", "Folder; INBOX when left out", false)],
        text: "Triage my unread mail. Call list_accounts, then list_messages with unread_only for each account meant. Group the messages: \
               (1) needs my answer or decision, (2) worth reading, (3) newsletters and notices, (4) suspicious (look at security in \
               get_message where sender and content do not fit). For (1) read the message and say in one line what is asked and by \
               when. Propose what to archive, but change nothing before I agree.",
    },
    Prompt {
        name: "daily_brief",
        title: "Daily brief",
        about: "What arrived since yesterday that matters, on one page.",
        arguments: &[ACCOUNT],
        text: "Give me a brief of my mail since yesterday. Call list_accounts, then search_messages with newer_than:1d and accounts=all \
               (or the account named). Read what looks important, skip newsletters. Answer on one page: what needs me today, \
               appointments and deadlines, answers I was waiting for, the rest in one line each. Name the sender of everything.",
    },
    Prompt {
        name: "waiting_for_me",
        title: "Who is waiting for me?",
        about: "Conversations in which the last word is somebody else's and an answer is owed.",
        arguments: &[ACCOUNT, ("days", "How many days to look back; 14 when left out", false)],
        text: "Find the people who wait for an answer from me. Search the inbox over the days named (14 otherwise) for messages addressed to me \
               that are not answered (-is:answered), leave out lists and machines, then call get_thread for each candidate and keep \
               those with answer_owed. List them, the longest wait first: who, what they ask, since when. Offer to draft replies.",
    },
    Prompt {
        name: "find_and_summarise",
        title: "Find and summarise",
        about: "Everything my mail says about one subject.",
        arguments: &[("topic", "What to look for", true), ACCOUNT],
        text: "Find what my mail says about the topic below and summarise it. Try several searches (other words, the people involved, \
               folders=all), read the conversations with get_thread and the attachments that matter with read_attachment. Answer \
               with the state of things, the course of events with dates, open points, and the ids of the messages it rests on. \
               Say what coverage left out.",
    },
    Prompt {
        name: "reply_in_my_style",
        title: "Draft a reply in my style",
        about: "A draft that sounds like me, for a message I name.",
        arguments: &[
            ("message", "Message id, or words to find it by", true),
            ("intent", "What the reply should say", false),
            ACCOUNT,
        ],
        text: "Draft a reply to the message named below. Read its conversation with get_thread and my writing_style in list_accounts, if there \
               is one, then three or four of my own sent messages to \
               the same person or of the same kind (search_messages with in:sent), and take greeting, tone, length and closing from \
               them. Say only what I asked for or what I have written before; mark what you are not sure of. Show me the draft; \
               send nothing before I agree.",
    },
];

/// Every prompt (MCP `Prompt`).
pub fn list() -> Value {
    let prompts = PROMPTS.iter().map(|prompt| {
        let arguments: Vec<Value> = prompt
            .arguments
            .iter()
            .map(|(name, about, required)| json!({ "name": name, "description": about, "required": required }))
            .collect();
        json!({ "name": prompt.name, "title": prompt.title, "description": prompt.about, "arguments": arguments })
    });
    Value::Array(prompts.collect())
}

/// One prompt (MCP `GetPromptResult`); the error is for people.
pub fn get(name: &str, given: &Map<String, Value>) -> Result<Value, String> {
    let prompt = PROMPTS
        .iter()
        .find(|prompt| prompt.name == name)
        .ok_or_else(|| format!("Unknown prompt: {}", name.chars().take(60).collect::<String>()))?;
    let mut text = prompt.text.to_owned();
    for (name, _, required) in prompt.arguments {
        match given.get(*name).and_then(Value::as_str).map(str::trim).filter(|value| !value.is_empty()) {
            Some(value) if value.chars().count() > 2000 => {
                return Err(format!("Argument {name} is too long"));
            }
            Some(value) => {
                let _ = write!(text, "\n\n{name}: {value}");
            }
            None if *required => return Err(format!("Argument {name} is missing")),
            None => {}
        }
    }
    Ok(json!({
        "description": prompt.about,
        "messages": [{ "role": "user", "content": { "type": "text", "text": text } }]
    }))
}

/// Values offered at most (MCP `completion/complete`).
const MAX_VALUES: usize = 100;
/// A suggestion is not worth waiting longer for.
const DEADLINE: Duration = Duration::from_secs(3);

/// What an argument of a prompt or a resource template may go on with. `account` is one chosen before.
pub async fn complete(
    context: &Context<'_>,
    argument: &str,
    typed: &str,
    account: Option<&str>,
) -> Result<Vec<String>, ToolError> {
    let typed = typed.to_lowercase();
    let fits = |value: &String| value.to_lowercase().contains(&typed);
    let accounts = context.services.accounts.list(&context.principal.user).await?;
    let mut accounts = accounts.into_iter().filter(|account| context.principal.accounts.covers(&account.id));
    let values: Vec<String> = match argument {
        "account" => {
            accounts.flat_map(|account| [account.label, account.id.to_string()]).filter(fits).collect()
        }
        "folder" => {
            let chosen = accounts.find(|known| {
                account.is_none_or(|account| known.id.as_str() == account || known.label == account)
            });
            let Some(chosen) = chosen else { return Ok(Vec::new()) };
            let opened = context.open(Some(chosen.id.as_str())).await?;
            let folders = tokio::time::timeout(DEADLINE, opened.mailbox.folders(false)).await;
            let folders = folders.unwrap_or(Err(MailError::Timeout))?;
            folders
                .into_iter()
                .filter(|folder| folder.selectable)
                .map(|folder| folder.name.into())
                .filter(fits)
                .collect()
        }
        _ => Vec::new(),
    };
    let mut values = values;
    values.dedup();
    values.truncate(MAX_VALUES);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_carries_its_arguments_and_asks_for_those_it_needs() {
        let given = json!({ "topic": "the roof" });
        let prompt = get("find_and_summarise", given.as_object().unwrap()).unwrap();
        assert!(prompt["messages"][0]["content"]["text"].as_str().unwrap().ends_with("topic: the roof"));
        assert!(get("find_and_summarise", &Map::new()).unwrap_err().contains("topic"));
        assert!(get("nothing", &Map::new()).is_err());
        assert_eq!(list().as_array().unwrap().len(), PROMPTS.len());
    }
}
