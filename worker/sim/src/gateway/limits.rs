//! What the provider allows, in each shape. It deduplicates nothing: whoever asks twice is paid twice.

use super::temper::Shape;
use domain::{Method, ReferenceFormat};
use providers::{Absence, Calls, Deduplication, Idempotency, Limits, Polling, SecondStep};

/// What a provider of that shape allows.
pub fn limits(shape: Shape) -> Limits {
    let (rows_per_call, rows_per_look_up) = match shape {
        Shape::Batches { rows_per_call, rows_per_look_up } => (rows_per_call, rows_per_look_up),
        Shape::OneCall | Shape::Orders => (1, 1),
    };
    Limits {
        provider: "simulated",
        rows_per_call,
        creates_per_second: 1000,
        in_flight: 8,
        look_ups_per_second: 1000,
        polling: Polling::Never,
        rows_per_look_up,
        looks_up_by_id: shape != Shape::OneCall,
        page_size: None,
        idempotency: Idempotency {
            deduplication: Deduplication::None,
            repeats_errors: false,
            found_by_reference: true,
            absence: Absence { form: "an answer that says so", proves: true },
        },
        reference: ReferenceFormat::Text { max_bytes: 64 },
        methods: &[Method::Card],
        callbacks: Calls::OurUrls,
        cancel: false,
        second_step: match shape {
            Shape::OneCall => SecondStep::None,
            Shape::Batches { .. } => SecondStep::Code,
            Shape::Orders => SecondStep::Funding,
        },
        rules: false,
        policy: domain::Policy::DEFAULT,
    }
}
