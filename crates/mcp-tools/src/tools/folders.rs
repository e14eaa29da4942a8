//! Tools that change folders.

use crate::{
    arguments::{Arguments, Field, Kind},
    context::{Context, Opened},
    error::ToolError,
    operations::{self, Step, Undo},
    reply::Reply,
    spec::{Effect, Spec},
    tools::ACCOUNT,
};
use imapmcp_core::{mail::FolderName, permission::Permission};
use serde_json::{Value, json};

const NAME: Kind = Kind::Text(1000);
const OUTPUT: &[&str] = &["folder"];

pub(crate) const CREATE: Spec = Spec {
    name: "create_folder",
    title: "Create a folder",
    about: "Creates a folder. Use the delimiter list_folders gives for one within another.",
    permission: Permission::Organize,
    effect: Effect::Adds,
    fields: &[ACCOUNT, Field::required("folder", NAME, "", "\"Projects/Roof\"")],
    output: OUTPUT,
    run: |context, arguments| Box::pin(create(context, arguments)),
};

pub(crate) const RENAME: Spec = Spec {
    name: "rename_folder",
    title: "Rename a folder",
    about: "Renames a folder, its children with it. INBOX and folders with a role are refused.",
    effect: Effect::Adjusts,
    fields: &[
        ACCOUNT,
        Field::required("folder", NAME, "", "\"Old\""),
        Field::required("new_name", NAME, "", "\"New\""),
    ],
    run: |context, arguments| Box::pin(rename(context, arguments)),
    ..CREATE
};

pub(crate) const DELETE: Spec = Spec {
    name: "delete_folder",
    title: "Delete a folder",
    about: "Deletes a folder that is empty; with its messages for good only with_messages=true (own permission). INBOX and folders with a \
            role are refused.",
    effect: Effect::Destroys,
    fields: &[
        ACCOUNT,
        Field::required("folder", NAME, "", "\"Old\""),
        Field::optional("with_messages", Kind::Flag, "", "false"),
    ],
    run: |context, arguments| Box::pin(delete(context, arguments)),
    ..CREATE
};

fn named(arguments: &Arguments, field: &str) -> FolderName {
    arguments.text(field).unwrap_or_default().into()
}

async fn create(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let name = named(arguments, "folder");
    let opened = context.open(arguments.text("account_id")).await?;
    let name = opened.mailbox.create_folder(&name).await?;
    Ok(json!({ "folder": name.as_str() }).into())
}

async fn rename(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let (from, to) = (named(arguments, "folder"), named(arguments, "new_name"));
    let opened = context.open(arguments.text("account_id")).await?;
    own(&opened, &from, false).await?;
    let to = opened.mailbox.rename_folder(&from, &to).await?;
    let mut undo = Undo::default();
    undo.push(Step::Rename { from: to.clone().into(), to: from.into() });
    let mut result = json!({ "folder": to.as_str() });
    if let Some(id) = operations::record(context, &opened.account.id, &undo).await {
        result["operation_id"] = json!(id);
    }
    Ok(Value::into(result))
}

async fn delete(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let name = named(arguments, "folder");
    let with_messages = arguments.flag("with_messages");
    if with_messages && !context.principal.may(Permission::Delete) {
        return Err(ToolError::Permission(Permission::Delete));
    }
    let opened = context.open(arguments.text("account_id")).await?;
    let total = own(&opened, &name, true).await?;
    if !with_messages && total != Some(0) {
        let held = total.map_or_else(|| "messages".to_owned(), |total| format!("{total} messages"));
        return Err(ToolError::argument(
            "with_messages",
            format!("must be true to delete a folder that holds {held}; they would be gone for good"),
            "true (or move the messages first)",
        ));
    }
    opened.mailbox.delete_folder(&name).await?;
    Ok(json!({ "folder": name.as_str() }).into())
}

/// Refuses INBOX and folders with a role, whatever the caller may do. Messages in it, when asked for.
async fn own(opened: &Opened, name: &FolderName, count: bool) -> Result<Option<u32>, ToolError> {
    let folders = opened.mailbox.folders(count).await?;
    let known = folders.named(name);
    let protected = name.is_inbox() || known.is_some_and(|folder| folder.role.is_some());
    if protected {
        return Err(ToolError::argument(
            "folder",
            "is INBOX or has a role (see list_folders); such folders are not renamed or deleted",
            "\"Old projects\"",
        ));
    }
    match known {
        Some(folder) => Ok(folder.counts.map(|counts| counts.total).or((!folder.selectable).then_some(0))),
        None => Err(ToolError::Mail(imapmcp_core::mail::MailError::NoFolder)),
    }
}
