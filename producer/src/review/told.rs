//! What a look-up said, in one line for a note.

use super::asked::Asked;
use crate::show::table::plain;
use domain::News;
use providers::Found;

/// Characters of an answer's own words.
const WORDS_MAX: usize = 200;

/// `attempt 2: not found; attempt 1: failed (REJECTED)`.
pub fn summary(asked: &[Asked]) -> String {
    if asked.is_empty() {
        return "it was never sent, so nobody was asked".to_owned();
    }
    let one = |asked: &Asked| format!("attempt {}: {}", asked.attempt, words(asked));
    asked.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What was said of one attempt.
pub fn words(asked: &Asked) -> String {
    let cut = |text: &str| plain(text).chars().take(WORDS_MAX).collect::<String>();
    match &asked.told {
        Ok(Found::Is { news, text, .. }) => format!("{} ({})", word(*news), cut(text)),
        Ok(Found::StepDue { .. }) => "waiting for its second step".to_owned(),
        Ok(Found::Differs { text }) => format!("not what was sent ({})", cut(text)),
        Ok(Found::Absent) => not_found(asked.is_live).to_owned(),
        Ok(Found::Unclear { text }) => format!("nothing clear ({})", cut(text)),
        Ok(Found::StopLane { text }) => format!("refuses to answer ({})", cut(text)),
        Err(why) => format!("could not be asked ({})", cut(why)),
    }
}

/// What "not found" is worth.
pub fn not_found(is_live: Option<bool>) -> &'static str {
    match is_live {
        Some(true) => "not found, by a look-up that finds a payout known to exist",
        Some(false) => {
            "not found, but the look-up does not find a payout known to exist either: it is blind"
        }
        None => "not found; by itself this proves nothing",
    }
}

/// A fact in a word or two.
pub fn word(news: News) -> &'static str {
    match news {
        News::InProgress => "in progress",
        News::Waiting => "waiting for a person",
        News::Paid => "paid",
        News::Failed => "failed",
        News::Cancelled => "cancelled",
        News::Returned => "returned",
        News::Differs => "differs",
    }
}
