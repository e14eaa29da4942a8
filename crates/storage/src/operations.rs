use crate::{
    database::{Database, with_conn, with_tx, with_write},
    failure::Failure,
    schema::operations,
    stored_text::{Word, id},
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::{OperationId, UserId},
    operation::{MAX_DETAIL, Operation, OperationState},
    store::{OperationRepository, StoreError},
    time::Timestamp,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = operations)]
struct OperationRow {
    id: String,
    user_id: String,
    account_id: String,
    kind: String,
    state: String,
    detail: String,
    created_at: i64,
    expires_at: i64,
}

impl From<&Operation> for OperationRow {
    fn from(operation: &Operation) -> Self {
        Self {
            id: operation.id.to_string(),
            user_id: operation.user.to_string(),
            account_id: operation.account.to_string(),
            kind: operation.kind.clone(),
            state: operation.state.word().to_owned(),
            detail: operation.detail.clone(),
            created_at: operation.created_at.0,
            expires_at: operation.expires_at.0,
        }
    }
}

impl TryFrom<OperationRow> for Operation {
    type Error = Failure;

    fn try_from(row: OperationRow) -> Result<Self, Failure> {
        Ok(Self {
            id: id(&row.id)?,
            user: id(&row.user_id)?,
            account: id(&row.account_id)?,
            kind: row.kind,
            state: OperationState::of(&row.state)?,
            detail: row.detail,
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
        })
    }
}

fn fits(detail: &str) -> Result<(), StoreError> {
    if detail.len() > MAX_DETAIL {
        return Err(StoreError::Query("the detail of an operation is too long".into()));
    }
    Ok(())
}

#[async_trait]
impl OperationRepository for Database {
    async fn add_operations(&self, operations: &[Operation]) -> Result<(), StoreError> {
        operations.iter().try_for_each(|operation| fits(&operation.detail))?;
        let rows: Vec<OperationRow> = operations.iter().map(OperationRow::from).collect();
        with_tx!(self, |c| {
            for row in rows {
                diesel::insert_into(operations::table).values(row).execute(c).await?;
            }
            Ok(())
        })
    }

    async fn find_operation(
        &self,
        user: &UserId,
        id: &OperationId,
        now: Timestamp,
    ) -> Result<Option<Operation>, StoreError> {
        let row: Option<OperationRow> = with_conn!(self, |c| Ok(operations::table
            .find(id.as_str())
            .filter(operations::user_id.eq(user.as_str()))
            .filter(operations::expires_at.gt(now.0))
            .select(OperationRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.map(Operation::try_from).transpose()?)
    }

    async fn advance_operation(
        &self,
        user: &UserId,
        id: &OperationId,
        from: OperationState,
        to: OperationState,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        fits(detail.unwrap_or_default())?;
        let changed = with_write!(self, |c| {
            let live = diesel::update(operations::table.find(id.as_str()))
                .filter(operations::user_id.eq(user.as_str()))
                .filter(operations::state.eq(from.word()))
                .filter(operations::expires_at.gt(now.0));
            Ok(match detail {
                Some(detail) => {
                    let set = (operations::state.eq(to.word()), operations::detail.eq(detail));
                    live.set(set).execute(c).await?
                }
                None => live.set(operations::state.eq(to.word())).execute(c).await?,
            })
        })?;
        Ok(changed == 1)
    }

    async fn purge_operations(&self, before: Timestamp) -> Result<usize, StoreError> {
        with_write!(self, |c| Ok(diesel::delete(operations::table)
            .filter(operations::expires_at.lt(before.0))
            .execute(c)
            .await?))
    }
}
