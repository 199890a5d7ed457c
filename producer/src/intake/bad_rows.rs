//! The bad rows of a file, and the judgement on the file: one of them refuses it, unless they are
//! to be left out and something is left.

use super::rejected::RejectedFile;
use super::source::BadRow;
use super::{IntakeError, Problems, TakeOptions};
use crate::audit::told::LeftOut;

/// Bad rows: the first of them for people, all of them for the `.rejected.csv`.
pub struct BadRows {
    problems: Problems,
    left_out: LeftOut,
    file: Option<RejectedFile>,
}

/// What is left out of a file that is taken.
pub struct Left {
    /// What is wrong with it.
    pub problems: Problems,
    /// Rows and money.
    pub out: LeftOut,
    /// The rows themselves.
    pub file: Option<RejectedFile>,
}

impl BadRows {
    /// None yet; those to come are written to `file`, if there is one.
    pub fn new(file: Option<RejectedFile>) -> BadRows {
        BadRows { problems: Problems::default(), left_out: LeftOut::default(), file }
    }

    /// Keeps more of them, in the order of the file.
    pub fn keep(&mut self, rows: Vec<BadRow>) -> Result<(), IntakeError> {
        for row in rows {
            if let Some(file) = &mut self.file {
                file.write(&row)?;
            }
            let amount = row.amount.as_ref();
            self.left_out.add(amount.map(|(of, minor)| (of.code(), of.exponent(), *minor)));
            self.problems.add_row(row.problems);
        }
        Ok(())
    }

    /// Bad rows refuse the file, unless they are to be left out and something is left.
    pub fn judge(
        mut self,
        options: &TakeOptions,
        rows: u64,
        good: u64,
    ) -> Result<Left, IntakeError> {
        if rows == 0 {
            return Err(IntakeError::NoRows);
        }
        if self.problems.rows == 0 {
            return Ok(Left { problems: self.problems, out: self.left_out, file: None });
        }
        if options.skip_invalid && good > 0 {
            return Ok(Left { problems: self.problems, out: self.left_out, file: self.file });
        }
        // The file is refused: the list of all bad rows stays beside it.
        let kept = self.file.take().filter(|_| !options.dry_run).map(RejectedFile::keep);
        let rejected_file = kept.transpose()?;
        Err(IntakeError::BadRows { rows, problems: self.problems, rejected_file })
    }
}
