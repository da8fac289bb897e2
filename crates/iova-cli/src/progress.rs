//! What happens, on a terminal; nothing elsewhere.

use std::cell::Cell;

use indicatif::{ProgressBar, ProgressStyle};

/// A progress display on the standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Which capture of how many, if there are several.
    capture: Cell<Option<(usize, usize)>>,
}

impl Progress {
    /// Shows nothing if the standard error is not a terminal.
    pub(crate) fn new() -> Self {
        Self { bar: ProgressBar::no_length(), capture: Cell::new(None) }
    }

    /// What follows is about this capture of so many.
    pub(crate) fn capture(&self, number: usize, of: usize) {
        self.capture.set((of > 1).then_some((number, of)));
    }

    /// A capture is read, of unknown length.
    pub(crate) fn reading(&self, name: &str) {
        self.begin("{spinner} {prefix}reading, {human_pos} lines: {wide_msg}", name, None);
    }

    /// A capture is turned into operations.
    pub(crate) fn understanding(&self, name: &str) {
        self.begin("{spinner} {prefix}finding the allocator's requests: {wide_msg}", name, None);
    }

    /// A capture is replayed, which takes so many steps.
    pub(crate) fn replaying(&self, name: &str, steps: usize) {
        let template = "{bar:32} {prefix}replaying, {human_pos} of {human_len} operations: {wide_msg}";
        self.begin(template, name, Some(steps as u64));
    }

    /// A capture's placements are compared with the kernel's.
    pub(crate) fn comparing(&self, name: &str) {
        self.begin("{spinner} {prefix}comparing placements: {wide_msg}", name, None);
    }

    /// One step further.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    fn begin(&self, template: &str, name: &str, steps: Option<u64>) {
        // The style comes first: each of the others may draw.
        self.bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let prefix = self.capture.get().map(|(number, of)| format!("[{number} of {of}] "));
        self.bar.set_prefix(prefix.unwrap_or_default());
        self.bar.set_message(name.escape_debug().to_string());
        match steps {
            Some(steps) => self.bar.set_length(steps),
            None => self.bar.unset_length(),
        }
        self.bar.reset();
        self.bar.tick();
    }
}

impl Drop for Progress {
    /// Takes the display away, be it before the report or before an error message.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
