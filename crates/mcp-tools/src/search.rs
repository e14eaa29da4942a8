//! One search over accounts and folders, as an answer within its budget.

mod pages;

use crate::{
    arguments::{Arguments, Choice},
    context::Context,
    error::ToolError,
    present::{self, Detail, Line},
    reply::Reply,
    shared::{ACCOUNT, CURSOR, LIMIT, MAX_TOKENS, folder, octets},
    snippets::{Listed, Snippets},
};
use imapmcp_core::mail::FolderName;
use imapmcp_organizing::{
    Opened,
    query::Query,
    search::{Failure, Found, FoundIn, Hit, Place, Places, Scope, Search, Start},
};
use serde_json::{Value, json};

/// How far a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    One,
    All,
}

/// Whether all accounts are searched.
pub(crate) const ACCOUNTS: Choice<Reach> =
    Choice::new("accounts", ("one", Reach::One), &[("all", Reach::All)], "all");

/// Whether all folders are searched.
pub(crate) const FOLDERS: Choice<Reach> =
    Choice::new("folders", ("one", Reach::One), &[("all", Reach::All)], "all");

/// Places named in `coverage`.
const MAX_NAMED: usize = 30;

/// Where to search, and what is told of it.
pub(crate) struct Targets {
    /// In the order of the cursor's entries.
    list: Vec<Place>,
    /// Accounts and folders that could not be searched.
    failed: Vec<Value>,
    /// Folders left out.
    skipped: Vec<Value>,
    /// Whether lines name the account and the folder.
    several: bool,
}

/// Resolves `account_id`/`accounts`, `folder` and `in:`, in the folders of this reach.
pub(crate) async fn targets(
    context: &Context<'_>,
    arguments: &Arguments,
    query: &Query,
    folders: Reach,
) -> Result<Targets, ToolError> {
    let every_account = arguments.get(&ACCOUNTS).value == Reach::All;
    let (opened, mut failed) = if every_account {
        all_accounts(context).await?
    } else {
        (vec![context.open(arguments.get(&ACCOUNT)).await?], Vec::new())
    };
    let anywhere = |name: &String| name.eq_ignore_ascii_case("anywhere") || name.eq_ignore_ascii_case("all");
    let scope = if folders == Reach::All || query.folders.iter().any(anywhere) {
        Scope::Everywhere
    } else if query.folders.is_empty() {
        // a folder named as an argument is taken at its word
        Scope::Folders(vec![folder(arguments)])
    } else {
        Scope::Named(query.folders.iter().map(|name| FolderName::from(name.as_str())).collect())
    };
    let Places { list, failed: unlisted, skipped } = Places::of(opened, &scope, !every_account).await?;
    failed.extend(unlisted.iter().map(|failure| row(context, failure)));
    let skipped = skipped.into_iter().map(
        |left| json!({ "account": left.account, "folders": left.folders, "why": "too many folders; name one" }),
    );
    let several = every_account || list.len() > 1;
    Ok(Targets { list, failed, skipped: skipped.collect(), several })
}

/// The accounts of the grant that can be opened, and what is told of the others.
async fn all_accounts(context: &Context<'_>) -> Result<(Vec<Opened>, Vec<Value>), ToolError> {
    let (mut opened, mut failed) = (Vec::new(), Vec::new());
    for account in context.covered().await? {
        match context.open(Some(account.id.as_str())).await {
            Ok(one) => opened.push(one),
            Err(ToolError::Unavailable) => return Err(ToolError::Unavailable),
            Err(error) => failed.push(told(context, &account.label, &error)),
        }
    }
    if opened.is_empty() && failed.is_empty() {
        return Err(ToolError::NoSuchAccount);
    }
    Ok((opened, failed))
}

fn told(context: &Context<'_>, account: &str, error: &ToolError) -> Value {
    let shown = error.to_json(&context.services.accounts_url);
    json!({ "account": account, "code": shown["code"], "hint": shown["hint"] })
}

fn row(context: &Context<'_>, failure: &Failure) -> Value {
    let mut row = told(context, &failure.account, &ToolError::Mail(failure.error.clone()));
    if let Some(folder) = &failure.folder {
        row["folder"] = json!(present::shorten(folder, 100));
    }
    row
}

/// Searches every target, merges, and answers within the budget.
pub(crate) async fn run(
    context: &Context<'_>,
    arguments: &Arguments,
    query: &Query,
    mut targets: Targets,
) -> Result<Reply, ToolError> {
    let mark = pages::fingerprint(&targets.list, arguments);
    let starts = match arguments.get(&CURSOR) {
        Some(cursor) => pages::read(cursor, &mark, targets.list.len())?,
        None => vec![Start::Here(None); targets.list.len()],
    };
    let limit = arguments.get(&LIMIT);
    let progress = |done, total| context.report(done, total, "folders searched");
    let search = Search { places: &targets.list, query, starts: &starts, limit };
    let mut found = search.run(&progress).await?;
    targets.failed.extend(found.failed.iter().map(|failure| row(context, failure)));
    let mut hits = found.newest(limit as usize);
    let snippets = snippets_of(context, arguments, &hits, &mut targets).await;
    let frame = Frame::of(&targets, &found);
    let budget = octets(arguments);
    loop {
        let cursor = found.next(&starts).map(|next| pages::write(&mark, &next));
        let room = budget.saturating_sub(frame.octets() + cursor.as_ref().map_or(0, String::len));
        let made =
            hits.iter().map(|hit| line(hit, &targets).with_snippet(snippets.of(hit.place, hit.summary.uid)));
        let made: Vec<Line> = made.collect();
        match present::lines(&made, room, arguments.has(&MAX_TOKENS)) {
            Ok(messages) => return Ok(frame.around(messages, cursor).into()),
            // fewer are taken, and the cursor goes on behind them
            Err(fitting) => hits = found.newest(present::at_least_one(fitting)? as usize),
        }
    }
}

