//! One search over accounts and folders: in parallel, with one deadline, merged by date.

use crate::{
    arguments::Arguments,
    context::{Context, Opened},
    cursor,
    error::ToolError,
    present::{self, Detail, Line},
    query::Query,
    reply::Reply,
    tools::{folder, octets},
};
use futures_util::{StreamExt, stream};
use imapmcp_core::{
    mail::{Criterion, Folder, Listing, MailError, Page, PageCursor, Role, Summary},
    time::Timestamp,
};
use imapmcp_mime::header;
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// All searches together; what is not in by then is told as failed.
const DEADLINE: Duration = Duration::from_secs(25);
/// A first look this quick leaves time for a second one without the bound on days.
const WIDEN_WITHIN: Duration = Duration::from_secs(8);
/// Folders of one account that are searched; Junk and Trash only when named.
const MAX_FOLDERS: usize = 60;
/// Searches of one account at a time: as many as its pool has connections.
const AT_A_TIME: usize = 3;

/// Where to search.
pub(crate) struct Targets {
    /// In the order of the cursor's entries.
    list: Vec<Target>,
    /// Accounts that could not be opened or whose folders could not be listed.
    failed: Vec<Value>,
    /// Folders left out.
    skipped: Vec<Value>,
    /// Whether lines name the account and the folder.
    several: bool,
}

struct Target {
    opened: Arc<Opened>,
    folder: String,
}

/// What one target found, and how much of it was used.
struct Found {
    target: usize,
    listing: Listing,
    used: usize,
    before: Option<PageCursor>,
}

/// Resolves `account_id`/`accounts`, `folder`/`folders` and `in:`.
pub(crate) async fn targets(
    context: &Context<'_>,
    arguments: &Arguments,
    query: &Query,
) -> Result<Targets, ToolError> {
    let mut targets = Targets { list: Vec::new(), failed: Vec::new(), skipped: Vec::new(), several: false };
    let every_account = arguments.choice("accounts") == "all";
    let opened = if every_account {
        all_accounts(context, &mut targets).await?
    } else {
        vec![context.open(arguments.text("account_id")).await?]
    };
    let named: Vec<String> =
        if query.folders.is_empty() { vec![folder(arguments)] } else { query.folders.clone() };
    let anywhere = |name: &str| name.eq_ignore_ascii_case("anywhere") || name.eq_ignore_ascii_case("all");
    let every_folder =
        arguments.choice("folders") == "all" || query.folders.iter().any(|name| anywhere(name));
    let plain = !every_folder && named.iter().all(|name| name.eq_ignore_ascii_case("inbox"));
    // a folder named as an argument is taken at its word; roles and "all" need the list
    let needs_list = every_folder || (!plain && !query.folders.is_empty());
    let listed = stream::iter(opened.into_iter().map(|opened| async move {
        let folders = if needs_list {
            let folders = tokio::time::timeout(DEADLINE, opened.mailbox.folders(false)).await;
            Some(context.noting(&opened, folders.unwrap_or(Err(MailError::Timeout))).await)
        } else {
            None
        };
        (opened, folders)
    }))
    .buffered(16)
    .collect::<Vec<_>>()
    .await;
    let only = listed.len() == 1 && !every_account;
    for (opened, folders) in listed {
        let chosen = match folders {
            None => named.clone(),
            Some(Ok(folders)) if every_folder => everywhere(&opened, folders, &mut targets.skipped),
            Some(Ok(folders)) => resolved(&named, &folders, only)?,
            Some(Err(error)) if only => return Err(error),
            Some(Err(error)) => {
                targets.failed.push(failure(context, &opened, None, &error));
                continue;
            }
        };
        let opened = Arc::new(opened);
        let of_account = chosen.into_iter().map(|folder| Target {
            opened: Arc::clone(&opened),
            folder: if folder.eq_ignore_ascii_case("inbox") { "INBOX".to_owned() } else { folder },
        });
        targets.list.extend(of_account);
    }
    targets.several = every_account || targets.list.len() > 1;
    Ok(targets)
}

async fn all_accounts(context: &Context<'_>, targets: &mut Targets) -> Result<Vec<Opened>, ToolError> {
    let accounts = context.services.accounts.list(&context.principal.user).await?;
    let mut opened = Vec::new();
    for account in accounts.into_iter().filter(|account| context.principal.accounts.covers(&account.id)) {
        match context.open(Some(account.id.as_str())).await {
            Ok(one) => opened.push(one),
            Err(ToolError::Unavailable) => return Err(ToolError::Unavailable),
            Err(error) => targets.failed.push(json!({
                "account": account.label, "code": error.code(), "hint": error.to_json(&context.services.accounts_url)["hint"]
            })),
        }
    }
    if opened.is_empty() && targets.failed.is_empty() {
        return Err(ToolError::NoSuchAccount);
    }
    Ok(opened)
}

