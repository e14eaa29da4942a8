//! From what a person chooses on the consent page to what the consent says.

use crate::{Consent, Lifetime};
use imapmcp_core::{
    account::Account,
    form::Parameters,
    oauth::{AccountScope, SendPolicy},
    permission::{Permission, Permissions},
};

/// A message can be stopped for so many seconds where the user does not wish it to leave at once.
const UNDO_SECONDS: u32 = 30;

/// A rung of the ladder: what it adds to those below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Search and read.
    Read,
    /// Mark, move, archive.
    Organise,
    /// Write into the Drafts folder.
    Draft,
    /// Send what the user approved.
    Approve,
    /// Send.
    Send,
}

impl Level {
    /// From the lowest rung to the highest.
    pub const ALL: [Self; 5] = [Self::Read, Self::Organise, Self::Draft, Self::Approve, Self::Send];

    /// What the form's field `level` says.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Organise => "organise",
            Self::Draft => "draft",
            Self::Approve => "approve",
            Self::Send => "send",
        }
    }

    fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.value() == value)
    }

    const fn permission(self) -> Permission {
        match self {
            Self::Read => Permission::Read,
            Self::Organise => Permission::Organize,
            Self::Draft => Permission::Draft,
            Self::Approve | Self::Send => Permission::Send,
        }
    }

    /// Whether the client asked for this rung.
    pub fn is_offered(self, requested: Permissions) -> bool {
        requested.allows(self.permission())
    }

    /// Everything up to this rung that the client asked for; nothing if it did not ask for this rung.
    fn permissions(self, requested: Permissions) -> Permissions {
        if !self.is_offered(requested) {
            return Permissions::NONE;
        }
        let ladder = Self::ALL.into_iter().take_while(|level| *level != self).chain([self]);
        ladder.map(Self::permission).collect::<Permissions>().intersect(requested)
    }
}

/// What is ticked and chosen on the consent page.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Identifiers of accounts as submitted, perhaps of others' or of none.
    pub accounts: Vec<String>,
    /// How far.
    pub level: Level,
    /// Deleting for good, which no level includes.
    pub delete: bool,
    /// Messages leave without a moment in which they can be stopped.
    pub at_once: bool,
    /// How long.
    pub lifetime: Lifetime,
}

impl Choices {
    /// On the first visit: the default account, at Read; for a shorter time where the client is a program on the user's
    /// device (`local`), whose name proves nothing.
    pub fn first(accounts: &[Account], local: bool) -> Self {
        let default = accounts.iter().find(|account| account.is_default);
        Self {
            accounts: default.map(|account| account.id.to_string()).into_iter().collect(),
            level: Level::Read,
            delete: false,
            at_once: false,
            lifetime: if local { Lifetime::Day } else { Lifetime::Quarter },
        }
    }

    /// As submitted in `account` (any number), `level`, `delete`, `at_once`, `expiry`; what is missing or unknown falls
    /// back to the least.
    pub fn submitted(form: &Parameters) -> Self {
        Self {
            accounts: form.all("account").map(str::to_owned).collect(),
            level: Level::parse(form.first("level")).unwrap_or(Level::Read),
            delete: form.first("delete") == "yes",
            at_once: form.first("at_once") == "yes",
            lifetime: Lifetime::parse(form.first("expiry")).unwrap_or(Lifetime::Day),
        }
    }

