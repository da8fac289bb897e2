/* Who reads, and what waits for them. See rcu.h. */
#include "rcu.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Threads that read at a time, at most. */
#define READERS 64
/* So many nodes wait before anybody looks at the readers: a kernel lets more pass between two grace periods. */
#define ENOUGH 512

/* Callbacks in the order in which they came. */
struct list {
	struct rcu_head *first;
	struct rcu_head **end;
};

static struct rcu_reader readers[READERS];
static struct list left;
/* Who joins and leaves, and what those left behind who ended. */
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t ending;

__thread struct rcu_reader *rcu_self;

/* What this thread took out. */
static __thread struct {
	/* Since the last look at the readers; how many, and how many are enough for another one. */
	struct list fresh;
	unsigned long count;
	unsigned long enough;
	/* Before it, and where each reader was then: 0 is nobody. */
	struct list waiting;
	unsigned long seen[READERS];
} retired = { .enough = ENOUGH };

static void push(struct list *list, struct rcu_head *head)
{
	head->next = NULL;
	if (!list->first)
		list->end = &list->first;
	*list->end = head;
	list->end = &head->next;
}

/* The second list goes to the end of the first one. */
static void move(struct list *to, struct list *from)
{
	if (!from->first)
		return;
	if (!to->first)
		to->end = &to->first;
	*to->end = from->first;
	to->end = from->end;
	from->first = NULL;
}

struct rcu_reader *rcu_join(void)
{
	struct rcu_reader *reader = readers;

	pthread_mutex_lock(&registry);
	while (reader->online)
		if (++reader == readers + READERS)
			abort();
	reader->online = true;
	reader->passed++;
	/* Who looked before this does not wait for it; what that one had taken out is not seen after this. */
	pthread_mutex_unlock(&registry);
	pthread_setspecific(ending, reader);
	return rcu_self = reader;
}

/* At the end of a thread that has read or written. */
static void leave(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&registry);
	if (rcu_self) {
		rcu_pass(rcu_self);
		rcu_self->online = false;
		rcu_self = NULL;
	}
	move(&left, &retired.waiting);
	move(&left, &retired.fresh);
	pthread_mutex_unlock(&registry);
	shim_slab_leave();
}

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	if (unlikely(!retired.count++))
		pthread_setspecific(ending, &retired);
	head->func = func;
	push(&retired.fresh, head);
}

/* Whether each reader that was there has passed or left since, which is a pass as well. */
static bool all_passed(void)
{
	unsigned int i;

	for (i = 0; i < READERS; i++)
		if (retired.seen[i] && __atomic_load_n(&readers[i].passed, __ATOMIC_ACQUIRE) == retired.seen[i])
			return false;
	return true;
}

/* Notes where each reader is. What it passes from now on it passes without what was taken out. */
static void look(void)
{
	unsigned int i;

	pthread_mutex_lock(&registry);
	move(&retired.waiting, &left);
	/* From here on no reader finds what was taken out; and what it has passed before is in its number. */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		abort();
	for (i = 0; i < READERS; i++)
		retired.seen[i] = readers[i].online ? __atomic_load_n(&readers[i].passed, __ATOMIC_RELAXED) : 0;
	pthread_mutex_unlock(&registry);
}

static noinline void collect(void)
{
	struct rcu_head *head, *next;

	if (!all_passed()) {
		retired.enough += ENOUGH;
		return;
	}
	for (head = retired.waiting.first; head; head = next) {
		next = head->next;
		head->func(head);
	}
	retired.waiting.first = NULL;
	move(&retired.waiting, &retired.fresh);
	retired.count = 0;
	retired.enough = ENOUGH;
	look();
}

void rcu_collect(void)
{
	if (unlikely(retired.count >= retired.enough))
		collect();
}

void rcu_setup(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) ||
	    pthread_key_create(&ending, leave))
		abort();
}

void peer_rcu_enter(void)
{
	rcu_enter();
}

void peer_rcu_pass(void)
{
	rcu_pass(rcu_self);
}
