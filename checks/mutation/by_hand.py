"""Mutants that no rule makes: weaker orders of memory, and a protocol that cuts corners.

Each is a file, a text that occurs in it once, a part of the text, and what stands in the place of the part. If the part is
empty, it stands before the text.
"""

R = "Release", "Relaxed"
A = "Acquire", "Relaxed"
STORE = "Ordering::Release", "Ordering::Relaxed"
LOAD = "Ordering::Acquire", "Ordering::Relaxed"
FENCE = "SeqCst", "core::sync::atomic::Ordering::AcqRel"

BY_HAND = {
    "orders": [
        ("node/seen.rs", "link.pointer().as_ptr()), Ordering::Release)", *STORE),
        ("node/seen.rs", "self.0.pointer.load(Ordering::Acquire)", *LOAD),
        # Of slots it is the mirror that readers see under loom.
        ("node/in_place.rs", "(&(*cells.mirror))[slot].store(word, Ordering::Release)", *STORE),
        ("node/block.rs", "self.mirror.slots.get(slot)?.load(Ordering::Acquire)", *LOAD),
        ("reclaim/record.rs", "epoch.load(Relaxed) | PINNED, Release)", *R),
        ("reclaim/record.rs", "self.state.store(next, Release)", *R),
        ("reclaim/record.rs", "self.state.store(FREE, Release)", *R),
        ("reclaim/record.rs", "self.state.load(Acquire)", *A),
        ("reclaim/record.rs", "compare_exchange(FREE, OWNED, Acquire, Relaxed)", *A),
        ("reclaim/record.rs", "to_record(self.head.load(Acquire))", *A),
        ("reclaim/record.rs", "memory.as_ptr(), Release, Relaxed)", *R),
        ("reclaim/overflow.rs", "fetch_sub(1, Release)", *R),
        ("reclaim/overflow.rs", "load(Acquire) != 0", *A),
        ("reclaim/epochs.rs", "epoch.wrapping_add(STEP), Release, Relaxed)", *R),
        ("reclaim/epochs.rs", "self.epoch.0.load(Acquire)", *A),
        # Such a fence does not order a store before a later load.
        ("reclaim/record.rs", "// P\n            fence(SeqCst)", *FENCE),
        ("reclaim/epochs.rs", "// C\n        fence(SeqCst)", *FENCE),
        ("reclaim/epochs.rs", "// A\n        fence(SeqCst)", *FENCE),
    ],
    "protocol": [
        # One advance is not enough.
        ("reclaim/epochs.rs", ">= 2 * STEP", "2 * STEP", "STEP"),
        # Nobody waits for the grace period.
        ("raw/shared/retire.rs", "if self.since.is_some_and(is_over)", "self.since.is_some_and(is_over)",
         "self.since.is_some()"),
        # What is retired joins those whose grace period has begun: the cookie is one too early.
        ("raw/shared/retire.rs", "self.young.nodes.push(link);", "self.young.nodes.push(link);",
         "self.old.nodes.push(link);"),
        ("raw/shared/retire.rs", "let Self { drops, young, spare, .. } = self;", "",
         "mem::swap(&mut self.old, &mut self.young);"),
        ("raw/shared/retire.rs", "self.young.words.push(word, &mut self.spare)",
         "self.young.words.push(word, &mut self.spare)", "self.old.words.push(word, &mut self.spare)"),
        # Nodes are used again at once.
        ("raw/shared/erase.rs", "self.retired.push_node(link);", "self.retired.push_node(link);",
         "self.tree.memory.recycle(link);"),
        # Readers are shown a part, and a first leaf, that are not complete yet.
        ("raw/shared/draft.rs", "let mut part = tree.root.take();", "",
         "if self.depth == 0 { writer.root.publish(tree.root.as_ref()); }"),
        ("raw/shared/write.rs", "if let Some(root) = self.tree.root.as_mut() {\n                    seal(root);", "",
         "self.root.publish(self.tree.root.as_ref());"),
    ],
}
