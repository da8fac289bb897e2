//! Which seeds to run: `MAPLE_SEED` is the first one, `MAPLE_ROUNDS` how many.

use std::env;
use std::ops::Range;

/// The seeds of this run. The default is the same each time, so that a failure is found again.
pub(crate) fn seeds() -> Range<u64> {
    let first = number("MAPLE_SEED").unwrap_or(1);
    first..first.saturating_add(number("MAPLE_ROUNDS").unwrap_or(1))
}

/// How much to do where so much is usual: much less in an interpreter.
pub(crate) fn scaled(usual: usize) -> usize {
    if cfg!(miri) { usual.div_ceil(40) } else { usual }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| unreachable!("{name}={text}: {error}")))
}