/// Every folder that holds the user's own mail: All Mail alone where there is one.
fn everywhere(opened: &Opened, folders: Vec<Folder>, skipped: &mut Vec<Value>) -> Vec<String> {
    if let Some(all) = folders.iter().find(|folder| folder.role == Some(Role::All) && folder.selectable) {
        return vec![all.name.clone()];
    }
    let mut names: Vec<(u8, String)> = folders
        .into_iter()
        .filter(|folder| folder.selectable)
        .filter(|folder| !matches!(folder.role, Some(Role::Junk | Role::Trash | Role::Flagged)))
        .map(|folder| {
            let first = match folder.role {
                Some(Role::Inbox) => 0,
                Some(Role::Sent | Role::Archive) => 1,
                _ => 2,
            };
            (first, folder.name)
        })
        .collect();
    names.sort_by_key(|(first, _)| *first);
    if names.len() > MAX_FOLDERS {
        skipped.push(json!({
            "account": opened.account.label, "folders": names.len() - MAX_FOLDERS, "why": "too many folders; name one"
        }));
        names.truncate(MAX_FOLDERS);
    }
    names.into_iter().map(|(_, name)| name).collect()
}

/// Folders by name, or by role where none has the name.
fn resolved(named: &[String], folders: &[Folder], only: bool) -> Result<Vec<String>, ToolError> {
    let mut found = Vec::new();
    for name in named {
        let by_name = folders.iter().find(|folder| folder.name == *name);
        let by_role = || {
            folders.iter().find(|folder| {
                folder.role.is_some_and(|role| role.as_str().eq_ignore_ascii_case(name))
                    || folder.name.eq_ignore_ascii_case(name)
            })
        };
        match by_name.or_else(by_role) {
            Some(folder) => found.push(folder.name.clone()),
            None if only => return Err(ToolError::Mail(MailError::NoFolder)),
            None => {}
        }
    }
    found.dedup();
    Ok(found)
}

