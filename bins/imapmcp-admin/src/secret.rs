//! Secrets come from a file, from standard input, or from a prompt; never from an argument.

use crate::failure::{Failure, Kind};
use imapmcp_core::secret::SecretString;
use std::{
    fs,
    io::{self, IsTerminal as _, Read as _},
    path::Path,
};

/// More than any password, less than any accident.
const LIMIT: u64 = 64 * 1024;

/// Reads a password: the file's first line, standard input's for `-`, or what is typed at the prompt.
pub(crate) fn read(file: Option<&Path>, prompt: &str, twice: bool) -> Result<SecretString, Failure> {
    let text = match file {
        Some(path) if path == Path::new("-") => first_line(io::stdin().lock()),
        Some(path) => fs::File::open(path)
            .and_then(first_line)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        None if io::stdin().is_terminal() => return ask(prompt, twice),
        None => {
            return Err(Failure::new(
                Kind::Usage,
                "there is no terminal to ask for the password; use --password-file FILE, or - for standard input",
            ));
        }
    };
    text.map_err(|error| Failure::new(Kind::NotFound, format!("cannot read the password: {error}")))
}

fn ask(prompt: &str, twice: bool) -> Result<SecretString, Failure> {
    let typed = |prompt: String| {
        rpassword::prompt_password(prompt)
            .map(SecretString::from)
            .map_err(|error| Failure::new(Kind::Usage, format!("cannot read the password: {error}")))
    };
    let password = typed(format!("{prompt}: "))?;
    if twice {
        use imapmcp_core::secret::ExposeSecret as _;
        let again = typed(format!("{prompt} again: "))?;
        if password.expose_secret() != again.expose_secret() {
            return Err(Failure::new(Kind::Usage, "the two passwords differ"));
        }
    }
    Ok(password)
}

/// Without its line break. A file with more lines is not a password file.
fn first_line(source: impl io::Read) -> io::Result<SecretString> {
    let mut text = String::new();
    source.take(LIMIT).read_to_string(&mut text)?;
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if line.contains('\n') {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "there is more than one line"));
    }
    Ok(SecretString::from(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_core::secret::ExposeSecret as _;

    #[test]
    fn one_line_is_a_password_and_two_are_not() {
        for (text, password) in [("a b", "a b"), ("x\n", "x"), ("x\r\n", "x"), (" x \n", " x "), ("", "")] {
            assert_eq!(first_line(text.as_bytes()).unwrap().expose_secret(), password, "{text:?}");
        }
        assert!(first_line("x\ny\n".as_bytes()).is_err());
    }
}
