use crate::{
    arguments::{Arguments, RequiredText, Text},
    context::Context,
    error::ToolError,
    reply::Reply,
    spec::{Effect, Shows, Spec},
};
use imapmcp_core::permission::Permission;
use imapmcp_organizing::OperationKind;
use serde_json::json;

pub(crate) const SPEC: Spec = Spec {
    name: "undo_operation",
    title: "Undo a change",
    about: "Takes a change back, within 7 days, where messages are still where it put them.",
    permission: Permission::Organize,
    also: &[],
    effect: Effect::Adjusts,
    fields: &[&OPERATION_ID],
    output: &["undone", "left"],
    shows: &[("undone", Shows::Number)],
    run: |context, arguments| Box::pin(run(context, arguments)),
};

const OPERATION_ID: RequiredText = Text::new("operation_id", 100, "\"op_…\"").about("of a change").required();

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let operation = context.operation(OperationKind::Change, &OPERATION_ID, arguments).await?;
    let opened = context.open(Some(operation.account.as_str())).await?;
    let undone = context.services.organizer.undo(&opened, &operation).await;
    let undone = undone.map_err(|error| ToolError::operation(OPERATION_ID.name(), error))?;
    let mut result = json!({ "undone": undone.messages + undone.folders, "left": undone.left });
    if undone.unknown > 0 {
        result["unknown"] = json!(undone.unknown);
    }
    if let Some(error) = undone.problem {
        result["problem"] = ToolError::from(error).to_json(&context.services.accounts_url);
    }
    Ok(result.into())
}