fn failure(context: &Context<'_>, opened: &Opened, folder: Option<&str>, error: &ToolError) -> Value {
    let shown = error.to_json(&context.services.accounts_url);
    let mut row = json!({ "account": opened.account.label, "code": shown["code"], "hint": shown["hint"] });
    if let Some(folder) = folder {
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
    let criterion = query.criterion.clone().unwrap_or(Criterion::And(Vec::new()));
    let begun = tokio::time::Instant::now();
    let mark = fingerprint(&targets.list, arguments);
    let starts = match arguments.text("cursor") {
        Some(cursor) => decode(cursor, &mark, targets.list.len())?,
        None => vec![Start::Here(None); targets.list.len()],
    };
    let limit = arguments.integer("limit");
    let mut found = search(context, &mut targets, &criterion, &starts, limit, begun + DEADLINE).await?;
    let mut text_since = query.text_since;
    let few = found.iter().map(|found| found.listing.messages.len()).sum::<usize>() < limit as usize;
    if let Some(unbounded) = query.unbounded.as_ref().filter(|_| few && begun.elapsed() < WIDEN_WITHIN) {
        let failed = targets.failed.len();
        let wider = search(context, &mut targets, unbounded, &starts, limit, begun + DEADLINE).await;
        if targets.failed.len() == failed
            && let Ok(wider) = wider
        {
            found = wider;
            text_since = None;
        } else {
            // too slow: what the first look found still holds
            targets.failed.truncate(failed);
        }
    }
    let total: u64 = found.iter().map(|found| u64::from(found.listing.total)).sum();
    let mut rows = merge(&mut found, limit as usize);
    let budget = octets(arguments);
    let coverage = coverage(&targets, text_since, &found);
    let gaps: Vec<Value> = found.iter().filter_map(|found| found.omitted(&targets)).collect();
    let unchecked: u64 = found.iter().map(|found| u64::from(found.listing.unchecked)).sum();
    let exact = found.iter().all(|found| found.listing.exact);
    let frame = coverage.to_string().len() + json!(gaps).to_string().len() + 150;
    loop {
        let cursor = next_cursor(&mark, &starts, &found);
        let room = budget.saturating_sub(frame + cursor.as_ref().map_or(0, String::len));
        let made: Vec<Line> = rows.iter().map(|row| row.line(&targets)).collect();
        let lines = present::lines(&made, room, arguments.has("max_tokens"));
        match lines {
            Ok(messages) => {
                let mut result = json!({ "messages": messages, "total": total, "coverage": coverage });
                if let Some(cursor) = cursor {
                    result["next_cursor"] = json!(cursor);
                }
                if !exact {
                    result["total_exact"] = json!(false);
                }
                if unchecked > 0 {
                    result["unchecked"] = json!(unchecked);
                }
                if !gaps.is_empty() {
                    result["omitted"] = json!(gaps);
                }
                return Ok(result.into());
            }
            // fewer are taken, and the cursor goes on behind them
            Err(fitting) => {
                let fitting = present::at_least_one(fitting)? as usize;
                for target in &mut found {
                    target.used = 0;
                }
                rows = merge(&mut found, fitting);
            }
        }
    }
}

async fn search(
    context: &Context<'_>,
    targets: &mut Targets,
    criterion: &Criterion,
    starts: &[Start],
    limit: u32,
    deadline: tokio::time::Instant,
) -> Result<Vec<Found>, ToolError> {
    let wanted: Vec<(usize, Option<PageCursor>)> = starts
        .iter()
        .enumerate()
        .filter_map(|(target, start)| match start {
            Start::Here(after) => Some((target, *after)),
            Start::Done => None,
        })
        .collect();
    let total = wanted.len();
    let done = AtomicUsize::new(0);
    let list = &targets.list;
    let done = &done;
    // one queue for each account, so that a slow account does not hold up another
    let mut queues: Vec<Vec<(usize, Option<PageCursor>)>> = Vec::new();
    for (target, after) in wanted {
        let same = |queue: &&mut Vec<(usize, Option<PageCursor>)>| {
            queue.first().is_some_and(|(first, _)| Arc::ptr_eq(&list[*first].opened, &list[target].opened))
        };
        match queues.iter_mut().find(same) {
            Some(queue) => queue.push((target, after)),
            None => queues.push(vec![(target, after)]),
        }
    }
    let searches = queues.into_iter().map(|queue| {
        stream::iter(queue)
            .map(move |(target, after)| async move {
                let at = &list[target];
                let page = Page { limit, after };
                let work = at.opened.mailbox.search(&at.folder, criterion, &page);
                let listing =
                    tokio::time::timeout_at(deadline, work).await.unwrap_or(Err(MailError::Timeout));
                let listing = context.noting(&at.opened, listing).await;
                if total > 1 {
                    context.report(done.fetch_add(1, Ordering::Relaxed) + 1, total, "folders searched");
                }
                (target, after, listing)
            })
            .buffer_unordered(AT_A_TIME)
            .collect::<Vec<_>>()
    });
    let answers: Vec<_> = futures_util::future::join_all(searches).await.into_iter().flatten().collect();
    let mut found = Vec::new();
    let mut failed = Vec::new();
    for (target, after, listing) in answers {
        match listing {
            Ok(listing) => found.push(Found { target, listing, used: 0, before: after }),
            Err(error) if total == 1 => return Err(error),
            Err(error) => {
                let at = &targets.list[target];
                failed.push(failure(context, &at.opened, Some(&at.folder), &error));
            }
        }
    }
    targets.failed.extend(failed);
    found.sort_by_key(|found| found.target);
    Ok(found)
}

/// One message of the merged list.
struct Row {
    target: usize,
    uid_validity: u32,
    summary: Summary,
}

impl Row {
    fn line(&self, targets: &Targets) -> Line {
        let target = &targets.list[self.target];
        let account = &target.opened.account;
        let mut line = Line::new(account, &target.folder, self.uid_validity, &self.summary);
        if targets.several {
            line = line.with("account_id", account.id.to_string());
            line = line.until(Detail::Brief, "account", present::shorten(&account.label, 40));
            if target.folder != "INBOX" {
                line = line.with("folder", present::shorten(&target.folder, 100));
            }
        }
        line
    }
}

/// The newest of all, each Message-ID once. Notes how many of each target were used.
fn merge(found: &mut [Found], limit: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut seen = HashSet::new();
    let date = |found: &Found| -> Option<Timestamp> {
        found.listing.messages.get(found.used).map(|message| message.internal_date.unwrap_or(Timestamp(0)))
    };
    while rows.len() < limit {
        let Some(newest) = found.iter_mut().filter(|found| date(found).is_some()).max_by_key(|found| {
            // of equals the first target
            (date(found), std::cmp::Reverse(found.target))
        }) else {
            break;
        };
        let summary = newest.listing.messages[newest.used].clone();
        newest.used += 1;
        let id = summary.envelope.message_id.as_deref().and_then(|id| header::identifiers(id, 1).pop());
        if id.is_none_or(|id| seen.insert(id)) {
            rows.push(Row { target: newest.target, uid_validity: newest.listing.uid_validity, summary });
        }
    }
    rows
}

fn coverage(targets: &Targets, text_since: Option<Timestamp>, found: &[Found]) -> Value {
    let mut searched: Vec<String> = Vec::new();
    for found in found.iter().take(30) {
        let target = &targets.list[found.target];
        let label = present::shorten(&target.opened.account.label, 40);
        searched.push(if targets.several {
            format!("{label}: {}", present::shorten(&target.folder, 60))
        } else {
            present::shorten(&target.folder, 100)
        });
    }
    if found.len() > 30 {
        searched.push(format!("and {} more", found.len() - 30));
    }
    let mut coverage = json!({ "searched": searched, "failed": targets.failed, "skipped": targets.skipped });
    if let Some(since) = text_since {
        coverage["text_since"] = json!(since.to_rfc3339().get(..10));
        coverage["hint"] =
            json!("Message text was searched from that day on; name a day (after:…) to go further back.");
    }
    coverage
}

/// Where one target goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Here(Option<PageCursor>),
    Done,
}

