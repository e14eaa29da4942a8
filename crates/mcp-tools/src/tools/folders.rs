//! Tools that change folders.

use crate::{
    arguments::{Arguments, Flag, RequiredText, Text},
    context::Context,
    error::ToolError,
    reply::Reply,
    shared::ACCOUNT,
    spec::{Effect, Shows, Spec},
};
use imapmcp_core::{mail::FolderName, permission::Permission};
use serde_json::{Value, json};

/// Characters of a folder's name.
const MAX_NAME: usize = 1000;

const NEW: RequiredText = Text::new("folder", MAX_NAME, "\"Projects/Roof\"").or(&["path"]).required();
const OLD: RequiredText = Text::new("folder", MAX_NAME, "\"Old\"").or(&["path", "from_path"]).required();
const NEW_NAME: RequiredText = Text::new("new_name", MAX_NAME, "\"New\"").or(&["to_path"]).required();
const WITH_MESSAGES: Flag = Flag::off("with_messages", "false");
const OUTPUT: &[&str] = &["folder"];

pub(crate) const CREATE: Spec = Spec {
    name: "create_folder",
    title: "Create a folder",
    about: "Creates a folder; within another by list_folders' delimiter.",
    permission: Permission::Organize,
    also: &[],
    effect: Effect::Adds,
    fields: &[&ACCOUNT, &NEW],
    output: OUTPUT,
    shows: &[("folder", Shows::Text)],
    run: |context, arguments| Box::pin(create(context, arguments)),
};

pub(crate) const RENAME: Spec = Spec {
    name: "rename_folder",
    title: "Rename a folder",
    about: "Renames a folder and those in it; none with a role.",
    effect: Effect::Adjusts,
    fields: &[&ACCOUNT, &OLD, &NEW_NAME],
    run: |context, arguments| Box::pin(rename(context, arguments)),
    ..CREATE
};

pub(crate) const DELETE: Spec = Spec {
    name: "delete_folder",
    title: "Delete a folder",
    about: "Deletes a folder without a role; its messages, for good, only by with_messages=true (own permission).",
    also: &[(WITH_MESSAGES, Permission::Delete)],
    effect: Effect::Destroys,
    fields: &[&ACCOUNT, &OLD, &WITH_MESSAGES],
    run: |context, arguments| Box::pin(delete(context, arguments)),
    ..CREATE
};

async fn create(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let name = FolderName::from(arguments.get(&NEW));
    let opened = context.open(arguments.get(&ACCOUNT)).await?;
    let name = opened.mailbox.create_folder(&name).await?;
    Ok(json!({ "folder": name.as_str() }).into())
}

async fn rename(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let (from, to) = (FolderName::from(arguments.get(&OLD)), FolderName::from(arguments.get(&NEW_NAME)));
    let opened = context.open(arguments.get(&ACCOUNT)).await?;
    let (to, operation) = context.services.organizer.rename_folder(&opened, &from, &to).await?;
    let mut result = json!({ "folder": to.as_str() });
    if let Some(id) = operation {
        result["operation_id"] = json!(id.as_str());
    }
    Ok(Value::into(result))
}

async fn delete(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let name = FolderName::from(arguments.get(&OLD));
    let opened = context.open(arguments.get(&ACCOUNT)).await?;
    let with_messages = arguments.get(&WITH_MESSAGES);
    context.services.organizer.delete_folder(&opened, &name, with_messages).await?;
    Ok(json!({ "folder": name.as_str() }).into())
}
