#![doc = include_str!("../README.md")]

mod arriving;
mod headers;
mod links;
mod range;
mod uploads;

pub use arriving::Arriving;
pub use headers::{content_type, disposition};
pub use links::{Attachments, AttachmentsDeps, Download, DownloadError, File, LIFETIME_SECONDS, Link};
pub use range::{ByteRange, cut};
pub use uploads::{
    ARRIVAL_SECONDS, MAX_UPLOAD, UPLOAD_SECONDS, UploadError, UploadLink, Uploaded, Uploads, UploadsDeps,
};
