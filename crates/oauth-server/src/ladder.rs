//! From what a person chooses on the consent page, for each account, to what the consent says.

use crate::{Consent, Lifetime};
use imapmcp_core::{
    account::Account,
    form::Parameters,
    oauth::{AccountGrant, AccountScope, SendPolicy},
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

/// An account that is ticked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenAccount {
    /// Its identifier as submitted, perhaps of somebody else's or of none.
    pub id: String,
    /// How far with it.
    pub level: Level,
}

/// What is ticked and chosen on the consent page.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Which accounts, and how far with each.
    pub accounts: Vec<ChosenAccount>,
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
            accounts: default
                .map(|account| ChosenAccount { id: account.id.to_string(), level: Level::Read })
                .into_iter()
                .collect(),
            delete: false,
            at_once: false,
            lifetime: if local { Lifetime::Day } else { Lifetime::Quarter },
        }
    }

    /// Those submitted in `account` (any number), `level-ACCOUNT` (or `level`, for accounts without their own), `delete`,
    /// `at_once`, `expiry`; what is missing or unknown falls back to the least.
    pub fn submitted(form: &Parameters) -> Self {
        let level = |id: &str| Level::parse(form.first(&format!("level-{id}")));
        let chosen = |id: &str| ChosenAccount {
            id: id.to_owned(),
            level: level(id).or_else(|| Level::parse(form.first("level"))).unwrap_or(Level::Read),
        };
        Self {
            accounts: form.all("account").map(chosen).collect(),
            delete: form.first("delete") == "yes",
            at_once: form.first("at_once") == "yes",
            lifetime: Lifetime::parse(form.first("expiry")).unwrap_or(Lifetime::Day),
        }
    }

    /// How far with this account, if it is ticked.
    pub fn level_of(&self, id: &str) -> Option<Level> {
        self.accounts.iter().find(|chosen| chosen.id == id).map(|chosen| chosen.level)
    }

    /// What they mean for a client that requested so much, and a user who has these accounts. An account with which nothing
    /// would be allowed is left out.
    pub fn consent(&self, requested: Permissions, accounts: &[Account]) -> Consent {
        let own = accounts.iter().filter_map(|account| {
            let level = self.level_of(account.id.as_str())?;
            self.at_account(account, level, requested)
        });
        let list: Vec<AccountGrant> = own.collect();
        let soonest = |policy: SendPolicy, one: &AccountGrant| {
            if one.send_policy.loosens(policy) { one.send_policy } else { policy }
        };
        Consent {
            permissions: list.iter().flat_map(|one| one.permissions.iter()).collect(),
            send_policy: list.iter().fold(SendPolicy::Approval, soonest),
            accounts: AccountScope::Some(list),
            lifetime: self.lifetime,
        }
    }

    fn at_account(&self, account: &Account, level: Level, requested: Permissions) -> Option<AccountGrant> {
        let mut permissions = level.permissions(requested);
        if self.delete && requested.allows(Permission::Delete) {
            permissions = permissions.iter().chain([Permission::Delete]).collect();
        }
        let send_policy = match (level, self.at_once) {
            (Level::Send, true) => SendPolicy::Immediate,
            (Level::Send, false) => SendPolicy::UndoWindow(UNDO_SECONDS),
            // the least, should a message be sent all the same
            (Level::Read | Level::Organise | Level::Draft | Level::Approve, _) => SendPolicy::Approval,
        };
        let account = account.id.clone();
        (!permissions.is_empty()).then_some(AccountGrant { account, permissions, send_policy })
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

    fn marie(label: &str) -> Account {
        builders::account(&builders::user_id("marie"), label)
    }

    fn at(account: &Account, level: Level) -> ChosenAccount {
        ChosenAccount { id: account.id.to_string(), level }
    }

    #[test]
    fn each_account_has_its_own_level() {
        let [one, two, three] = ["one", "two", "three"].map(marie);
        let choices = Choices {
            accounts: vec![at(&two, Level::Send), at(&one, Level::Read)],
            ..Choices::first(&[], false)
        };
        let consent = choices.consent(Permissions::legacy(), &[one.clone(), two.clone(), three]);
        let read = Permissions::from([Permission::Read]);
        let of = |account: &Account, permissions, send_policy| AccountGrant {
            account: account.id.clone(),
            permissions,
            send_policy,
        };
        let undo = SendPolicy::UndoWindow(30);
        let expected = vec![of(&one, read, SendPolicy::Approval), of(&two, Permissions::legacy(), undo)];
        assert_eq!(consent.accounts, AccountScope::Some(expected));
        assert_eq!((consent.permissions, consent.send_policy), (Permissions::legacy(), undo));
        // a level that was not asked for allows nothing, and says so of that account alone
        let consent = choices.consent(read, &[one.clone(), two]);
        assert_eq!(consent.accounts, AccountScope::alike([one.id], read, SendPolicy::Approval));
    }

    #[test]
    fn only_who_is_asked_twice_sends_at_once() {
        let policy = |level, at_once| {
            let account = marie("one");
            let choices =
                Choices { accounts: vec![at(&account, level)], at_once, ..Choices::first(&[], false) };
            choices.consent(Permissions::all(), &[account]).send_policy
        };
        assert_eq!(policy(Level::Approve, true), SendPolicy::Approval);
        assert_eq!(policy(Level::Send, false), SendPolicy::UndoWindow(30));
        assert_eq!(policy(Level::Send, true), SendPolicy::Immediate);
        assert_eq!(policy(Level::Read, true), SendPolicy::Approval);
    }

    #[test]
    fn deleting_needs_its_own_tick_and_the_clients_wish() {
        let account = [Account { is_default: true, ..marie("one") }];
        let choices = Choices { delete: true, ..Choices::first(&account, false) };
        assert_eq!(
            choices.consent(Permissions::all(), &account).permissions.to_string(),
            "mail.read mail.organize mail.delete"
        );
        assert_eq!(choices.consent(Permissions::legacy(), &account).permissions.to_string(), "mail.read");
    }

    #[test]
    fn what_is_missing_or_unknown_falls_back_to_the_least() {
        for form in ["", "level=owner&expiry=ever&delete=1&at_once=true&account=a&level-a=all&level-b=send"] {
            let choices = Choices::submitted(&Parameters::parse(form.as_bytes()));
            assert!(choices.accounts.iter().all(|chosen| chosen.level == Level::Read), "{form}");
            assert_eq!(choices.lifetime, Lifetime::Day, "{form}");
            assert!(!choices.delete && !choices.at_once && choices.level_of("b").is_none(), "{form}");
        }
        for level in Level::ALL {
            for name in ["level", "level-a"] {
                let form = format!("account=a&account=b&{name}={}&delete=yes&at_once=yes", level.value());
                let choices = Choices::submitted(&Parameters::parse(form.as_bytes()));
                assert_eq!(choices.level_of("a"), Some(level), "{form}");
                let other = if name == "level" { level } else { Level::Read };
                assert_eq!(choices.level_of("b"), Some(other), "{form}");
                assert!(choices.delete && choices.at_once, "{form}");
            }
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
            assert_eq!(
                (&choices.accounts, choices.lifetime),
                (&vec![at(&accounts[1], Level::Read)], lifetime)
            );
            let consent = choices.consent(Permissions::all(), &accounts);
            let read = Permissions::from([Permission::Read]);
            assert_eq!(
                consent.accounts,
                AccountScope::alike([accounts[1].id.clone()], read, SendPolicy::Approval)
            );
        }
    }

    #[test]
    fn only_accounts_of_the_user_are_covered() {
        let accounts = [builders::account(&builders::user_id("marie"), "one")];
        let form = format!("account={}&account=acc_of_somebody_else", accounts[0].id);
        let choices = Choices::submitted(&Parameters::parse(form.as_bytes()));
        let consent = choices.consent(Permissions::all(), &accounts);
        let read = Permissions::from([Permission::Read]);
        assert_eq!(
            consent.accounts,
            AccountScope::alike([accounts[0].id.clone()], read, SendPolicy::Approval)
        );
    }
}
