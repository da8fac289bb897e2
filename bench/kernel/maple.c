/* The kernel's maple tree, and what the benchmarks call of it. */
#include "maple_tree.c"

void peer_maple_setup(void)
{
	maple_tree_init();
}

struct maple_tree *peer_maple_new(void)
{
	struct maple_tree *tree = malloc(sizeof(*tree));

	if (tree)
		mt_init_flags(tree, MT_FLAGS_ALLOC_RANGE);
	return tree;
}

void peer_maple_drop(struct maple_tree *tree)
{
	mtree_destroy(tree);
	free(tree);
}

int peer_maple_insert(struct maple_tree *tree, unsigned long first, unsigned long last, void *entry)
{
	return mtree_insert_range(tree, first, last, entry, GFP_KERNEL);
}

int peer_maple_store(struct maple_tree *tree, unsigned long first, unsigned long last, void *entry)
{
	return mtree_store_range(tree, first, last, entry, GFP_KERNEL);
}

void *peer_maple_load(struct maple_tree *tree, unsigned long index)
{
	return mtree_load(tree, index);
}

/* The entry at an index becomes another one. */
int peer_maple_replace(struct maple_tree *tree, unsigned long index, void *entry)
{
	MA_STATE(mas, tree, index, index);
	void *there;

	mas_lock(&mas);
	there = mas_walk(&mas);
	if (there)
		mas_store(&mas, entry);
	mas_unlock(&mas);
	return there ? 0 : -ENOENT;
}

void *peer_maple_erase(struct maple_tree *tree, unsigned long index)
{
	return mtree_erase(tree, index);
}

/* Goes over all entries and adds them up, together with their ranges. */
unsigned long peer_maple_sum(struct maple_tree *tree)
{
	MA_STATE(mas, tree, 0, 0);
	unsigned long sum = 0;
	void *entry;

	mas_for_each(&mas, entry, ULONG_MAX)
		sum += mas.index ^ mas.last ^ (unsigned long)entry;
	return sum;
}

/* Adds up the entries behind the one at an index, so many of them, or those before. */
unsigned long peer_maple_walk(struct maple_tree *tree, unsigned long index, unsigned long steps, bool back)
{
	MA_STATE(mas, tree, index, index);
	unsigned long sum = 0;
	void *entry;

	mas_walk(&mas);
	while (steps--) {
		entry = back ? mas_prev(&mas, 0) : mas_next(&mas, ULONG_MAX);
		if (!entry)
			break;
		sum += mas.index ^ mas.last ^ (unsigned long)entry;
	}
	return sum;
}

/* The lowest or highest free range in the window: its first index, or ULONG_MAX. */
unsigned long peer_maple_gap(struct maple_tree *tree, unsigned long first, unsigned long last,
			     unsigned long size, int top_down)
{
	MA_STATE(mas, tree, 0, 0);
	int error = top_down ? mas_empty_area_rev(&mas, first, last, size)
			     : mas_empty_area(&mas, first, last, size);

	if (error)
		return ULONG_MAX;
	return top_down ? mas.last - size + 1 : mas.index;
}

/* Finds the highest free range and stores an entry over it: its first index, or ULONG_MAX. */
unsigned long peer_maple_allocate(struct maple_tree *tree, void *entry, unsigned long size,
				  unsigned long first, unsigned long last)
{
	unsigned long start = 0;

	if (mtree_alloc_rrange(tree, &start, entry, size, first, last, GFP_KERNEL))
		return ULONG_MAX;
	return start;
}

/*
 * The same for a range that is aligned to its size: asks for as much more as may be needed and aligns within,
 * as an allocator on top of this tree must.
 */
unsigned long peer_maple_allocate_aligned(struct maple_tree *tree, void *entry, unsigned long size,
					  unsigned long align, unsigned long first, unsigned long last)
{
	MA_STATE(mas, tree, 0, 0);
	unsigned long start;

	if (mas_empty_area_rev(&mas, first, last, size + align - 1))
		return ULONG_MAX;
	start = (mas.last - size + 1) & ~(align - 1);
	mas_set_range(&mas, start, start + size - 1);
	if (mas_store_gfp(&mas, entry, GFP_KERNEL))
		return ULONG_MAX;
	return start;
}
