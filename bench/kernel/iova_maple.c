/*
 * An IOVA allocator on the kernel's maple tree, as it was proposed in 2026 to replace the red-black tree of
 * drivers/iommu/iova.c: ranges are entries, a search asks for as much more as an alignment may take, and what
 * cannot be erased for lack of a node stays as a marker until an allocation has time for it.
 *
 * It is written for these benchmarks after the discussion of that proposal; no line is the kernel's.
 */
#include <linux/maple_tree.h>

/* Instead of an entry that could not be erased. Storing it over exactly that entry takes no node. */
#define MARKER XA_ZERO_ENTRY
/* Beyond the last page that is ever asked for, so that no search goes there. */
#define BEYOND ((void *)1)

struct area {
	unsigned long first;
	unsigned long last;
};

struct space {
	struct maple_tree tree;
	unsigned long first;
	/* The lowest and the highest marker; the first is larger if there is none. */
	unsigned long marked_from;
	unsigned long marked_to;
	/* Requests below 4 GiB of this size or more were refused since something was freed there. */
	unsigned long refused_low;
};

#define END_OF_32_BITS (1UL << (32 - 12))
/* As many as a magazine has are freed under one hold of the lock. */
#define BATCH 127

static struct kmem_cache *areas;

void peer_iova_maple_setup(void)
{
	areas = kmem_cache_create("iova_area", sizeof(struct area), 0, 0, NULL);
}

static void forget_markers(struct space *space)
{
	space->marked_from = ULONG_MAX;
	space->marked_to = 0;
}

struct space *peer_iova_maple_new(unsigned long first, unsigned long last)
{
	struct space *space = calloc(1, sizeof(*space));

	if (!space)
		return NULL;
	mt_init_flags(&space->tree, MT_FLAGS_ALLOC_RANGE);
	space->first = first;
	space->refused_low = END_OF_32_BITS;
	forget_markers(space);
	mtree_store_range(&space->tree, last + 1, ULONG_MAX, BEYOND, GFP_KERNEL);
	return space;
}

void peer_iova_maple_drop(struct space *space)
{
	MA_STATE(mas, &space->tree, 0, 0);
	struct area *area;

	mas_for_each(&mas, area, ULONG_MAX)
		if ((void *)area != MARKER && (void *)area != BEYOND)
			kmem_cache_free(areas, area);
	mtree_destroy(&space->tree);
	free(space);
}

/* Erases marked ranges, from the lowest on, until there is no memory again. */
static noinline void sweep(struct space *space)
{
	MA_STATE(mas, &space->tree, space->marked_from, space->marked_from);
	unsigned long to = space->marked_to;
	void *entry = mas_walk(&mas);

	for (; mas.index <= to; entry = mas_next_range(&mas, to)) {
		if (entry == MARKER) {
			unsigned long first = mas.index;
			unsigned long last = mas.last;

			if (mas_store_gfp(&mas, NULL, GFP_ATOMIC)) {
				space->marked_from = first;
				return;
			}
			mas_set_range(&mas, last, last);
			mas_walk(&mas);
		}
		if (mas.last >= to)
			break;
	}
	forget_markers(space);
}

static int place(struct space *space, struct area *area, unsigned long size, unsigned long align,
		 unsigned long limit)
{
	MA_STATE(mas, &space->tree, 0, 0);
	int error;

	/* Where nothing is aligned the search ends where the range begins, and the store goes on from there. */
	error = mas_empty_area_rev(&mas, space->first, limit, size + align - 1);
	if (error)
		return error;
	area->first = (mas.last - size + 1) & ~(align - 1);
	area->last = area->first + size - 1;
	if (align != 1)
		mas_set_range(&mas, area->first, area->last);
	return mas_store_gfp(&mas, area, GFP_ATOMIC);
}

struct area *peer_iova_maple_allocate(struct space *space, unsigned long size, unsigned long limit, bool aligned)
{
	unsigned long align = aligned ? roundup_pow_of_two(size) : 1;
	bool low = limit < END_OF_32_BITS;
	struct area *area;
	int error;

	area = kmem_cache_alloc(areas, GFP_ATOMIC);
	if (!area)
		return NULL;
	mtree_lock(&space->tree);
	if (unlikely(space->marked_from <= space->marked_to))
		sweep(space);
	error = -ENOSPC;
	if (likely(!low || size < space->refused_low)) {
		error = place(space, area, size, align, limit);
		if (unlikely(error) && low)
			space->refused_low = size;
	}
	mtree_unlock(&space->tree);
	if (likely(!error))
		return area;
	kmem_cache_free(areas, area);
	return NULL;
}

static inline void erase(struct space *space, struct area *area)
{
	MA_STATE(mas, &space->tree, area->first, area->last);

	if (unlikely(mas_store_gfp(&mas, NULL, GFP_ATOMIC))) {
		mas_set_range(&mas, area->first, area->last);
		mas_store_gfp(&mas, MARKER, GFP_ATOMIC);
		space->marked_from = min(space->marked_from, area->first);
		space->marked_to = max(space->marked_to, area->last);
	}
	if (area->first < END_OF_32_BITS)
		space->refused_low = END_OF_32_BITS;
}

void peer_iova_maple_free(struct space *space, struct area *area)
{
	mtree_lock(&space->tree);
	erase(space, area);
	mtree_unlock(&space->tree);
	kmem_cache_free(areas, area);
}

/* As full magazines are emptied. */
void peer_iova_maple_free_all(struct space *space, struct area **all, unsigned long count)
{
	unsigned long done, i;

	for (done = 0; done < count; done += BATCH) {
		unsigned long end = min(done + BATCH, count);

		mtree_lock(&space->tree);
		for (i = done; i < end; i++)
			erase(space, all[i]);
		mtree_unlock(&space->tree);
		for (i = done; i < end; i++)
			kmem_cache_free(areas, all[i]);
	}
}

/* How many pages are taken by markers. */
unsigned long peer_iova_maple_marked(struct space *space)
{
	MA_STATE(mas, &space->tree, 0, 0);
	unsigned long pages = 0;
	void *entry;

	for (entry = mas_walk(&mas); ; entry = mas_next_range(&mas, ULONG_MAX)) {
		if (entry == MARKER)
			pages += mas.last - mas.index + 1;
		if (mas.last == ULONG_MAX)
			return pages;
	}
}
