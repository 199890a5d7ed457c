//! The methods, by the names in their paths.

/// Every method of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Test,
    DirectionCurrencies,
    Directions,
    Direction,
    Calc,
    Exchanges,
    CreateBid,
    CancelBid,
    PayBid,
    SuccessBid,
    BidInfo,
    PartnerInfo,
    PartnerLinks,
    PartnerExchanges,
    PartnerPayouts,
    AddPartnerPayout,
}

impl Method {
    /// In the document's order, which is that of the declaration.
    pub(super) const ALL: [(Self, &'static str); 16] = [
        (Self::Test, "test"),
        (Self::DirectionCurrencies, "get_direction_currencies"),
        (Self::Directions, "get_directions"),
        (Self::Direction, "get_direction"),
        (Self::Calc, "get_calc"),
        (Self::Exchanges, "get_exchanges"),
        (Self::CreateBid, "create_bid"),
        (Self::CancelBid, "cancel_bid"),
        (Self::PayBid, "pay_bid"),
        (Self::SuccessBid, "success_bid"),
        (Self::BidInfo, "bid_info"),
        (Self::PartnerInfo, "get_partner_info"),
        (Self::PartnerLinks, "get_partner_links"),
        (Self::PartnerExchanges, "get_partner_exchanges"),
        (Self::PartnerPayouts, "get_partner_payouts"),
        (Self::AddPartnerPayout, "add_partner_payout"),
    ];

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(method, _)| method)
    }

    /// Its place in [`Method::ALL`].
    pub(super) fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_stands_at_its_own_place_in_the_list() {
        for (place, (method, name)) in Method::ALL.into_iter().enumerate() {
            assert_eq!(method.index(), place, "{name}");
            assert_eq!(Method::of(name), Some(method));
        }
    }
}
