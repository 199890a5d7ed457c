//! A terminal that does not show what is typed, for as long as a code is typed.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io;
use std::os::fd::AsFd;

/// Keeps a terminal from showing what is typed; dropping it shows it again.
///
/// A person who gives up with Ctrl-C ends the process here: then the shell restores the terminal,
/// as for every program that a signal ended.
pub struct Hidden<T: AsFd> {
    terminal: T,
    before: Termios,
}

impl<T: AsFd> Hidden<T> {
    /// Hides what is typed from now on; forgets what was typed before. An error where it is no
    /// terminal.
    pub fn typing(terminal: T) -> io::Result<Hidden<T>> {
        let before = tcgetattr(&terminal)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        // The end of the line is still shown, so that what follows does not stand behind it.
        hidden.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Flush, &hidden)?;
        Ok(Hidden { terminal, before })
    }
}

impl<T: AsFd> Drop for Hidden<T> {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{Mode, OFlags, open};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::OwnedFd;

    /// The person's end of a terminal, and the program's.
    fn terminal() -> (File, OwnedFd) {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let program = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        (File::from(person), program)
    }

    /// Types a line and gives what the program reads, and what the person sees.
    fn typed(person: &mut File, program: &OwnedFd, line: &str) -> (String, String) {
        person.write_all(line.as_bytes()).unwrap();
        let mut read = vec![0; 64];
        let length = rustix::io::read(program, &mut read).unwrap();
        read.truncate(length);
        // Marks the end of what the terminal has to show.
        rustix::io::write(program, b"#").unwrap();
        let (mut shown, mut byte) = (String::new(), [0]);
        while person.read_exact(&mut byte).is_ok() && byte[0] != b'#' {
            shown.push(char::from(byte[0]));
        }
        (String::from_utf8(read).unwrap(), shown)
    }

    #[test]
    fn what_is_typed_is_read_and_not_shown() {
        let (mut person, program) = terminal();
        let hidden = Hidden::typing(&program).unwrap();
        let (read, shown) = typed(&mut person, &program, "123456\n");
        assert_eq!((read.as_str(), shown.as_str()), ("123456\n", "\r\n"));
        drop(hidden);
        let (read, shown) = typed(&mut person, &program, "yes\n");
        assert_eq!((read.as_str(), shown.as_str()), ("yes\n", "yes\r\n"));
    }

    #[test]
    fn a_pipe_is_no_terminal() {
        let (reader, _writer) = std::io::pipe().unwrap();
        assert!(Hidden::typing(reader).is_err());
    }
}
