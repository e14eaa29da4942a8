//! Every tool: the contract of docs/tools.md, as owner, as a reader, as a stranger, on the mailbox in memory and behind
//! servers that lie.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod all_accounts;
mod cannot;
mod converters;
mod correspondents;
mod drafts;
mod fates;
mod fillers;
mod gaps;
mod house;
mod levels;
mod lists;
mod organising;
mod plans;
mod reading;
mod research;
mod scripted;
mod searches;
mod servers;
mod several;
mod tables;
mod uploads;
mod writing;
