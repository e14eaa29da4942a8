//! What a page says of a new password that is not taken.

use crate::{error::WebError, page::Problem};
use imapmcp_oauth_server::password::PasswordError;

/// The problem that a person can mend; `Err` is for everything else.
pub(crate) fn refused(error: PasswordError) -> Result<Problem, WebError> {
    Ok(match error {
        PasswordError::TooShort => {
            Problem::new("That password is too short", "It needs at least 12 characters.")
        }
        PasswordError::TooLong => {
            Problem::new("That password is too long", "It may have at most 1,024 characters.")
        }
        PasswordError::Common => Problem::new(
            "That password is easy to guess",
            "It is a common one, a row of characters, or made of your address. Take four words that have nothing to do with each other.",
        ),
        PasswordError::Busy => return Err(WebError::Unavailable),
        PasswordError::Failed => return Err(WebError::Internal(error.into())),
    })
}
