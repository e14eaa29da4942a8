//! What servers say in plain words where they refuse a login and the code leaves it open. All in lower case.

/// The provider takes an app password only (Gmail, Yahoo, iCloud, Fastmail, Zoho, Mail.ru, QQ and others).
pub(crate) fn wants_app_password(words: &str) -> bool {
    const SAYS: [&str; 8] = [
        "application-specific password",
        "application specific password",
        "app-specific password",
        "app password",
        "application password",
        "application is required to use a password",
        "authorization code",
        "authorized code",
    ];
    SAYS.iter().any(|one| words.contains(one))
}

/// The server cannot check logins just now.
pub(crate) fn is_passing(words: &str) -> bool {
    const SAYS: [&str; 9] = [
        "temporar",
        "try again later",
        "please try later",
        "maintenance",
        "server error",
        "internal error",
        "service unavailable",
        "not available",
        "backend",
    ];
    SAYS.iter().any(|one| words.contains(one))
}

/// Too many connections or tries.
pub(crate) fn is_crowded(words: &str) -> bool {
    const SAYS: [&str; 5] =
        ["too many", "rate limit", "bandwidth limit", "maximum number of connections", "slow down"];
    SAYS.iter().any(|one| words.contains(one))
}
