//! What a person may ask an exchange site, with every parameter of its document.

use crate::api::{Parameter, Question};

const fn optional(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, about, required: false }
}

const fn required(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, about, required: true }
}

const START: Parameter = optional("start_time", "from when on, in seconds since 1970");
const END: Parameter = optional("end_time", "until when, in seconds since 1970");
const IP: Parameter = optional("ip", "only from this address");
const ID: Parameter = optional("id", "only this one, by the site's id");
const HISTORY: Parameter =
    optional("status_history", "1 shows all changes of status, 0 does not (default 0)");
const LIMIT: Parameter = optional("limit", "at most so many (default 100, at most 500)");
const GIVE: Parameter = optional("currency_id_give", "only where we give this currency, by its id");
const GET: Parameter =
    optional("currency_id_get", "only where this currency is received, by its id");
const DIRECTION: Parameter = required("direction_id", "the direction, by its id");
const HASH: Parameter = required("hash", "the order, by its hash");

const fn ask(
    name: &'static str,
    operation: &'static str,
    about: &'static str,
    parameters: &'static [Parameter],
) -> Question {
    Question { name, about, operation, parameters, acts: false }
}

const fn act(
    name: &'static str,
    operation: &'static str,
    about: &'static str,
    parameters: &'static [Parameter],
) -> Question {
    Question { name, about, operation, parameters, acts: true }
}

pub(super) const QUESTIONS: &[Question] = &[
    ask("test", "test", "our address, user and partner id as the site sees them", &[]),
    ask(
        "currencies",
        "get_direction_currencies",
        "currencies that can be given and received",
        &[GIVE, GET],
    ),
    ask("directions", "get_directions", "exchange directions on offer", &[GIVE, GET]),
    ask(
        "direction",
        "get_direction",
        "one direction: course, limits, reserve and required fields",
        &[DIRECTION],
    ),
    ask(
        "calc",
        "get_calc",
        "what an amount costs in a direction",
        &[
            DIRECTION,
            required("calc_amount", "the amount"),
            required("calc_action", "1 given, 2 received, 3 given with fee, 4 received with fee"),
            optional("cd", "fields marked cd = 1, as name=value&…, each url-encoded"),
        ],
    ),
    ask(
        "exchanges",
        "get_exchanges",
        "orders made with this key, the last change first",
        &[
            START,
            END,
            IP,
            ID,
            optional("api_id", "only ours with this provider reference"),
            HISTORY,
            LIMIT,
            optional("offset", "skip so many (default 0)"),
        ],
    ),
    ask(
        "bid",
        "bid_info",
        "one order, with what can be done with it; by hash or id",
        &[
            optional("hash", "the order, by its hash"),
            optional("id", "the order, by the site's id; one of the two must be given"),
        ],
    ),
    act("success", "success_bid", "marks an order completed: an administrator's act", &[HASH]),
    act("cancel-bid", "cancel_bid", "gives up an order, where it allows that", &[HASH]),
    ask("partner-info", "get_partner_info", "the partner's balance and ways of withdrawal", &[]),
    ask(
        "partner-links",
        "get_partner_links",
        "visits that the partner brought",
        &[START, END, IP, LIMIT],
    ),
    ask(
        "partner-exchanges",
        "get_partner_exchanges",
        "orders that the partner brought",
        &[START, END, IP, ID, HISTORY, LIMIT],
    ),
    ask(
        "partner-payouts",
        "get_partner_payouts",
        "withdrawals of the partner",
        &[START, END, LIMIT, ID],
    ),
    act(
        "partner-payout",
        "add_partner_payout",
        "withdraws the partner's whole balance; without balance= it only shows what it would do",
        &[
            required("method_id", "the way of withdrawal, by its id in partner-info"),
            required("account", "where to"),
            optional("balance", "the balance that you were shown; another one refuses the act"),
        ],
    ),
];
