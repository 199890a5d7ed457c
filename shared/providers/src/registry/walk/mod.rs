//! Walks the registry: what each provider's [`Limits`] declare is what its adapter and its
//! sandbox do, over real HTTP. Whoever is in the table is walked; a new provider adds one entry
//! to `reach`, if its sandbox wants more than a `base_url`.
//!
//! Not walked, because the engine alone keeps them: rates, requests at once, polling and waiting
//! times.
//!
//! | file | fields of the limits |
//! |---|---|
//! | `rows` | `methods`, `rules`, `reference` |
//! | `sizes` | `rows_per_call`, `rows_per_look_up`, `page_size`; every look-up waits its turns |
//! | `look_ups` | `looks_up_by_id`, `found_by_reference`, `absence` |
//! | `contract` | `deduplication`, `repeats_errors` |
//! | `acts` | `second_step`, `cancel` |
//! | `news` | `callbacks` |
//! | `statements` | `page_size`: who has pages has a list |

mod acts;
mod contract;
mod look_ups;
mod news;
mod payments;
mod reach;
mod rows;
mod sizes;
mod statements;
mod world;

use super::*;
use crate::answer::{Answer, Found};
use crate::api::{Past, Payment};
use domain::News;
use world::{World, worlds};

/// The provider has it.
fn is_taken(answer: &Answer) -> bool {
    matches!(answer, Answer::Accepted { .. } | Answer::Begun { .. })
}

/// The look-up found it, and it is what was sent.
fn is_there(found: &Found) -> bool {
    matches!(found, Found::Is { .. } | Found::StepDue { .. })
}

fn is_paid(found: &Found) -> bool {
    matches!(found, Found::Is { news: News::Paid, .. })
}

/// The payment as it is asked for where our reference is all that is known.
fn by_reference(payment: &Payment) -> Payment {
    let past = Past { provider_id: None, shipment: None, ..payment.past.clone() };
    Payment { past, ..payment.clone() }
}