    /// What they mean for a client that requested so much, and a user who has these accounts.
    pub fn consent(&self, requested: Permissions, accounts: &[Account]) -> Consent {
        let mut permissions = self.level.permissions(requested);
        if self.delete && requested.allows(Permission::Delete) {
            permissions = permissions.iter().chain([Permission::Delete]).collect();
        }
        let own = accounts.iter().filter(|account| self.accounts.iter().any(|id| id == account.id.as_str()));
        Consent {
            permissions,
            accounts: AccountScope::Some(own.map(|account| account.id.clone()).collect()),
            send_policy: match (self.level, self.at_once) {
                (Level::Send, true) => SendPolicy::Immediate,
                (Level::Send, false) => SendPolicy::UndoWindow(UNDO_SECONDS),
                // the least, should a message be sent all the same
                (Level::Read | Level::Organise | Level::Draft | Level::Approve, _) => SendPolicy::Approval,
            },
            lifetime: self.lifetime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_testkit::builders;

    #[test]
    fn a_level_gives_what_was_asked_for_and_nothing_else() {
        let all = Permissions::all();
        assert_eq!(Level::Read.permissions(all).to_string(), "mail.read");
        assert_eq!(Level::Draft.permissions(all).to_string(), "mail.read mail.organize mail.draft");
        assert_eq!(Level::Send.permissions(all).to_string(), "mail.read mail.organize mail.draft mail.send");
        let some = Permissions::from([Permission::Send]);
        assert_eq!(Level::Send.permissions(some).to_string(), "mail.read mail.draft mail.send");
        assert_eq!(Level::Organise.permissions(some), Permissions::NONE);
        assert_eq!(Level::Approve.permissions(all), Level::Send.permissions(all));
    }

    #[test]
    fn only_who_is_asked_twice_sends_at_once() {
        let policy = |level, at_once| {
            let choices = Choices { level, at_once, ..Choices::first(&[], false) };
            choices.consent(Permissions::all(), &[]).send_policy
        };
        assert_eq!(policy(Level::Approve, true), SendPolicy::Approval);
        assert_eq!(policy(Level::Send, false), SendPolicy::UndoWindow(30));
        assert_eq!(policy(Level::Send, true), SendPolicy::Immediate);
        assert_eq!(policy(Level::Read, true), SendPolicy::Approval);
    }

    #[test]
    fn deleting_needs_its_own_tick_and_the_clients_wish() {
        let choices = Choices { delete: true, ..Choices::first(&[], false) };
        assert_eq!(
            choices.consent(Permissions::all(), &[]).permissions.to_string(),
            "mail.read mail.organize mail.delete"
        );
        assert_eq!(choices.consent(Permissions::legacy(), &[]).permissions.to_string(), "mail.read");
    }

    #[test]
    fn what_is_missing_or_unknown_falls_back_to_the_least() {
        for form in ["", "level=owner&expiry=ever&delete=1&at_once=true"] {
            let choices = Choices::submitted(&Parameters::parse(form.as_bytes()));
            assert_eq!((choices.level, choices.lifetime), (Level::Read, Lifetime::Day), "{form}");
            assert!(!choices.delete && !choices.at_once && choices.accounts.is_empty(), "{form}");
        }
        for level in Level::ALL {
            let form = format!("level={}&delete=yes&at_once=yes", level.value());
            let choices = Choices::submitted(&Parameters::parse(form.as_bytes()));
            assert!(choices.level == level && choices.delete && choices.at_once, "{form}");
        }
        for lifetime in Lifetime::ALL {
            let form = Parameters::from([("expiry", lifetime.value())]);
            assert_eq!(Choices::submitted(&form).lifetime, lifetime);
        }
    }

    #[test]
    fn the_first_offer_is_small_and_short_for_a_program_on_the_device() {
        let default = imapmcp_core::account::Account {
            is_default: true,
            ..builders::account(&builders::user_id("marie"), "one")
        };
        let other = builders::account(&builders::user_id("marie"), "two");
        let accounts = [other, default];
        for (local, lifetime) in [(false, Lifetime::Quarter), (true, Lifetime::Day)] {
            let choices = Choices::first(&accounts, local);
            assert_eq!((choices.level, choices.lifetime), (Level::Read, lifetime));
            let consent = choices.consent(Permissions::all(), &accounts);
            assert_eq!(consent.accounts, AccountScope::Some(vec![accounts[1].id.clone()]));
        }
    }

    #[test]
    fn only_accounts_of_the_user_are_covered() {
        let accounts = [builders::account(&builders::user_id("marie"), "one")];
        let form = format!("account={}&account=acc_of_somebody_else", accounts[0].id);
        let choices = Choices::submitted(&Parameters::parse(form.as_bytes()));
        let consent = choices.consent(Permissions::all(), &accounts);
        assert_eq!(consent.accounts, AccountScope::Some(vec![accounts[0].id.clone()]));
    }
}
