//! Which seeds to run: `MAPLE_SEED` is the first one, `MAPLE_ROUNDS` how many.

use std::env;
use std::ops::Range;

/// The seeds of this run. The default is the same each time, so that a failure is found again.
pub(crate) fn seeds() -> Range<u64> {
    let first = number("MAPLE_SEED").unwrap_or(1);
    first..first.saturating_add(number("MAPLE_ROUNDS").unwrap_or(1))
}

/// How many steps to make where so many are usual: much fewer in an interpreter.
pub(crate) fn steps(usual: usize) -> usize {
    if cfg!(miri) { usual / 50 } else { usual }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| unreachable!("{name}={text}: {error}")))
}
