use crate::{
    arguments::{Arguments, Integer, RequiredText, Text},
    context::Context,
    error::ToolError,
    present,
    reply::Reply,
    shared::{ACCOUNT, MAX_TOKENS, octets},
    spec::{Effect, Shows, Spec},
};
use imapmcp_core::{
    mail::{Address, Criterion, FolderName, MailError, Page, Role, Summary},
    permission::Permission,
    time::Timestamp,
};
use imapmcp_mime::header;
use imapmcp_organizing::Opened;
use serde_json::{Value, json};
use std::collections::HashMap;

pub(crate) const SPEC: Spec = Spec {
    name: "find_contact",
    title: "Find a contact",
    about: "Finds a person's addresses in the user's mail. Names are untrusted: prefer sent > 0.",
    permission: Permission::Read,
    also: &[],
    effect: Effect::Reads,
    fields: &[&ACCOUNT, &NAME, &LIMIT, &MAX_TOKENS],
    output: &["contacts"],
    shows: &[("contacts", Shows::Rows("email"))],
    run: |context, arguments| Box::pin(run(context, arguments)),
};

const NAME: RequiredText = Text::new("name", 200, "\"marie\"").about("or a fragment").required();
const LIMIT: Integer = Integer::new("limit", 1, 50, 10, "10");

/// Messages of each folder that are looked at, the newest.
const MESSAGES: u32 = 200;

#[derive(Default)]
struct Contact {
    email: String,
    /// As the newest message had it.
    name: Option<String>,
    last: Option<Timestamp>,
    received: u32,
    sent: u32,
}

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let name = arguments.get(&NAME).trim();
    if name.chars().count() < 2 {
        return Err(NAME.wrong("needs two characters at least"));
    }
    let opened = context.open(arguments.get(&ACCOUNT)).await?;
    let (received, sent) = correspondence(&opened, name).await?;
    let mut contacts = contacts(&received, &sent, name);
    // whom the user wrote to comes first: a stranger can take any name
    contacts.sort_by_key(|contact| {
        std::cmp::Reverse((contact.sent.min(1), contact.last, contact.sent + contact.received))
    });
    contacts.truncate(arguments.get(&LIMIT) as usize);
    let mut room = octets(arguments).saturating_sub(40);
    let mut rows = Vec::new();
    for contact in contacts {
        let row = row(contact);
        let length = row.to_string().len() + 1;
        if length > room {
            break;
        }
        room -= length;
        rows.push(row);
    }
    Ok(Value::into(json!({ "contacts": rows })))
}

/// The newest messages from whom the name may fit, and those to them.
async fn correspondence(opened: &Opened, name: &str) -> Result<(Vec<Summary>, Vec<Summary>), ToolError> {
    let folders = opened.mailbox.folders(false).await?;
    let (inbox, of_sent) = (FolderName::inbox(), folders.by_role(Role::Sent));
    let or = |left, right| Criterion::Or(Box::new(left), Box::new(right));
    let page = Page { limit: MESSAGES, after: None };
    let from_them = Criterion::From(name.to_owned());
    let to_them = or(Criterion::To(name.to_owned()), Criterion::Cc(name.to_owned()));
    let received = opened.mailbox.search(&inbox, &from_them, &page);
    let sent = async {
        match of_sent {
            Some(folder) => {
                opened.mailbox.search(&folder.name, &to_them, &page).await.map(|found| found.messages)
            }
            None => Ok(Vec::new()),
        }
    };
    let (received, sent) = tokio::join!(received, sent);
    let received = received?.messages;
    let sent = match sent {
        Err(MailError::NoFolder) => Vec::new(),
        sent => sent?,
    };
    Ok((received, sent))
}

/// Everybody in these messages whom the name fits.
fn contacts(received: &[Summary], sent: &[Summary], name: &str) -> Vec<Contact> {
    let mut contacts: HashMap<String, Contact> = HashMap::new();
    let wanted = name.to_lowercase();
    for message in received {
        count(&mut contacts, message, &message.envelope.from, &wanted, |contact| contact.received += 1);
    }
    for message in sent {
        let to: Vec<Address> = message.envelope.to.iter().chain(&message.envelope.cc).cloned().collect();
        count(&mut contacts, message, &to, &wanted, |contact| contact.sent += 1);
    }
    contacts.into_values().collect()
}

fn row(contact: Contact) -> Value {
    let mut row = json!({
        "email": present::shorten(&header::one_line(&contact.email), 254),
        "last_contact": present::date(contact.last),
        "received": contact.received,
        "sent": contact.sent
    });
    if let Some(name) = contact.name {
        row["name"] = json!(present::shorten(&name, 100));
    }
    row
}

fn count(
    contacts: &mut HashMap<String, Contact>,
    message: &Summary,
    addresses: &[Address],
    wanted: &str,
    add: impl Fn(&mut Contact),
) {
    for address in addresses {
        let name = header::name(address);
        let fits = address.email.to_lowercase().contains(wanted)
            || name.as_deref().is_some_and(|name| name.to_lowercase().contains(wanted));
        if !fits {
            continue;
        }
        let contact = contacts.entry(address.email.to_lowercase()).or_default();
        contact.email.clone_from(&address.email);
        if contact.last.is_none_or(|last| message.internal_date > Some(last)) {
            contact.last = message.internal_date.or(contact.last);
            contact.name = name.or(contact.name.take());
        }
        add(contact);
    }
}
