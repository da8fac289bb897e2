//! Counts in this crate's own tests which shapes of work the algorithms come through; nothing otherwise.
//!
//! `reached!(Name)` stands where a shape is met. `crate::worlds` explores small trees until all of them are.

/// Counts a shape, in tests.
macro_rules! reached {
    ($shape:expr) => {
        #[cfg(test)]
        {
            #[allow(
                clippy::allow_attributes,
                unused_imports,
                reason = "an expression may name none of them"
            )]
            use $crate::reached::Reached::*;
            $crate::reached::count($shape);
        }
    };
}

#[cfg(test)]
pub(crate) use counting::*;

#[cfg(test)]
mod counting {
    use core::cell::RefCell;

    /// Defines the shapes and the list of all of them.
    macro_rules! shapes {
        ($($(#[$about:meta])+ $name:ident,)+) => {
            /// A shape of work.
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(crate) enum Reached {
                $($(#[$about])+ $name,)+
            }

            impl Reached {
                pub(crate) const ALL: &[Self] = &[$(Self::$name),+];
            }
        };
    }

    shapes! {
        /// A leaf is split, and what is written goes to the left half.
        LeafSplitLeft,
        /// Likewise to the right half.
        LeafSplitRight,
        /// A branch is split, and the new child goes to the left half.
        BranchSplitLeft,
        /// Likewise to the right half.
        BranchSplitRight,
        /// A root over a leaf that was split.
        RootOverLeaves,
        /// A root over a branch that was split.
        RootOverBranches,
        /// A full leaf gives slots to the one on its left.
        SpillToLeft,
        /// Likewise on its right.
        SpillToRight,
        /// Empty slots that meet in the left leaf become one.
        SpillJoinsOnLeft,
        /// Likewise in the right leaf.
        SpillJoinsOnRight,
        /// A range that was free is stored over, wholly.
        InsertFillsGap,
        /// Likewise, and a gap is left on one side.
        InsertLeavesOneGap,
        /// Likewise, on both sides.
        InsertLeavesTwoGaps,
        /// That is done in one walk.
        InsertedDirectly,
        /// Something is stored over just what is there, in one walk.
        StoredDirectly,
        /// Something is stored over a part of an entry, of which one part is left.
        DivideInTwo,
        /// Likewise, and a part is left on both sides.
        DivideInThree,
        /// An entry gets indices beside it that lie in its leaf.
        WidenInLeaf,
        /// An entry gets indices above it, also such of other leaves.
        WidenUpAcross,
        /// Likewise, below it.
        WidenDownAcross,
        /// A store takes over the slot of an entry that lies in its range.
        TakeOver,
        /// A range across leaves goes to the leaf on the left, just below the branch that spans it.
        GiveToLeft,
        /// Likewise, further below.
        GiveToLeftDeep,
        /// A range across leaves goes to the leaf on the right, just below the branch that spans it.
        GiveToRight,
        /// Likewise, further below.
        GiveToRightDeep,
        /// A leaf is cut off at its front.
        LeafBeginsLater,
        /// A branch is cut off at its front.
        BranchBeginsLater,
        /// A leaf is cut off at its back.
        LeafEndsEarlier,
        /// A branch is cut off at its back.
        BranchEndsEarlier,
        /// The slot that is emptied stands alone in its leaf.
        EmptyAlone,
        /// One neighbour is empty, too.
        EmptyBesideOne,
        /// Both are.
        EmptyBetweenTwo,
        /// That is done on the way down.
        ErasedInside,
        /// Likewise, and the free run goes on in the leaf on the left.
        ErasedReachesLeft,
        /// Likewise on the right.
        ErasedReachesRight,
        /// A leaf without a live slot is taken out of a branch.
        LeafFreed,
        /// Likewise a branch.
        BranchFreed,
        /// The slot of a node that was taken out stands alone in its branch.
        FreedAlone,
        /// It joins with an empty one beside it.
        FreedBesideOne,
        /// Likewise with both.
        FreedBetweenTwo,
        /// A sparse leaf is joined with the one on its right.
        LeafJoinsRight,
        /// Likewise on its left.
        LeafJoinsLeft,
        /// A sparse branch is joined with the one on its right.
        BranchJoinsRight,
        /// Likewise on its left.
        BranchJoinsLeft,
        /// What is joined adjoins.
        JoinsAdjoining,
        /// Likewise, with an empty slot of the branch between.
        JoinsAcrossEmpty,
        /// What is free between becomes a slot of its own.
        JoinMakesSlot,
        /// Empty slots that meet become one.
        JoinMeetsEmpty,
        /// The last leaf goes.
        TreeEmptied,
        /// A leaf becomes the root.
        RootToLeaf,
        /// A branch becomes the root.
        RootToBranch,
        /// A new root grows to the bounds by slots of its leaves.
        RootGrows,
        /// A root with one child stays, since the child has no room to grow.
        RootCannotGrow,
        /// Under readers: a word goes into the empty slot of just its range.
        OccupiedInPlace,
        /// A word takes the place of another one.
        ReplacedInPlace,
        /// A node without a live slot is taken out of a branch, in place.
        UnlinkedInPlace,
        /// The root is.
        RootUnlinked,
        /// A copy has fewer slots: empty ones stood side by side.
        CopyIsTidier,
        /// A copy of a leaf is published.
        LeafPublished,
        /// A copy of a branch is, with other nodes below it.
        BranchPublished,
        /// A copy of the root is.
        RootPublished,
        /// A copy becomes larger by the branch above.
        DraftRises,
        /// Likewise when nothing is left in it.
        DraftRisesEmptied,
        /// An insertion joins what an erase has left sparse.
        InsertJoins,
        /// A child lies wholly in a range that is stored over.
        CarvedWhole,
        /// A child is cut by an end of it.
        CarvedInPart,
        /// A child that is cut holds nothing any more.
        CarvedEmpty,
        /// A draft is given up.
        DraftDiscarded,
        /// An erase joins sparse nodes, since nodes are kept for that.
        EraseJoins,
        /// It has too few, when it has begun.
        EraseGivesUp,
        /// It has none.
        EraseCannotJoin,
        /// A root with one child is taken out.
        RootLowered,
        /// Likewise, but there are too few nodes to copy what becomes the root.
        RootNotLowered,
        /// A search ends in a leaf.
        FoundInLeaf,
        /// A search ends in an empty slot of a branch.
        FoundInBranch,
        /// A search ends in a run that crosses from a child to the next.
        FoundInBridge,
        /// Likewise across an empty slot of the branch.
        FoundAcrossEmpty,
        /// Likewise in a branch over branches.
        FoundAcrossLevels,
    }

    std::thread_local! {
        static COUNTS: RefCell<[u64; Reached::ALL.len()]> = const { RefCell::new([0; Reached::ALL.len()]) };
    }

    pub(crate) fn count(shape: Reached) {
        COUNTS.with_borrow_mut(|counts| counts[shape as usize] += 1);
    }

    /// How often each shape was met in this thread.
    pub(crate) fn counts() -> [u64; Reached::ALL.len()] {
        COUNTS.with_borrow(|counts| *counts)
    }
}
