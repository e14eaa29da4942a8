//! Pictures a model can look at.

use crate::error::ExtractError;
use image::{
    DynamicImage, ExtendedColorType, ImageEncoder, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
};
use std::io::Cursor;

/// Pixels a side: more is scaled down by the models themselves.
const MAX_SIDE: u32 = 1568;
/// Pixels a side that are decoded at all.
const MAX_SOURCE: u32 = 16_000;
/// Memory for decoding.
const MAX_MEMORY: u64 = 400 * 1024 * 1024;

/// The picture scaled down, written anew: nothing of the sender's file but its pixels goes on.
pub(crate) fn scaled(octets: &[u8]) -> Result<(&'static str, Vec<u8>), ExtractError> {
    let mut reader =
        ImageReader::new(Cursor::new(octets)).with_guessed_format().map_err(|_| ExtractError::Damaged)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SOURCE);
    limits.max_image_height = Some(MAX_SOURCE);
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let picture = reader.decode().map_err(|_| ExtractError::Damaged)?;
    let picture = if picture.width().max(picture.height()) > MAX_SIDE {
        picture.thumbnail(MAX_SIDE, MAX_SIDE)
    } else {
        picture
    };
    let mut out = Vec::new();
    let written = if picture.color().has_alpha() {
        let pixels = picture.to_rgba8();
        let encoder = PngEncoder::new(&mut out);
        encoder
            .write_image(&pixels, pixels.width(), pixels.height(), ExtendedColorType::Rgba8)
            .map(|()| "image/png")
    } else {
        let pixels = DynamicImage::into_rgb8(picture);
        let encoder = JpegEncoder::new_with_quality(&mut out, 82);
        encoder
            .write_image(&pixels, pixels.width(), pixels.height(), ExtendedColorType::Rgb8)
            .map(|()| "image/jpeg")
    };
    Ok((written.map_err(|_| ExtractError::Damaged)?, out))
}
