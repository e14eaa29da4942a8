use crate::{
    arguments::{Arguments, Field, Kind},
    context::Context,
    error::ToolError,
    reply::Reply,
    spec::{Effect, Spec},
};
use imapmcp_core::permission::Permission;
use imapmcp_organizing::OperationKind;
use serde_json::json;

pub(crate) const SPEC: Spec = Spec {
    name: "undo_operation",
    title: "Undo a change",
    about: "Takes a change back by the operation_id its answer gave, within 7 days, as far as messages are still where it put them.",
    permission: Permission::Organize,
    also: &[],
    effect: Effect::Adjusts,
    fields: &[Field::required("operation_id", Kind::Text(100), "", "\"op_…\"")],
    output: &["undone", "left"],
    run: |context, arguments| Box::pin(run(context, arguments)),
};

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let field = "operation_id";
    let (organizer, id) = (&context.services.organizer, arguments.text(field).unwrap_or_default());
    let operation = context.operation(OperationKind::Change, field, id).await?;
    let opened = context.open(Some(operation.account.as_str())).await?;
    let undone =
        organizer.undo(&opened, &operation).await.map_err(|error| ToolError::operation(field, error))?;
    let mut result = json!({ "undone": undone.messages, "left": undone.left });
    if undone.unknown > 0 {
        result["unknown"] = json!(undone.unknown);
    }
    if let Some(error) = undone.problem {
        result["problem"] = ToolError::from(error).to_json(&context.services.accounts_url);
    }
    Ok(result.into())
}
