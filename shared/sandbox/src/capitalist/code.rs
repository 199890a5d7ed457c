//! The document's error codes and their words.

/// What a call is refused with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) u16);

impl Code {
    pub(super) const SYSTEM: Self = Self(1);
    pub(super) const RUN_TIME: Self = Self(2);
    pub(super) const USER: Self = Self(5);
    pub(super) const UNDECRYPTABLE: Self = Self(10);
    pub(super) const PASSWORD: Self = Self(15);
    pub(super) const LOCKED: Self = Self(16);
    pub(super) const TOKEN: Self = Self(20);
    pub(super) const UNPAGED: Self = Self(25);
    pub(super) const SIGNATURE: Self = Self(110);
    pub(super) const CHARACTERS: Self = Self(111);
    pub(super) const TOO_MANY: Self = Self(112);
    pub(super) const UNPARSED: Self = Self(125);
    pub(super) const ACCOUNT: Self = Self(130);
    pub(super) const NO_SOURCE: Self = Self(131);
    pub(super) const EMPTY: Self = Self(132);
    pub(super) const FUNDS: Self = Self(135);
    pub(super) const NOT_POST: Self = Self(150);
    pub(super) const OPERATION: Self = Self(151);
    pub(super) const CLOSED: Self = Self(152);
    pub(super) const METHOD: Self = Self(180);
    pub(super) const METHOD_OFF: Self = Self(181);
    pub(super) const UNSIGNED: Self = Self(182);
    pub(super) const ZERO: Self = Self(185);
    pub(super) const TYPE_AWAY: Self = Self(187);
    pub(super) const SINGLE: Self = Self(188);
    pub(super) const DOCUMENT_TYPE: Self = Self(190);
    pub(super) const NO_RECIPIENT: Self = Self(193);
    pub(super) const NOT_OURS: Self = Self(195);
    pub(super) const NOT_POSITIVE: Self = Self(196);
    pub(super) const NO_ACCOUNT: Self = Self(200);
    pub(super) const PARAMS: Self = Self(202);

    /// The document's words; `None` for a code that it does not list.
    pub(super) fn words(self) -> Option<&'static str> {
        DOCUMENTED.iter().find(|(code, _)| *code == self.0).map(|(_, words)| *words)
    }

    /// Does its second line name one record?
    pub(super) fn names_a_record(self) -> bool {
        [Self::ZERO, Self::TYPE_AWAY, Self::SINGLE].contains(&self)
    }
}

/// All but 0, and but those of operations that the sandbox does not have.
const DOCUMENTED: [(u16, &str); 38] = [
    (1, "System error"),
    (2, "Run-time error"),
    (5, "User not found"),
    (10, "Error attempting to decrypt the password"),
    (15, "Invalid password"),
    (16, "The number of login attempts exceeded. Try 30 minutes later"),
    (20, "Invalid authentication token"),
    (
        25,
        "Information queries in batch downloads with over 1,000 entries is forbidden without page-by-page breakdown",
    ),
    (110, "Signature verification error"),
    (111, "The transfer data contains invalid characters"),
    (112, "Exceeded number of records in a single batch payment"),
    (125, "Uploaded file cannot be parsed"),
    (130, "Account not found"),
    (131, "At least one source account required"),
    (132, "Batch is empty"),
    (135, "Insufficient funds for operations"),
    (150, "A non-POST query received"),
    (151, "Unknown operation"),
    (152, "API unavailable for the user"),
    (170, "Error creating the wallet"),
    (180, "Unknown confirmation method"),
    (181, "The chosen confirmation method is inactive"),
    (182, "Digital signature missing"),
    (185, "Error importing a batch payment. The payment amount is equal to zero"),
    (186, "Error importing a batch payment. Contact Support for details"),
    (
        187,
        "Error importing mass payment due to temporary unavailability of one of the types of payments",
    ),
    (188, "Error importing a batch payment. The payment was declined"),
    (190, "Unknown document type"),
    (191, "Unknown service provider code"),
    (192, "Unknown payment urgency"),
    (193, "Recipient not specified"),
    (194, "You should be the owner of the beneficiary account"),
    (195, "You should be the owner of the debit account"),
    (196, "Transfer amount should be greater than zero"),
    (197, "Failure sending confirmation code"),
    (198, "Invalid verification code"),
    (200, "Account does not exist"),
    (202, "Wrong request params"),
];