/// First words of hits, where they are asked for; a place where they cannot be read is told of.
async fn snippets_of(
    context: &Context<'_>,
    arguments: &Arguments,
    hits: &[Hit],
    targets: &mut Targets,
) -> Snippets {
    let mut lists: Vec<Listed<'_>> = Vec::new();
    for hit in hits {
        if let Some(list) = lists.iter_mut().find(|list| list.place == hit.place) {
            list.messages.push(&hit.summary);
            continue;
        }
        let Place { opened, folder } = &targets.list[hit.place];
        let (place, uid_validity, messages) = (hit.place, hit.uid_validity, vec![&hit.summary]);
        lists.push(Listed { place, opened, folder, uid_validity, messages });
    }
    let mut snippets = Snippets::default();
    for (place, error) in snippets.read(arguments, lists).await {
        let Place { opened, folder } = &targets.list[place];
        let mut row = told(context, &opened.account.label, &error);
        row["folder"] = json!(present::shorten(folder, 100));
        row["what"] = json!("snippets");
        targets.failed.push(row);
    }
    snippets
}

/// What an answer holds besides its messages.
struct Frame {
    total: u64,
    exact: bool,
    unchecked: u64,
    coverage: Value,
    gaps: Vec<Value>,
}

impl Frame {
    fn of(targets: &Targets, found: &Found) -> Self {
        let listings = || found.places.iter().map(|found| &found.listing);
        Self {
            total: listings().map(|listing| u64::from(listing.total)).sum(),
            exact: listings().all(|listing| listing.exact),
            unchecked: listings().map(|listing| u64::from(listing.unchecked)).sum(),
            coverage: coverage(targets, found),
            gaps: found.places.iter().filter_map(|found| omitted(found, targets)).collect(),
        }
    }

    fn octets(&self) -> usize {
        self.coverage.to_string().len() + json!(self.gaps).to_string().len() + 150
    }

    fn around(self, messages: Vec<Value>, cursor: Option<String>) -> Value {
        let mut result = json!({ "total": self.total, "coverage": self.coverage });
        result["messages"] = Value::Array(messages);
        if let Some(cursor) = cursor {
            result["next_cursor"] = json!(cursor);
        }
        if !self.exact {
            result["total_exact"] = json!(false);
        }
        if self.unchecked > 0 {
            result["unchecked"] = json!(self.unchecked);
        }
        if !self.gaps.is_empty() {
            result["omitted"] = json!(self.gaps);
        }
        result
    }
}

fn line(hit: &Hit, targets: &Targets) -> Line {
    let Place { opened, folder } = &targets.list[hit.place];
    let line = Line::new(&opened.account, folder, hit.uid_validity, &hit.summary);
    if !targets.several {
        return line;
    }
    let line = line.with("account_id", opened.account.id.to_string());
    let line = line.until(Detail::Brief, "account", present::shorten(&opened.account.label, 40));
    if folder.is_inbox() { line } else { line.with("folder", present::shorten(folder, 100)) }
}

fn coverage(targets: &Targets, found: &Found) -> Value {
    let name = |found: &FoundIn| {
        let Place { opened, folder } = &targets.list[found.place];
        if targets.several {
            let label = present::shorten(&opened.account.label, 40);
            format!("{label}: {}", present::shorten(folder, 60))
        } else {
            present::shorten(folder, 100)
        }
    };
    let mut searched: Vec<String> = found.places.iter().take(MAX_NAMED).map(name).collect();
    if found.places.len() > MAX_NAMED {
        searched.push(format!("and {} more", found.places.len() - MAX_NAMED));
    }
    let mut coverage = json!({ "searched": searched, "failed": targets.failed, "skipped": targets.skipped });
    if let Some(since) = found.text_since {
        coverage["text_since"] = json!(since.to_rfc3339().get(..10));
        coverage["hint"] =
            json!("Message text was searched from that day on; name a day (after:…) to go further back.");
    }
    coverage
}

/// What of a place cannot be shown.
fn omitted(found: &FoundIn, targets: &Targets) -> Option<Value> {
    let Place { opened, folder } = &targets.list[found.place];
    let listing = &found.listing;
    let mut gaps = present::omitted(&opened.account, folder, listing.uid_validity, &listing.omitted)?;
    gaps["folder"] = json!(present::shorten(folder, 100));
    Some(gaps)
}
