//! The last answers of a provider, and when too many of them are of a bad kind. Pure.

use std::collections::VecDeque;

/// So many strange answers in a row stop the lane …
const STRANGE_IN_A_ROW: usize = 3;
/// … and so many of the last [`REMEMBERED`].
const STRANGE_OF_LAST: usize = 5;
/// So many of the last [`REMEMBERED`] calls without an answer mean that the provider is down. A road
/// that loses half of all answers does not: look-ups bring those home.
pub const SILENT_OF_LAST: usize = 15;
/// So many are remembered.
pub const REMEMBERED: usize = 20;

/// What was answered last, oldest first.
#[derive(Default)]
pub struct Recent {
    /// For each row: whether it was answered with words that no table lists.
    words: VecDeque<bool>,
    /// For each call, however many rows it carried: whether it was left without an answer.
    calls: VecDeque<bool>,
}

impl Recent {
    /// Notes the answer to a row; true if strange ones are too many, and then counting begins anew.
    pub fn note_words(&mut self, strange: bool) -> bool {
        let in_all = note(&mut self.words, strange);
        let in_a_row = self.words.iter().rev().take_while(|strange| **strange).count();
        let too_many = in_a_row >= STRANGE_IN_A_ROW || in_all >= STRANGE_OF_LAST;
        if too_many {
            self.words.clear();
        }
        too_many
    }

    /// Notes a call; true if silent ones are too many, and then counting begins anew.
    pub fn note_call(&mut self, silent: bool) -> bool {
        let too_many = note(&mut self.calls, silent) >= SILENT_OF_LAST;
        if too_many {
            self.calls.clear();
        }
        too_many
    }
}

/// Gives how many of the last ones are bad.
fn note(last: &mut VecDeque<bool>, bad: bool) -> usize {
    last.push_back(bad);
    if last.len() > REMEMBERED {
        last.pop_front();
    }
    last.iter().filter(|bad| **bad).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At which of a hundred they are too many, if every `nth` is bad, or all but those.
    fn first(note: fn(&mut Recent, bool) -> bool, bad: impl Fn(usize) -> bool) -> Option<usize> {
        let mut recent = Recent::default();
        (0..100).position(|i| note(&mut recent, bad(i)))
    }

    #[test]
    fn three_strange_answers_in_a_row_are_too_many_and_so_are_five_of_twenty() {
        assert_eq!(first(Recent::note_words, |_| true), Some(2));
        assert_eq!(first(Recent::note_words, |i| i % 4 == 0), Some(16));
        assert_eq!(first(Recent::note_words, |i| i % 5 == 0), None);
    }

    #[test]
    fn three_silent_calls_of_four_are_too_many_and_every_second_one_is_not() {
        assert_eq!(first(Recent::note_call, |_| true), Some(14));
        assert_eq!(first(Recent::note_call, |i| i % 4 != 0), Some(19));
        assert_eq!(first(Recent::note_call, |i| i % 2 == 0), None);
    }
}
