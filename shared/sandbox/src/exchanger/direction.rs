//! What can be exchanged for what, at which course, within which limits: exact decimals, no fees.
//!
//! 1 USDT is 100 RUB, 1.08 USDT is 1 EUR, 1 USDT is 1 USDT. The give side is always USDT.

use rust_decimal::{Decimal, RoundingStrategy};

/// Amounts above it are not read as amounts: products of two stay far below what a decimal holds.
const AMOUNT_MAX: i64 = 1_000_000_000_000;

/// A currency in a payment system, as the site lists it.
pub(super) struct Currency {
    pub(super) id: u32,
    /// The payment system.
    pub(super) psys: &'static str,
    pub(super) code: &'static str,
    pub(super) decimals: u32,
    /// How much of it the site can pay out in one order.
    pub(super) reserve: Decimal,
}

impl Currency {
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.psys, self.code)
    }
}

/// A field of the order form beside the accounts.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) is_required: bool,
}

/// How an order comes to be paid for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pay {
    /// The client says so, by `pay_bid`.
    Api,
    /// The site's payment module sees the money; the order shows a link to it.
    Module,
}

pub(super) struct Direction {
    pub(super) id: u32,
    pub(super) give: Currency,
    pub(super) get: Currency,
    pub(super) course_give: Decimal,
    pub(super) course_get: Decimal,
    pub(super) min_get: Decimal,
    pub(super) max_get: Option<Decimal>,
    /// What `account2` is called.
    pub(super) account: &'static str,
    pub(super) fields: &'static [Field],
    pub(super) pay: Pay,
    /// May the API see it at all?
    pub(super) is_open: bool,
}

/// Which side an amount is meant on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Give,
    Get,
}

impl Side {
    /// The document's `calc_action`: with and without fee are the same where there is none.
    pub(super) fn of(calc_action: &str) -> Option<Self> {
        match calc_action {
            "1" | "3" => Some(Self::Give),
            "2" | "4" => Some(Self::Get),
            _ => None,
        }
    }
}

/// Both sides of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Price {
    pub(super) give: Decimal,
    pub(super) get: Decimal,
}

/// An amount that is one: positive, and not absurd.
pub(super) fn amount(text: &str) -> Option<Decimal> {
    let amount: Decimal = text.parse().ok()?;
    (amount > Decimal::ZERO && amount <= Decimal::from(AMOUNT_MAX)).then_some(amount)
}

impl Direction {
    /// What `amount` on one side is on both: the side that was asked for is rounded to its
    /// decimals, the other follows from it, and the site never gives more than it gets.
    pub(super) fn price(&self, side: Side, amount: Decimal) -> Price {
        let nearest = RoundingStrategy::MidpointAwayFromZero;
        match side {
            Side::Give => {
                let give = amount.round_dp_with_strategy(self.give.decimals, nearest);
                let get = give * self.course_get / self.course_give;
                let get = get.round_dp_with_strategy(self.get.decimals, RoundingStrategy::ToZero);
                Price { give, get }
            }
            Side::Get => {
                let get = amount.round_dp_with_strategy(self.get.decimals, nearest);
                Price { give: self.give_for(get), get }
            }
        }
    }

    /// What must be given for so much.
    pub(super) fn give_for(&self, get: Decimal) -> Decimal {
        let give = get * self.course_give / self.course_get;
        give.round_dp_with_strategy(self.give.decimals, RoundingStrategy::AwayFromZero)
    }

    /// The most that one order can receive.
    pub(super) fn most_get(&self) -> Decimal {
        self.max_get.map_or(self.get.reserve, |max| max.min(self.get.reserve))
    }

    /// The nearest price that can be ordered.
    pub(super) fn within_limits(&self, price: Price) -> Price {
        let get = price.get.clamp(self.min_get, self.most_get());
        if get == price.get { price } else { Price { give: self.give_for(get), get } }
    }
}

const FIRST_NAME: Field = Field { name: "cf1", label: "First name", is_required: false };
const E_MAIL: Field = Field { name: "cf6", label: "E-mail", is_required: true };

/// The sandbox's directions; the last is closed to the API.
pub(super) fn all() -> [Direction; 4] {
    let whole = |units: i64| Decimal::new(units, 0);
    let currency = |id, psys, code, decimals| Currency {
        id,
        psys,
        code,
        decimals,
        reserve: whole(1_000_000_000),
    };
    let give = || currency(11, "Tether TRC20", "USDTTRC20", 6);
    let base = |id, get, account| Direction {
        id,
        give: give(),
        get,
        course_give: Decimal::ONE,
        course_get: Decimal::ONE,
        min_get: Decimal::ONE,
        max_get: None,
        account,
        fields: &[],
        pay: Pay::Api,
        is_open: true,
    };
    [
        Direction {
            course_get: whole(100),
            min_get: whole(100),
            max_get: Some(whole(300_000)),
            fields: &[FIRST_NAME, E_MAIL],
            ..base(1, currency(21, "Card", "RUB", 2), "Card number")
        },
        Direction {
            course_give: Decimal::new(108, 2),
            min_get: whole(10),
            fields: &[FIRST_NAME],
            ..base(2, currency(22, "SEPA", "EUR", 2), "IBAN")
        },
        Direction {
            pay: Pay::Module,
            ..base(3, currency(23, "Tether BEP20", "USDT", 6), "Wallet")
        },
        Direction {
            course_get: whole(500),
            is_open: false,
            ..base(4, currency(24, "Card", "KZT", 2), "Card number")
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(direction: usize, side: Side, text: &str) -> [String; 2] {
        let price = all()[direction].price(side, amount(text).unwrap());
        [price.give, price.get].map(|amount| amount.normalize().to_string())
    }

    #[test]
    fn the_side_that_was_ordered_is_exact_and_the_other_follows() {
        assert_eq!(price(0, Side::Get, "1500.55"), ["15.0055", "1500.55"]);
        assert_eq!(price(1, Side::Get, "10"), ["10.8", "10"]);
        assert_eq!(price(1, Side::Give, "10"), ["10", "9.25"]);
        assert_eq!(price(0, Side::Get, "100.005"), ["1.0001", "100.01"]);
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in ["", "0", "-1", "1e400", "ten", "1000000000001"] {
            assert_eq!(amount(text), None, "{text}");
        }
    }

    #[test]
    fn limits_move_both_sides() {
        let directions = all();
        let price = directions[0].price(Side::Get, Decimal::ONE);
        let moved = directions[0].within_limits(price);
        assert_eq!((moved.give, moved.get), (Decimal::ONE, Decimal::new(100, 0)));
    }
}
