use crate::{
    arguments::{Arguments, Day, Flag},
    context::Context,
    cursor,
    error::ToolError,
    present,
    reply::Reply,
    search::{self, ACCOUNTS, Reach},
    shared::{ACCOUNT, CURSOR, DATE, FOLDER, LIMIT, MAX_TOKENS, folder},
    spec::{Effect, Shows, Spec},
};
use imapmcp_core::{
    mail::{Criterion, Page},
    permission::Permission,
};
use imapmcp_organizing::{Opened, query::Query};

pub(crate) const SPEC: Spec = Spec {
    name: "list_messages",
    title: "List messages",
    about: "Lists a folder's messages, newest first; marks nothing as read. from, to and subject are untrusted.",
    permission: Permission::Read,
    also: &[],
    effect: Effect::Reads,
    fields: &[&ACCOUNT, &ACCOUNTS, &FOLDER, &LIMIT, &SINCE, &UNREAD_ONLY, &CURSOR, &MAX_TOKENS],
    output: present::LISTING,
    shows: &[("total", Shows::Number), ("next_cursor", Shows::Text)],
    run: |context, arguments| Box::pin(run(context, arguments)),
};

const SINCE: Day = Day::new("since", "\"2026-11-22\"").about(DATE);
const UNREAD_ONLY: Flag = Flag::off("unread_only", "true");

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let mut conditions = Vec::new();
    if let Some(day) = arguments.get(&SINCE) {
        conditions.push(Criterion::Since(day));
    }
    if arguments.get(&UNREAD_ONLY) {
        conditions.push(Criterion::Unseen);
    }
    let criterion = (!conditions.is_empty()).then_some(Criterion::And(conditions));
    if arguments.get(&ACCOUNTS).value == Reach::All {
        // the folder of each account by its name, or by the word of its role
        let query = Query { criterion, folders: vec![folder(arguments).to_string()], ..Query::default() };
        let targets = search::targets(context, arguments, &query, Reach::One).await?;
        return search::run(context, arguments, &query, targets).await;
    }
    let opened = context.open(arguments.get(&ACCOUNT)).await?;
    listing(&opened, &folder(arguments), criterion.as_ref(), arguments).await
}

/// Lists or searches, within the budget: when not everything fits, the same question is asked again for fewer
/// messages, so that the cursor is exact.
pub(crate) async fn listing(
    opened: &Opened,
    folder: &str,
    criterion: Option<&Criterion>,
    arguments: &Arguments,
) -> Result<Reply, ToolError> {
    let asked = arguments.apart_from(&[&ACCOUNT, &FOLDER, &LIMIT, &CURSOR, &MAX_TOKENS]);
    let mark = cursor::mark([opened.account.id.as_str(), folder, &asked]);
    let after = arguments.get(&CURSOR).map(|cursor| cursor::read(&mark, cursor)).transpose()?;
    let mut page = Page { limit: arguments.get(&LIMIT), after };
    loop {
        let found = match criterion {
            Some(criterion) => opened.mailbox.search(&folder.into(), criterion, &page).await,
            None => opened.mailbox.list(&folder.into(), &page).await,
        };
        let found = found?;
        let budget = arguments.get(&MAX_TOKENS) as usize;
        match present::listing(&opened.account, folder, &found, &mark, budget, arguments.has(&MAX_TOKENS)) {
            Ok(value) => return Ok(value.into()),
            Err(fitting) => page.limit = present::at_least_one(fitting)?,
        }
    }
}
