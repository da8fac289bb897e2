//! What the kernel's allocator does wrong (`drivers/iommu/iova.c` on either of its trees, its range caches, and the flush
//! queue of `dma-iommu.c` and before it), as tests that this one does not: one at least for each id of a list that was
//! made of public discussions and sources. Each says first what the kernel's rule makes of the same situation.
//!
//! | id | defect | tests |
//! | --- | --- | --- |
//! | W1 | padded alignment | `space::w01_padded_alignment`, `..._of_odd_sizes`, `..._is_not_top_down` |
//! | W2 | a failed search is remembered | `space::w02_remembered_failure`, `domain::w02_remembered_failure` |
//! | W3 | linear drain of deferred erases | `space::w03_linear_drain` |
//! | W4 | one that cannot be cleared keeps the others | `space::w04_head_of_line` |
//! | W5 | no memory empties all caches | `space::w05_two_errors`, `caches::w05_flush_amplification` |
//! | W6 | long lock holds | `space::w06_long_lock_holds`, `caches::w06_long_lock_holds` |
//! | W7 | nothing is counted or said | `space::w07_invisible`, `domain::w07_invisible` |
//! | W8 | idle markers | `space::w08_idle`, `domain::w08_idle` |
//! | W9 | stranded ranges | `space::w09_stranded_range`, `domain::w09_stranded_range` |
//! | W10 | teardown in one go | `space::w10_teardown`, `domain::w10_teardown` |
//! | W11 | markers keep gaps apart | `space::w11_fragmentation_by_markers` |
//! | W12 | insertion needs memory | `space::w12_insertion_needs_memory` |
//! | W13 | 0 and limits as sentinels | `space::w13_sentinels`, `domain::w13_sentinels` |
//! | W14 | thin tests | `space::w14_thin_tests`, and `tests/simulation` |
//! | | magazines for every possible CPU | `caches::eager_magazines` |
//! | | a depot without bound | `caches::unbounded_depot` |
//! | | a magazine that hides the others | `caches::magazine_that_hides` |
//! | | a convoy behind the flush queue | `caches::flush_queue_convoy` |
//! | | wrong frees are silent | `space::wrong_frees_are_errors`, `domain::wrong_frees_are_errors` |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

#[expect(unsafe_code, reason = "implements a lock")]
mod caches;
mod domain;
mod space;
