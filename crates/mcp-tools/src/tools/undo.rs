use crate::{
    arguments::{Arguments, Field, Kind},
    context::Context,
    error::ToolError,
    operations,
    reply::Reply,
    spec::{Effect, Spec},
};
use imapmcp_core::{operation::OperationState, permission::Permission};
use serde_json::json;

pub(crate) const SPEC: Spec = Spec {
    name: "undo_operation",
    title: "Undo a change",
    about: "Takes a change back by the operation_id its answer gave, within 7 days, as far as messages are still where it put them.",
    permission: Permission::Organize,
    effect: Effect::Adjusts,
    fields: &[Field::required("operation_id", Kind::Text(100), "", "\"op_…\"")],
    output: &["undone", "left"],
    run: |context, arguments| Box::pin(run(context, arguments)),
};

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let field = "operation_id";
    let operation =
        operations::find(context, field, arguments.text(field).unwrap_or_default(), "change").await?;
    let opened = context.open(Some(operation.account.as_str())).await?;
    operations::take(context, field, &operation, OperationState::Done).await?;
    let undone = operations::undo(&opened, &operation.detail).await;
    let state = match &undone {
        // nothing was taken back: it can be tried again
        Err(_) => OperationState::Done,
        Ok(undone) if undone.problem.is_some() => OperationState::Failed,
        Ok(_) => OperationState::Undone,
    };
    operations::settle(context, &operation, state).await;
    let undone = undone?;
    let mut result = json!({ "undone": undone.messages, "left": undone.left });
    if undone.unknown > 0 {
        result["unknown"] = json!(undone.unknown);
    }
    if let Some(error) = undone.problem {
        result["problem"] = error.to_json(&context.services.accounts_url);
    }
    Ok(result.into())
}
