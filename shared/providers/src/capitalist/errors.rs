//! Every code of the document → what it means.
//!
//! Only [`Class::Unread`], [`Class::Locked`] and [`Class::Token`] are given before a batch is
//! read. After any other answer to an import but 0, its rows are unknown (S9): the classes below
//! say what the *lane* is to do, never that a row was not taken.

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Credentials, configuration or request refused before anything was read: the lane stops.
    Unread,
    /// Too many wrong passwords: the lane stops for a while.
    Locked,
    /// The token is too old: a new one, once.
    Token,
    /// The provider's own trouble: nothing can be concluded.
    Trouble,
    /// The confirmation of batches is set up wrongly: the lane stops.
    Setup,
    /// An account that does not exist: ours, or a beneficiary's.
    Account,
    /// The account is empty: the lane waits for money.
    Balance,
    /// Too many records in one batch.
    TooMany,
    /// One record was refused, and is named.
    Record,
    /// One payment type is away, and its first record is named by its place.
    Away,
    /// The code of a confirmation.
    Code,
    /// Refused as a whole, by something in it or by a word to the support.
    Whole,
}

/// A code of the document.
pub(super) struct Known {
    pub(super) code: u32,
    pub(super) class: Class,
    /// What it means, for people: the provider's own text comes before it.
    about: &'static str,
}

const fn known(code: u32, class: Class, about: &'static str) -> Known {
    Known { code, class, about }
}

/// The document's table, whole but for 0.
pub(super) const CODES: &[Known] = &[
    known(1, Class::Trouble, "system error"),
    known(2, Class::Trouble, "run-time error"),
    known(5, Class::Unread, "check login: the provider knows no such user"),
    known(10, Class::Unread, "the provider could not decrypt the password"),
    known(15, Class::Unread, "check password: it is wrong, and too many wrong ones lock the login"),
    known(16, Class::Locked, "too many logins failed; trying again sooner prolongs the lock"),
    known(20, Class::Token, "the provider takes no token of ours"),
    known(25, Class::Whole, "a batch was asked for without pages"),
    known(110, Class::Setup, "check key: the signature does not fit the certificate"),
    known(111, Class::Whole, "a record holds a character that is not taken"),
    known(112, Class::TooMany, "too many records in one batch"),
    known(125, Class::Whole, "the batch could not be read; compare formats with the provider's"),
    known(130, Class::Account, "an account was not found"),
    known(131, Class::Unread, "check accounts: the provider wants a source account"),
    known(132, Class::Whole, "the batch was empty"),
    known(135, Class::Balance, "top up the account; the lane tries again by itself"),
    known(150, Class::Unread, "the request did not arrive as POST; check base_url and proxy"),
    known(151, Class::Unread, "the provider does not know the operation; check base_url"),
    known(152, Class::Unread, "the API is not open for this user; ask the provider"),
    known(155, Class::Whole, "registration: the login is taken"),
    known(156, Class::Whole, "registration: the address is taken"),
    known(157, Class::Whole, "registration: the login's form"),
    known(158, Class::Whole, "registration: the address's form"),
    known(159, Class::Whole, "registration: the nickname's form"),
    known(160, Class::Whole, "registration: the phone number"),
    known(170, Class::Whole, "a wallet could not be made"),
    known(180, Class::Setup, "check verification: the provider does not know the method"),
    known(181, Class::Setup, "check verification: the method is not active for this user"),
    known(182, Class::Setup, "check verification and key: the signature is missing"),
    known(185, Class::Record, "a record was refused: its amount is zero"),
    known(186, Class::Whole, "the batch was refused; ask the provider's support"),
    known(187, Class::Away, "a payment type is away for now"),
    known(188, Class::Record, "the record was refused"),
    known(190, Class::Whole, "unknown document type"),
    known(191, Class::Whole, "unknown service provider code"),
    known(192, Class::Whole, "unknown urgency of a wire"),
    known(193, Class::Whole, "no recipient"),
    known(194, Class::Whole, "the beneficiary's account must be our own"),
    known(195, Class::Whole, "the debit account must be our own"),
    known(196, Class::Whole, "the amount must be above zero"),
    known(197, Class::Code, "the code could not be sent; ask the provider for another"),
    known(198, Class::Code, "the code is wrong; enter the right one"),
    known(200, Class::Whole, "the account does not exist"),
    known(202, Class::Whole, "wrong request parameters"),
];

/// What a code means; one that no document lists has no meaning but its text.
pub(super) fn class(code: u32) -> Class {
    find(code).map_or(Class::Whole, |known| known.class)
}

/// What a code means for people.
pub(super) fn about(code: u32) -> &'static str {
    find(code).map_or("a code that no document lists", |known| known.about)
}

fn find(code: u32) -> Option<&'static Known> {
    CODES.iter().find(|known| known.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document's numbers, as they stand there.
    const DOCUMENTED: &[u32] = &[
        1, 2, 5, 10, 15, 16, 20, 25, 110, 111, 112, 125, 130, 131, 132, 135, 150, 151, 152, 155,
        156, 157, 158, 159, 160, 170, 180, 181, 182, 185, 186, 187, 188, 190, 191, 192, 193, 194,
        195, 196, 197, 198, 200, 202,
    ];

    #[test]
    fn every_code_of_the_document_is_known_once_and_no_other() {
        let ours: Vec<u32> = CODES.iter().map(|known| known.code).collect();
        assert_eq!(ours, DOCUMENTED);
    }

    #[test]
    fn exactly_nine_codes_are_given_before_a_batch_is_read() {
        let is_unread =
            |known: &&Known| matches!(known.class, Class::Unread | Class::Locked | Class::Token);
        let unread: Vec<u32> = CODES.iter().filter(is_unread).map(|known| known.code).collect();
        assert_eq!(unread, [5, 10, 15, 16, 20, 131, 150, 151, 152]);
        assert_eq!(class(299), Class::Whole);
    }
}
