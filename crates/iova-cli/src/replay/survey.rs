//! What a capture says about its domains before they are replayed.

use iova_trace::{OperationKind, Requests};

/// What must be known of a domain before its replay.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Survey {
    /// The highest limit of its requests, a pfn: the domain need not reach further.
    pub(super) highest_limit: u64,
    /// The operation after which the capture has the most granules live.
    pub(super) peak_operation: usize,
    live: i128,
    peak: i128,
}

impl Survey {
    pub(super) fn of(requests: &Requests) -> Vec<Self> {
        let mut surveys = vec![Self::default(); requests.domains.len()];
        for (number, operation) in requests.operations.iter().enumerate() {
            let index = usize::try_from(operation.domain.0).unwrap_or(usize::MAX);
            if let Some(survey) = surveys.get_mut(index) {
                survey.add(number, &operation.kind);
            }
        }
        surveys
    }

    fn add(&mut self, number: usize, operation: &OperationKind) {
        match operation {
            OperationKind::Allocate { granules, limit_pfn, placed, .. } => {
                self.highest_limit = self.highest_limit.max(*limit_pfn);
                if placed.is_some() {
                    self.live += i128::from(*granules);
                }
            }
            OperationKind::Free { granules, .. } => self.live -= i128::from(*granules),
            _ => {}
        }
        if self.live > self.peak {
            (self.peak, self.peak_operation) = (self.live, number);
        }
    }
}
