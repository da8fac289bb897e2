//! A row of the report: one workload, and everybody who takes part in it.

use serde::Serialize;

use crate::measure::Lap;

/// What a subject is given before its laps.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// How many ranges.
    pub n: usize,
    /// How many operations a lap has at least, if they are quick.
    pub operations: usize,
    pub seed: u64,
}

/// Runs one lap.
pub type Laps = Box<dyn FnMut() -> Lap>;

/// What a row measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// Nanoseconds per operation: of the processor's time, or where there are several threads of the day's.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Bytes of memory per range.
    #[serde(rename = "bytes")]
    Bytes,
    /// Percent of what there could be.
    #[serde(rename = "percent")]
    Percent,
}

/// One workload.
pub struct Row {
    pub name: &'static str,
    /// What one operation is.
    pub what: &'static str,
    pub unit: Unit,
    pub entrants: Vec<Entrant>,
}

/// One subject in one workload.
#[derive(Clone, Copy)]
pub struct Entrant {
    pub subject: &'static str,
    pub ours: bool,
    pub cannot: &'static [(&'static str, &'static str)],
    pub linear: &'static [&'static str],
    pub linear_up_to: usize,
    /// Whether its answers are comparable with the others'.
    pub comparable: bool,
    pub prepare: fn(&Setup) -> Laps,
}

impl Entrant {
    /// Why it does not take part, if it does not.
    pub fn absent(&self, row: &str, n: usize, all: bool) -> Option<&'static str> {
        if let Some((_, why)) = self.cannot.iter().find(|(name, _)| matches(name, row)) {
            return Some(why);
        }
        (n > self.linear_up_to && self.is_linear(row) && !all).then_some("time grows with n: with --all only")
    }

    /// Whether its time grows with n in this row.
    pub fn is_linear(&self, row: &str) -> bool {
        self.linear.iter().any(|name| matches(name, row))
    }
}

/// Whether `name` is the row, or its beginning and `*`.
pub fn matches(name: &str, row: &str) -> bool {
    name == row || name.strip_suffix('*').is_some_and(|begin| row.starts_with(begin))
}

/// An [`Entrant`] for each of these subjects in a workload that is generic over them.
macro_rules! entrants {
    ($work:ident [$($(#[$condition:meta])* $subject:ty),+ $(,)?]) => {
        entrants!($work [$($(#[$condition])* $subject),+] comparable |_| true)
    };
    ($work:ident [$($(#[$condition:meta])* $subject:ty),+ $(,)?] comparable $comparable:expr) => {{
        use crate::subject::Subject;
        let comparable: fn(&str) -> bool = $comparable;
        vec![$(
            $(#[$condition])*
            $crate::row::Entrant {
                subject: <$subject>::NAME,
                ours: <$subject>::OURS,
                cannot: <$subject>::CANNOT,
                linear: <$subject>::LINEAR,
                linear_up_to: <$subject>::LINEAR_UP_TO,
                comparable: comparable(<$subject>::NAME),
                prepare: $work::<$subject>,
            },
        )+]
    }};
}

pub(crate) use entrants;