/// `targets.cursor_cursor…`: `-` for a target that is done, `*` for one to begin with.
fn next_cursor(mark: &str, starts: &[Start], found: &[Found]) -> Option<String> {
    let mut goes_on = false;
    let mut pieces = Vec::with_capacity(starts.len());
    for (target, start) in starts.iter().enumerate() {
        let next = match found.iter().find(|found| found.target == target) {
            // failed or done before: as it was
            None => *start,
            Some(found) => found.next(),
        };
        pieces.push(match next {
            Start::Done => "-".to_owned(),
            Start::Here(None) => "*".to_owned(),
            Start::Here(Some(cursor)) => cursor.to_string(),
        });
        let failed = found.iter().all(|found| found.target != target);
        goes_on |= !failed && next != Start::Done;
    }
    goes_on.then(|| format!("{mark}~{}", pieces.join("~")))
}

impl Found {
    /// What of this target cannot be shown.
    fn omitted(&self, targets: &Targets) -> Option<Value> {
        let target = &targets.list[self.target];
        let mut gaps = present::omitted(
            &target.opened.account,
            &target.folder,
            self.listing.uid_validity,
            &self.listing.omitted,
        )?;
        gaps["folder"] = json!(present::shorten(&target.folder, 100));
        Some(gaps)
    }

    fn next(&self) -> Start {
        let messages = &self.listing.messages;
        match self.used.checked_sub(1) {
            None if messages.is_empty() => {
                self.listing.next.map_or(Start::Done, |next| Start::Here(Some(next)))
            }
            None => Start::Here(self.before),
            Some(_) if self.used == messages.len() => {
                self.listing.next.map_or(Start::Done, |next| Start::Here(Some(next)))
            }
            Some(last) => {
                let last = &messages[last];
                Start::Here(Some(PageCursor {
                    uid_validity: self.listing.uid_validity,
                    uid: last.uid,
                    sequence: 0,
                    // a listing that goes by dates says so in its own cursor
                    date: self.listing.next.and_then(|next| next.date).and(last.internal_date),
                }))
            }
        }
    }
}

fn decode(text: &str, mark: &str, targets: usize) -> Result<Vec<Start>, ToolError> {
    let mut pieces = text.split('~');
    if pieces.next() != Some(mark) {
        return Err(cursor::not_of_this_list());
    }
    let starts: Vec<Start> = pieces
        .map(|piece| match piece {
            "-" => Some(Start::Done),
            "*" => Some(Start::Here(None)),
            piece => piece.parse().ok().map(|cursor| Start::Here(Some(cursor))),
        })
        .collect::<Option<_>>()
        .ok_or_else(cursor::not_of_this_list)?;
    if starts.len() == targets { Ok(starts) } else { Err(cursor::not_of_this_list()) }
}

/// Tells apart searches of other places, and for other things.
fn fingerprint(list: &[Target], arguments: &Arguments) -> String {
    let asked = arguments.apart_from(&[
        "account_id",
        "accounts",
        "folder",
        "folders",
        "limit",
        "cursor",
        "max_tokens",
    ]);
    let places = list.iter().flat_map(|target| [target.opened.account.id.as_str(), target.folder.as_str()]);
    cursor::mark(places.chain([asked.as_str()]))
}
