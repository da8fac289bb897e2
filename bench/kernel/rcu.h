/*
 * Read-copy-update between threads of a program.
 *
 * Readers pay as little as they do in a kernel, where the scheduler notices that they have passed: a reader adds one to
 * a number of its own after each lookup, or after several, by a plain store to a cache line that it alone writes.
 * Between two such stores it may be in nodes that were taken out meanwhile; so these are given back when each reader
 * has added to its number, or has ended, since. The barriers that this needs are all on the writer's side
 * (membarrier(2)), and it collects many nodes for one.
 */
#ifndef RCU_H
#define RCU_H

#include "shim.h"

/* Processors fetch lines in pairs. */
struct rcu_reader {
	unsigned long passed;
	bool online;
} __attribute__((aligned(128)));

extern __thread struct rcu_reader *rcu_self;
struct rcu_reader *rcu_join(void);

/* This thread as a reader. It is one from the first time on until it ends. */
static inline struct rcu_reader *rcu_enter(void)
{
	return likely(rcu_self) ? rcu_self : rcu_join();
}

/* The reader holds nothing that it found so far. */
static inline void rcu_pass(struct rcu_reader *self)
{
	__atomic_store_n(&self->passed, self->passed + 1, __ATOMIC_RELEASE);
}

/* Called once. */
void rcu_setup(void);

/* Gives back what no reader can be in any more, if this thread has enough of it. Never waits for a reader. */
void rcu_collect(void);

#endif
