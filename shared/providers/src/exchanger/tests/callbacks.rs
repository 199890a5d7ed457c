//! Callbacks: nobody signs them, so none is believed.

use super::*;
use crate::answer::Heard;
use crate::api::{CallbackKind, CallbackRequest};
use proptest::prelude::*;

fn hear(body: &[u8]) -> Heard {
    let kind = CallbackKind::Status;
    let request = CallbackRequest { kind, signature: None, body: body.to_vec() };
    adapter("").callbacks().unwrap().read(&request, &card("INV-1", "10.00"))
}

#[test]
fn the_documents_callback_is_a_hint_with_its_word() {
    assert_eq!(hear(b"bid_id=7&status=success"), Heard::Hint { text: "success".into() });
    assert_eq!(hear(b"status=Cancel&bid_id=7"), Heard::Hint { text: "cancel".into() });
}

#[test]
fn a_word_that_is_not_listed_is_not_repeated() {
    let Heard::Hint { text } = hear(b"bid_id=7&status=4111111111111111") else { panic!() };
    assert_eq!(text, "a callback with a status that is not listed");
    assert_eq!(hear(b""), Heard::Hint { text: "a callback without a status".into() });
}

proptest! {
    #[test]
    fn no_body_is_believed_or_makes_reading_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let is_hint = matches!(hear(&body), Heard::Hint { .. });
        prop_assert!(is_hint);
    }
}
