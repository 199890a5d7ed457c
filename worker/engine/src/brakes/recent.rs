//! The last answers of a provider, and when too many of them are of a bad kind. Pure.

use std::collections::VecDeque;

/// So many strange answers in a row stop the lane …
const STRANGE_IN_A_ROW: usize = 3;
/// … and so many of the last [`ANSWERS`].
const STRANGE_OF_ANSWERS: usize = 5;
/// So many missing answers of the last [`ANSWERS`] mean that the provider is down. A road that
/// loses half of all answers does not: look-ups bring those home.
pub const SILENT_OF_ANSWERS: usize = 15;
/// So many answers are remembered.
pub const ANSWERS: usize = 20;

/// What an answer told of the provider.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Words that a table lists.
    Listed,
    /// Words that no table lists.
    Strange,
    /// Nothing.
    Nothing,
}

/// The last answers, oldest first.
#[derive(Default)]
pub struct Recent(VecDeque<Told>);

impl Recent {
    /// Notes an answer; true if there are too many of its kind, and then counting begins anew.
    pub fn note(&mut self, told: Told) -> bool {
        self.0.push_back(told);
        if self.0.len() > ANSWERS {
            self.0.pop_front();
        }
        let in_a_row = self.0.iter().rev().take_while(|t| **t == told).count();
        let in_all = self.0.iter().filter(|t| **t == told).count();
        let too_many = match told {
            Told::Listed => false,
            Told::Strange => in_a_row >= STRANGE_IN_A_ROW || in_all >= STRANGE_OF_ANSWERS,
            Told::Nothing => in_all >= SILENT_OF_ANSWERS,
        };
        if too_many {
            self.0.clear();
        }
        too_many
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_too_many(answers: impl IntoIterator<Item = Told>) -> Option<usize> {
        let mut recent = Recent::default();
        answers.into_iter().position(|told| recent.note(told))
    }

    #[test]
    fn three_strange_answers_in_a_row_are_too_many_and_so_are_five_of_twenty() {
        assert_eq!(first_too_many([Told::Strange; 9]), Some(2));
        let every_fourth = (0..40).map(|i| if i % 4 == 0 { Told::Strange } else { Told::Listed });
        assert_eq!(first_too_many(every_fourth), Some(16));
        let every_fifth = (0..99).map(|i| if i % 5 == 0 { Told::Strange } else { Told::Listed });
        assert_eq!(first_too_many(every_fifth), None);
    }

    #[test]
    fn three_missing_answers_of_four_are_too_many_and_every_second_one_is_not() {
        assert_eq!(first_too_many([Told::Nothing; 99]), Some(14));
        let most = (0..99).map(|i| if i % 4 == 0 { Told::Listed } else { Told::Nothing });
        assert_eq!(first_too_many(most), Some(19));
        let half = (0..99).map(|i| if i % 2 == 0 { Told::Listed } else { Told::Nothing });
        assert_eq!(first_too_many(half), None);
    }
}
