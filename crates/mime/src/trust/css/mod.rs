//! As much of CSS as decides whether text is seen, by the tokens of `cssparser` (CSS Syntax 3): what a browser takes for a
//! comment, an escape, a block or an error is that here too.

mod declarations;
mod media;
mod selectors;
mod sheets;
mod spelling;

pub(crate) use declarations::{Attributes, Declaration, Property, stated};
pub(crate) use media::applies;
pub(crate) use sheets::Sheets;
pub(crate) use spelling::addresses;
