//! One file per tool (or per few that differ by little): what it is, and what it does.

use crate::spec::Spec;

/// Makes each file a module and each of its tools a row of [`TOOLS`]: the one place that names a tool.
macro_rules! tools {
    ($($file:ident: $($tool:ident),+;)+) => {
        $(mod $file;)+

        /// Every tool, in a fixed order.
        pub const TOOLS: &[Spec] = &[$($($file::$tool),+),+];
    };
}

tools! {
    list_accounts: SPEC;
    list_folders: SPEC;
    list_messages: SPEC;
    get_message: SPEC;
    get_thread: SPEC;
    search_messages: SPEC;
    get_attachment: SPEC;
    read_attachment: SPEC;
    find_contact: SPEC;
    create_upload: SPEC;
    send_message: SPEC;
    answer: REPLY, FORWARD;
    drafts: CREATE, UPDATE, SEND;
    outbox: LIST, CANCEL;
    flags: READ, UNREAD, FLAG, UNFLAG, SET;
    transfer: ARCHIVE, MOVE, COPY, DELETE;
    folders: CREATE, RENAME, DELETE;
    bulk: PLAN, RUN;
    undo: SPEC;
}
