//! Tools that change folders.

use crate::{
    arguments::{Arguments, Field, Kind},
    context::Context,
    error::ToolError,
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
    also: &[],
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
    also: &[("with_messages", Permission::Delete)],
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
    let (to, operation) = context.services.organizer.rename_folder(&opened, &from, &to).await?;
    let mut result = json!({ "folder": to.as_str() });
    if let Some(id) = operation {
        result["operation_id"] = json!(id.as_str());
    }
    Ok(Value::into(result))
}

async fn delete(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let name = named(arguments, "folder");
    let opened = context.open(arguments.text("account_id")).await?;
    let with_messages = arguments.flag("with_messages");
    context.services.organizer.delete_folder(&opened, &name, with_messages).await?;
    Ok(json!({ "folder": name.as_str() }).into())
}
