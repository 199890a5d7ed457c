//! Callbacks: a form with `bid_id` and `status`, signed by nobody. Whatever it says, it is a hint
//! that triggers one look-up (S16).

use super::Exchanger;
use crate::answer::Heard;
use crate::api::{CallbackRequest, Callbacks, Payment};
use url::form_urlencoded;

impl Callbacks for Exchanger {
    fn read(&self, request: &CallbackRequest, _payment: &Payment) -> Heard {
        let mut status = None;
        for (name, value) in form_urlencoded::parse(&request.body) {
            if name == "status" {
                status = Some(value.trim().to_ascii_lowercase());
            }
        }
        // Only words that the lane lists are repeated: anybody can write one.
        let text = match status {
            None => "a callback without a status".to_owned(),
            Some(word) if self.settings.statuses.meaning(&word).1 => word,
            Some(_) => "a callback with a status that is not listed".to_owned(),
        };
        Heard::Hint { text }
    }
}
