//! What a tool answered, as a page to read. Clients take text and files as resources; JSON many of them refuse.

use serde_json::{Map, Value};

/// A page, and its media type.
pub(super) struct Page {
    pub(super) media_type: String,
    pub(super) text: String,
}

/// The answer of the tool that a resource is read through.
pub(super) fn of(tool: &str, answer: &Value) -> Page {
    let text = match tool {
        "get_message" => message(answer),
        "read_attachment" => document(answer),
        _ => messages(answer),
    };
    let own = answer["content_type"].as_str().filter(|_| tool == "read_attachment");
    let media_type = match own {
        // the text of a page, of a table or of a picture's frame is no longer of the file's type
        Some(kind) if kind.starts_with("text/") && kind != "text/html" => kind.to_owned(),
        Some(_) => "text/plain".to_owned(),
        None => "text/markdown".to_owned(),
    };
    Page { media_type, text }
}

/// One message: its header, what is to be known of it, its text between marks.
fn message(answer: &Value) -> String {
    let mut page = vec![format!("# {}", text(&answer["subject"]))];
    page.extend(["from", "to", "cc"].iter().filter_map(|name| line(name, &people(&answer[*name]))));
    page.extend(["date", "date_field", "id"].iter().filter_map(|name| line(name, &text(&answer[*name]))));
    page.extend(rest(answer, &["subject", "from", "to", "cc", "date", "date_field", "id", "body"]));
    page.push(format!("\n{}", text(&answer["body"])));
    page.join("\n")
}

/// A list or a conversation: its messages one after the other, then what is told of all of them.
fn messages(answer: &Value) -> String {
    let mut page = Vec::new();
    for row in answer["messages"].as_array().into_iter().flatten() {
        page.push(format!("## {}", text(&row["subject"])));
        page.extend(["from", "date", "id"].iter().filter_map(|name| line(name, &text(&row[*name]))));
        page.extend(rest(row, &["subject", "from", "date", "id", "uid", "body"]));
        let body = text(&row["body"]);
        page.push(if body.is_empty() { String::new() } else { format!("\n{body}\n") });
    }
    page.extend(rest(answer, &["messages"]));
    page.join("\n")
}

/// A file's text, and what of it is left out.
fn document(answer: &Value) -> String {
    let head = rest(answer, &["text"]);
    format!("{}\n\n{}", head.join("\n"), text(&answer["text"]))
}

fn line(name: &str, value: &str) -> Option<String> {
    (!value.is_empty()).then(|| format!("- {name}: {value}"))
}

/// The members that are not told yet.
fn rest(answer: &Value, told: &[&str]) -> Vec<String> {
    let says_something = |value: &Value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    let members: &Map<String, Value> = match answer {
        Value::Object(members) => members,
        _ => return Vec::new(),
    };
    let others =
        members.iter().filter(|(name, value)| !told.contains(&name.as_str()) && says_something(value));
    others.filter_map(|(name, value)| line(name, &text(value))).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `Name <a@b>, …`.
fn people(list: &Value) -> String {
    let person = |one: &Value| match one["name"].as_str() {
        Some(name) => format!("{name} <{}>", text(&one["email"])),
        None => text(&one["email"]),
    };
    list.as_array().into_iter().flatten().map(person).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_is_a_page_with_its_text_between_marks() {
        let answer = json!({
            "id": "a.1-2", "subject": "Roof", "from": [{ "name": "Marie", "email": "m@x.example" }],
            "to": [{ "email": "a@x.example" }], "security": { "reply_to_differs": true }, "attachments": [],
            "body": "<mail-1>\nHello\n</mail-1>"
        });
        let page = of("get_message", &answer);
        assert_eq!(page.media_type, "text/markdown");
        assert_eq!(
            page.text,
            "# Roof\n- from: Marie <m@x.example>\n- to: a@x.example\n- id: a.1-2\n- security: {\"reply_to_differs\":true}\n\n\
             <mail-1>\nHello\n</mail-1>"
        );
    }

    #[test]
    fn a_files_text_has_the_files_type_where_it_still_is_that() {
        for (own, told) in [
            ("text/csv", "text/csv"),
            ("text/plain", "text/plain"),
            ("text/calendar", "text/calendar"),
            ("text/html", "text/plain"),
            ("application/pdf", "text/plain"),
            ("image/png", "text/plain"),
        ] {
            let page =
                of("read_attachment", &json!({ "content_type": own, "kind": "x", "text": "<mail-1>" }));
            assert_eq!(page.media_type, told, "{own}");
            assert!(page.text.ends_with("\n\n<mail-1>") && page.text.contains("- kind: x"), "{}", page.text);
        }
    }

    #[test]
    fn a_list_tells_of_each_message_and_how_it_goes_on() {
        let list = json!({
            "folder": "INBOX", "next_cursor": "c",
            "messages": [{ "id": "a.1-2", "uid": 2, "from": "m@x.example", "subject": "One", "unread": true }]
        });
        let page = of("list_messages", &list);
        assert_eq!(page.media_type, "text/markdown");
        assert!(
            page.text.starts_with("## One\n- from: m@x.example\n- id: a.1-2\n- unread: true\n"),
            "{}",
            page.text
        );
        assert!(page.text.ends_with("- folder: INBOX\n- next_cursor: c"), "{}", page.text);
    }
}
