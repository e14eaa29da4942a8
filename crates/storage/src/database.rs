//! The only module that knows there are two databases.

use crate::{
    failure::Failure,
    url::{DatabaseUrl, Target},
};
use ::deadpool::{
    Runtime,
    managed::{Manager, Object, Pool},
};
use diesel::{ConnectionError, SqliteConnection};
use diesel_async::{
    AsyncConnection, AsyncPgConnection, SimpleAsyncConnection,
    pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool},
    sync_connection_wrapper::SyncConnectionWrapper,
};
use imapmcp_core::{
    store::StoreError,
    time::{Clock, SystemClock},
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub(crate) type Sqlite = SyncConnectionWrapper<SqliteConnection>;
pub(crate) type Postgres = AsyncPgConnection;

/// How long a call waits for a connection before it is told that the database is unavailable. With what a statement waits
/// for a lock it stays under five seconds.
const WAIT: Duration = Duration::from_millis(2_500);

/// What every Postgres connection starts with: a call is told after 2 seconds that somebody holds a table or a row; a
/// statement that runs away, and a transaction that was forgotten open, end by themselves.
const TIMEOUTS: &str =
    "SET lock_timeout = '2s'; SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '30s'";

/// What every SQLite connection starts with. FULL, because a commit that a power cut takes back would send a message
/// twice or let a spent code be spent again.
/// Half a megabyte of cache a connection, not two: the system caches the file, and chunks of large messages pass through.
pub(crate) const PRAGMAS: &str = "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA cache_size = -512; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;";

/// The repositories, on whichever database the URL names. Clones share their connections.
#[derive(Clone)]
pub struct Database {
    pub(crate) url: DatabaseUrl,
    /// What SQLite opens; differs from the URL for a database in memory.
    pub(crate) location: String,
    /// Tells the time where the database has no clock of its own.
    pub(crate) clock: Arc<dyn Clock>,
    pools: Pools,
}

#[derive(Clone)]
enum Pools {
    Sqlite {
        readers: deadpool::Pool<Sqlite>,
        /// One connection: SQLite has one writer at a time, and a queue is fairer than polling for the lock.
        writer: deadpool::Pool<Sqlite>,
        /// A database in memory lives as long as a connection to it.
        _anchor: Option<Arc<Sqlite>>,
    },
    Postgres(deadpool::Pool<Postgres>),
}

#[expect(clippy::large_enum_variant, reason = "lives on the stack for one query")]
pub(crate) enum Conn {
    Sqlite(deadpool::Object<Sqlite>),
    Postgres(deadpool::Object<Postgres>),
}

impl Database {
    /// Prepares the pools. Connections are made on first use, so an unreachable database shows then.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        static MEMORIES: AtomicU64 = AtomicU64::new(0);
        let (location, pools) = match url.target() {
            Target::File(path) => {
                let (readers, writer) = (sqlite_pool(path, 4)?, sqlite_pool(path, 1)?);
                (path.clone(), Pools::Sqlite { readers, writer, _anchor: None })
            }
            Target::Memory => {
                let name = MEMORIES.fetch_add(1, Ordering::Relaxed);
                // Shared by the connections of this process, unlike `:memory:`; dies with the last of them.
                let location = format!("file:/imapmcp-{name}?vfs=memdb");
                let anchor = open_sqlite(&location).await.map_err(|e| StoreError::Unavailable(e.into()))?;
                let pool = sqlite_pool(&location, 1)?;
                let writer = pool.clone();
                (location, Pools::Sqlite { readers: pool, writer, _anchor: Some(Arc::new(anchor)) })
            }
            Target::Postgres(url) => {
                let mut config = ManagerConfig::default();
                config.custom_setup = Box::new(|url| Box::pin(open_postgres(url)));
                let manager = AsyncDieselConnectionManager::<Postgres>::new_with_config(url, config);
                (String::new(), Pools::Postgres(pool(manager, 16)?))
            }
        };
        Ok(Self { url: url.clone(), location, clock: Arc::new(SystemClock), pools })
    }

    /// Tells the time by this clock where the database has none of its own: SQLite is code of this process. Without it that
    /// is the machine's, which every process that opens the file looks at.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// One round trip to the database.
    pub async fn ping(&self) -> Result<(), StoreError> {
        with_conn!(self, |c| {
            diesel_async::RunQueryDsl::execute(diesel::sql_query("SELECT 1"), c).await?;
            Ok(())
        })
    }

    /// A connection to read with.
    pub(crate) async fn reader(&self) -> Result<Conn, Failure> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => take(readers).await.map(Conn::Sqlite),
            Pools::Postgres(pool) => take(pool).await.map(Conn::Postgres),
        }
    }

    /// A connection to write with.
    pub(crate) async fn writer(&self) -> Result<Conn, Failure> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => take(writer).await.map(Conn::Sqlite),
            Pools::Postgres(pool) => take(pool).await.map(Conn::Postgres),
        }
    }

    /// Whether who writes now waits for others: what is nice to know is written another time.
    pub(crate) fn is_busy(&self) -> bool {
        let status = match &self.pools {
            Pools::Sqlite { writer, .. } => writer.status(),
            Pools::Postgres(pool) => pool.status(),
        };
        status.waiting > 0 || (status.available == 0 && status.size >= status.max_size)
    }
}

