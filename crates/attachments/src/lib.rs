#![doc = include_str!("../README.md")]

mod headers;
mod links;
mod range;

pub use headers::{content_type, disposition};
pub use links::{Attachments, AttachmentsDeps, Download, DownloadError, File, LIFETIME_SECONDS, Link};
pub use range::{ByteRange, cut};
