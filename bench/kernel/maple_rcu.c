/*
 * The kernel's maple tree in RCU mode: threads read it while one writes. It is compiled a second time for that, so that
 * the other peers, which have no such readers, need not read as if there were some (see build.rs).
 */
#include "maple_tree.c"
#include "rcu.h"

void peer_maple_rcu_setup(void)
{
	maple_tree_init();
	rcu_setup();
}

struct maple_tree *peer_maple_rcu_new(void)
{
	struct maple_tree *tree = malloc(sizeof(*tree));

	if (tree)
		mt_init_flags(tree, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
	return tree;
}

/* There are no readers any more. */
void peer_maple_rcu_drop(struct maple_tree *tree)
{
	mt_clear_in_rcu(tree);
	mtree_destroy(tree);
	free(tree);
}

/* One of several lookups, of a reader that has entered. */
void *peer_maple_rcu_load(struct maple_tree *tree, unsigned long index)
{
	return mtree_load(tree, index);
}

/* A single lookup, after which the reader has passed. */
void *peer_maple_rcu_load_once(struct maple_tree *tree, unsigned long index)
{
	struct rcu_reader *self = rcu_enter();
	void *entry = mtree_load(tree, index);

	rcu_pass(self);
	return entry;
}

int peer_maple_rcu_insert(struct maple_tree *tree, unsigned long first, unsigned long last, void *entry)
{
	int error;

	shim_threads = 1;
	error = mtree_insert_range(tree, first, last, entry, GFP_KERNEL);
	rcu_collect();
	shim_threads = 0;
	return error;
}

void *peer_maple_rcu_erase(struct maple_tree *tree, unsigned long index)
{
	void *entry;

	shim_threads = 1;
	entry = mtree_erase(tree, index);
	rcu_collect();
	shim_threads = 0;
	return entry;
}

/* Goes over all entries and adds them up, together with their ranges. Nobody writes meanwhile. */
unsigned long peer_maple_rcu_sum(struct maple_tree *tree)
{
	MA_STATE(mas, tree, 0, 0);
	unsigned long sum = 0;
	void *entry;

	shim_threads = 1;
	mas_lock(&mas);
	mas_for_each(&mas, entry, ULONG_MAX)
		sum += mas.index ^ mas.last ^ (unsigned long)entry;
	mas_unlock(&mas);
	shim_threads = 0;
	return sum;
}
