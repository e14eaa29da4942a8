use crate::{
    arguments::{Arguments, Field, Kind},
    context::Context,
    error::ToolError,
    reply::Reply,
    spec::{Effect, Spec},
    tools::{ACCOUNT, CURSOR, FOLDER, LIMIT, MAX_TOKENS, search},
};
use imapmcp_core::{mail::Criterion, permission::Permission};
use imapmcp_organizing::query::{self, Query};

const TERM: Kind = Kind::Text(500);

pub(crate) const SPEC: Spec = Spec {
    name: "search_messages",
    title: "Search messages",
    about: "Finds messages, newest first, in one account or all, one folder or all. query knows from: to: cc: subject: body: \
            has:attachment is:unread is:flagged larger:5M before: after:2026-01-31 newer_than:7d in: OR - \"exact words\"; the other \
            arguments must hold too. Message text is searched 90 days back first, and all of it if that finds too little and time \
            allows. coverage tells what was searched.",
    permission: Permission::Read,
    also: &[],
    effect: Effect::Reads,
    fields: &[
        ACCOUNT,
        Field::optional("accounts", Kind::Choice(&["one", "all"]), "", "all"),
        FOLDER,
        Field::optional("folders", Kind::Choice(&["one", "all"]), "", "all"),
        Field::optional("query", Kind::Text(2000), "", "\"from:marie is:unread\""),
        Field::optional("from", TERM, "", "\"marie@example.com\""),
        Field::optional("to", TERM, "", "\"me@example.com\""),
        Field::optional("subject", TERM, "", "\"invoice\""),
        Field::optional("body", TERM, "", "\"order 4711\""),
        Field::optional("date_from", Kind::Date, "", "\"2026-11-01\""),
        Field::optional("date_to", Kind::Date, "", "\"2026-11-22\""),
        Field::optional("unread_only", Kind::Flag, "", "true"),
        LIMIT,
        CURSOR,
        MAX_TOKENS,
    ],
    output: &["messages", "total", "coverage"],
    run: |context, arguments| Box::pin(run(context, arguments)),
};

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let query = asked(context, arguments)?;
    let targets = search::targets(context, arguments, &query).await?;
    search::run(context, arguments, &query, targets).await
}

/// Query and plain fields as one condition.
fn asked(context: &Context<'_>, arguments: &Arguments) -> Result<Query, ToolError> {
    let now = context.services.clock.now();
    let mut query = match arguments.text("query") {
        Some(text) => query::parse(text, now)
            .map_err(|error| ToolError::argument("query", error.problem, error.example))?,
        None => Query::default(),
    };
    let term = |name: &str| arguments.text(name).map(ToOwned::to_owned);
    let dates = [
        arguments.date("date_from").map(Criterion::Since),
        // BEFORE leaves the day itself out (RFC 9051 §6.4.4)
        arguments.date("date_to").map(|day| Criterion::Before(day.plus_seconds(86_400))),
    ];
    let bounded = dates.iter().any(Option::is_some);
    let words = term("body");
    let body = words.as_deref().map(|words| {
        let (criterion, since) = query::in_body(words, bounded, now);
        query.text_since = query.text_since.or(since);
        criterion
    });
    let plain = [
        term("from").map(Criterion::From),
        term("to").map(Criterion::To),
        term("subject").map(Criterion::Subject),
        arguments.flag("unread_only").then_some(Criterion::Unseen),
    ];
    let without_bound = query.unbounded.take().or_else(|| query.criterion.clone());
    let others: Vec<Criterion> = dates.into_iter().chain(plain).flatten().collect();
    let every: Vec<Criterion> =
        query.criterion.take().into_iter().chain(others.clone()).chain(body).collect();
    if every.is_empty() {
        return Err(ToolError::argument(
            "query",
            "(or from, to, subject, body, date_from, date_to, unread_only) is missing",
            "\"from:marie is:unread\"",
        ));
    }
    query.criterion = Some(Criterion::And(every));
    query.unbounded = query.text_since.map(|_| {
        Criterion::And(without_bound.into_iter().chain(others).chain(words.map(Criterion::Body)).collect())
    });
    Ok(query)
}
