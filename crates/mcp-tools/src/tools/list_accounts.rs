use crate::{
    arguments::Arguments,
    context::Context,
    error::{ToolError, attention},
    reply::Reply,
    shared::ACCOUNT,
    spec::{Effect, Shows, Spec},
};
use imapmcp_core::{account::Side, permission::Permission};
use imapmcp_writing_style::WritingStyle;
use serde_json::{Map, Value, json};

pub(crate) const SPEC: Spec = Spec {
    name: "list_accounts",
    title: "List mail accounts",
    about: "Lists the user's mail accounts, or one. Start here.",
    permission: Permission::Read,
    also: &[],
    effect: Effect::Reads,
    fields: &[&ACCOUNT],
    output: &["accounts"],
    shows: &[("accounts", Shows::Rows("id"))],
    run: |context, arguments| Box::pin(run(context, arguments)),
};

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let only = match arguments.get(&ACCOUNT) {
        Some(named) => Some(context.account(named).await?),
        None => None,
    };
    let principal = context.principal;
    let accounts = context.services.accounts.list(&principal.user).await?;
    let styles = context.services.styles.all(&principal.user).await?;
    let rows: Vec<Value> = accounts
        .iter()
        .filter(|account| principal.accounts.covers(&account.id))
        .filter(|account| only.as_ref().is_none_or(|only| *only == account.id))
        .map(|account| {
            let mut row = Map::new();
            row.insert("id".to_owned(), json!(account.id.as_str()));
            row.insert("label".to_owned(), json!(account.label));
            row.insert("email".to_owned(), json!(&*account.email));
            if let Some(name) = &account.from_name {
                row.insert("from_name".to_owned(), json!(name));
            }
            if !account.aliases.is_empty() {
                let aliases: Vec<String> = account.aliases.iter().map(ToString::to_string).collect();
                row.insert("aliases".to_owned(), json!(aliases));
            }
            row.insert("is_default".to_owned(), json!(account.is_default));
            let permissions = principal.permissions_at(&account.id);
            let permissions: Vec<&str> = permissions.iter().map(Permission::scope).collect();
            row.insert("permissions".to_owned(), json!(permissions));
            let style = styles.get(&account.id).map(WritingStyle::told).filter(|told| told.messages > 0);
            if let Some(style) = style {
                row.insert("writing_style".to_owned(), json!(style));
            }
            for side in Side::BOTH {
                row.insert(side.word().to_owned(), json!(account.health(side).word()));
            }
            let (mut codes, mut hints) = (Map::new(), Vec::new());
            for (side, why) in account.troubles() {
                codes.insert(side.word().to_owned(), json!(why.code()));
                hints.push(attention(side, why, &context.services.accounts_url));
            }
            if !codes.is_empty() {
                row.insert("why".to_owned(), Value::Object(codes));
                row.insert("what_to_do".to_owned(), json!(hints.join(" ")));
            }
            Value::Object(row)
        })
        .collect();
    Ok(json!({ "accounts": rows }).into())
}