/// The URL without its password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.url).finish()
    }
}

fn sqlite_pool(location: &str, size: usize) -> Result<deadpool::Pool<Sqlite>, StoreError> {
    let mut config = ManagerConfig::default();
    config.custom_setup = Box::new(|location| Box::pin(open_sqlite(location)));
    // A file does not hang up; asking it first would cost every call a trip to a blocking thread.
    config.recycling_method = RecyclingMethod::Fast;
    pool(AsyncDieselConnectionManager::<Sqlite>::new_with_config(location, config), size)
}

fn pool<M>(manager: M, size: usize) -> Result<Pool<M>, StoreError>
where
    M: Manager,
    M::Error: std::error::Error + Send + Sync + 'static,
{
    Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .recycle_timeout(Some(WAIT))
        .build()
        .map_err(|error| StoreError::Unavailable(error.into()))
}

async fn take<M>(pool: &Pool<M>) -> Result<Object<M>, Failure>
where
    M: Manager,
    M::Error: std::error::Error + Send + Sync + 'static,
{
    // one bound for all its steps: waiting, trying connections that were idle, making one
    match tokio::time::timeout(WAIT, pool.get()).await {
        Ok(taken) => taken.map_err(|error| Failure::Connection(error.into())),
        Err(late) => Err(Failure::Connection(late.into())),
    }
}

async fn open_postgres(url: &str) -> Result<Postgres, ConnectionError> {
    let mut connection = Postgres::establish(url).await?;
    connection.batch_execute(TIMEOUTS).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

async fn open_sqlite(location: &str) -> Result<Sqlite, ConnectionError> {
    let mut connection = Sqlite::establish(location).await?;
    connection.batch_execute(PRAGMAS).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// A pooled connection with a transaction open on it. Dropped before [`Self::done`] (the client hung up and the web
/// framework dropped the request), it closes the connection instead of handing it back: a pooled connection with an
/// open transaction would keep its row locks.
pub(crate) struct InTx<M: Manager>(Option<Object<M>>);

impl<M: Manager> InTx<M> {
    pub(crate) fn new(pooled: Object<M>) -> Self {
        Self(Some(pooled))
    }

    pub(crate) fn conn(&mut self) -> &mut M::Type {
        self.0.as_mut().expect("present until done")
    }

    /// The transaction ended, either way: the pool may have the connection back.
    pub(crate) fn done(mut self) {
        self.0.take();
    }
}

impl<M: Manager> Drop for InTx<M> {
    fn drop(&mut self) {
        if let Some(pooled) = self.0.take() {
            drop(Object::take(pooled));
        }
    }
}

/// Runs one block of Diesel code on the connection; it is written once and type-checked against both backends.
macro_rules! on {
    ($connection:expr, |$conn:ident| $body:expr) => {{
        let outcome: Result<_, $crate::failure::Failure> = async {
            match $connection.await? {
                $crate::database::Conn::Sqlite(mut owned) => {
                    let $conn = &mut *owned;
                    $body
                }
                $crate::database::Conn::Postgres(mut owned) => {
                    let $conn = &mut *owned;
                    $body
                }
            }
        }
        .await;
        outcome.map_err(imapmcp_core::store::StoreError::from)
    }};
}

/// Reads.
macro_rules! with_conn {
    ($db:expr, |$conn:ident| $body:expr) => {
        $crate::database::on!($db.reader(), |$conn| $body)
    };
}

/// Writes with one statement.
macro_rules! with_write {
    ($db:expr, |$conn:ident| $body:expr) => {
        $crate::database::on!($db.writer(), |$conn| $body)
    };
}

/// Writes with several statements, all or none. `BEGIN IMMEDIATE` on SQLite, so a reader never has to upgrade its
/// lock half-way.
macro_rules! with_tx {
    ($db:expr, |$conn:ident| $body:block) => {{
        let outcome: Result<_, $crate::failure::Failure> = async {
            match $db.writer().await? {
                $crate::database::Conn::Sqlite(pooled) => {
                    let mut tx = $crate::database::InTx::new(pooled);
                    let out = tx.conn().immediate_transaction(async |$conn| $body).await;
                    tx.done();
                    out
                }
                $crate::database::Conn::Postgres(pooled) => {
                    let mut tx = $crate::database::InTx::new(pooled);
                    let out =
                        diesel_async::AsyncConnection::transaction(tx.conn(), async |$conn| $body).await;
                    tx.done();
                    out
                }
            }
        }
        .await;
        outcome.map_err(imapmcp_core::store::StoreError::from)
    }};
}
pub(crate) use {on, with_conn, with_tx, with_write};
