#![doc = include_str!("../README.md")]

mod headers;
mod links;
mod range;
mod uploads;

pub use headers::{content_type, disposition};
pub use links::{Attachments, AttachmentsDeps, Download, DownloadError, File, LIFETIME_SECONDS, Link};
pub use range::{ByteRange, cut};
pub use uploads::{MAX_UPLOAD, UPLOAD_SECONDS, UploadError, UploadLink, Uploaded, Uploads, UploadsDeps};
