use crate::{
    arguments::{Arguments, Day, Flag, Text},
    context::Context,
    error::ToolError,
    reply::Reply,
    search::{self, ACCOUNTS, FOLDERS},
    shared::{ACCOUNT, CURSOR, DATE, FOLDER, LIMIT, MAX_TOKENS},
    snippets::SNIPPETS,
    spec::{Effect, Shows, Spec},
};
use imapmcp_core::{mail::Criterion, permission::Permission, time::Timestamp};
use imapmcp_organizing::query::{self, Query};

pub(crate) const SPEC: Spec = Spec {
    name: "search_messages",
    title: "Search messages",
    about: "Finds messages, newest first. All arguments given must hold. coverage tells what was searched (message text 90 days back \
            first).",
    permission: Permission::Read,
    also: &[],
    effect: Effect::Reads,
    fields: &[
        &ACCOUNT,
        &ACCOUNTS,
        &FOLDER,
        &FOLDERS,
        &QUERY,
        &FROM,
        &TO,
        &SUBJECT,
        &BODY,
        &DATE_FROM,
        &DATE_TO,
        &UNREAD_ONLY,
        &SNIPPETS,
        &LIMIT,
        &CURSOR,
        &MAX_TOKENS,
    ],
    output: &["messages", "total", "coverage"],
    shows: &[("total", Shows::Number), ("next_cursor", Shows::Text)],
    run: |context, arguments| Box::pin(run(context, arguments)),
};

/// Characters of one term.
const TERM: usize = 500;

const QUERY: Text = Text::new("query", 2000, "\"from:marie is:unread\"").about(
    "words, from: to: subject: body: filename: list: has:attachment is:unread larger:5M before: after:2026-01-31 newer_than:7d in: OR NOT \"exact words\"",
);
const FROM: Text = Text::new("from", TERM, "\"marie@example.com\"").about("name or address");
const TO: Text = Text::new("to", TERM, "\"me@example.com\"").about("as from");
const SUBJECT: Text = Text::new("subject", TERM, "\"invoice\"");
const BODY: Text = Text::new("body", TERM, "\"order 4711\"");
const DATE_FROM: Day = Day::new("date_from", "\"2026-11-01\"").about(DATE);
const DATE_TO: Day = Day::new("date_to", "\"2026-11-22\"").about(DATE);
const UNREAD_ONLY: Flag = Flag::off("unread_only", "true");

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let query = asked(context, arguments)?;
    let targets = search::targets(context, arguments, &query, arguments.get(&FOLDERS).value).await?;
    search::run(context, arguments, &query, targets).await
}

/// Query and plain fields as one condition.
fn asked(context: &Context<'_>, arguments: &Arguments) -> Result<Query, ToolError> {
    let now = context.services.clock.now();
    let mut query = match arguments.get(&QUERY) {
        Some(text) => query::parse(text, now)
            .map_err(|error| ToolError::argument(QUERY.name(), error.problem, error.example))?,
        None => Query::default(),
    };
    let term = |field: &Text| arguments.get(field).map(ToOwned::to_owned);
    let dates = [
        arguments.get(&DATE_FROM).map(Criterion::Since),
        arguments.get(&DATE_TO).map(|last| Criterion::Before(behind(last))),
    ];
    let bounded = dates.iter().any(Option::is_some);
    let words = term(&BODY);
    let body = words.as_deref().map(|words| {
        let (criterion, since) = query::in_body(words, bounded, now);
        query.text_since = query.text_since.or(since);
        criterion
    });
    let plain = [
        term(&FROM).map(Criterion::From),
        term(&TO).map(Criterion::To),
        term(&SUBJECT).map(Criterion::Subject),
        arguments.get(&UNREAD_ONLY).then_some(Criterion::Unseen),
    ];
    let without_bound = query.unbounded.take().or_else(|| query.criterion.clone());
    let others: Vec<Criterion> = dates.into_iter().chain(plain).flatten().collect();
    let every: Vec<Criterion> =
        query.criterion.take().into_iter().chain(others.clone()).chain(body).collect();
    if every.is_empty() && query.folders.is_empty() {
        let problem = "(or from, to, subject, body, date_from, date_to, unread_only) is missing";
        return Err(QUERY.wrong(problem));
    }
    query.criterion = Some(Criterion::And(every));
    query.unbounded = query.text_since.map(|_| {
        Criterion::And(without_bound.into_iter().chain(others).chain(words.map(Criterion::Body)).collect())
    });
    Ok(query)
}

/// What comes no more: of a day its end, of a moment the second behind it.
fn behind(last: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400;
    last.plus_seconds(if last.seconds() % DAY == 0 { DAY } else { 1 })
}
