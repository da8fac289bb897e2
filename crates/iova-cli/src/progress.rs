//! What happens, on a terminal; nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

/// A progress display on the standard error.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows nothing if the standard error is not a terminal.
    pub(crate) fn new() -> Self {
        Self(ProgressBar::no_length())
    }

    /// A capture is read, of unknown length.
    pub(crate) fn reading(&self, name: &str) {
        self.begin("{spinner} reading {msg}: {human_pos} lines", name);
        self.0.unset_length();
    }

    /// A capture is replayed, which takes so many steps.
    pub(crate) fn replaying(&self, name: &str, steps: usize) {
        self.begin("{bar:32} replaying {msg}: {human_pos} of {human_len} operations", name);
        self.0.set_length(steps as u64);
    }

    /// One step further.
    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    fn begin(&self, template: &str, name: &str) {
        self.0.reset();
        self.0.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        self.0.set_message(name.to_owned());
    }
}

impl Drop for Progress {
    /// Takes the display away, be it before the report or before an error message.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
