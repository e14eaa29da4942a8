//! One search over accounts and folders: in parallel, with one deadline, merged by date.

mod pages;
mod targets;

use crate::{
    arguments::Arguments,
    context::Context,
    error::ToolError,
    present::{self, Detail, Line},
    query::Query,
    reply::Reply,
    tools::octets,
};
use futures_util::{StreamExt, stream};
use imapmcp_core::{
    mail::{Criterion, Listing, MailError, Page, PageCursor, Summary},
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

use pages::{Start, decode, fingerprint, next_cursor};
use targets::failure;
pub(crate) use targets::{Targets, targets};

/// All searches together; what is not in by then is told as failed.
const DEADLINE: Duration = Duration::from_secs(25);
/// A first look this quick leaves time for a second one without the bound on days.
const WIDEN_WITHIN: Duration = Duration::from_secs(8);
/// Searches of one account at a time: as many as its pool has connections.
const AT_A_TIME: usize = 3;

/// What one target found, and how much of it was used.
struct Found {
    target: usize,
    listing: Listing,
    used: usize,
    before: Option<PageCursor>,
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
                let listing = listing.map_err(ToolError::Mail);
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
            if !target.folder.is_inbox() {
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
}
