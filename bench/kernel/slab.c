/* Objects of one size each, from a free list per thread, as the kernel's per-processor slabs. */
#include "shim.h"

#include <pthread.h>

#define CACHES 8
#define CHUNK (64 * 1024)

struct kmem_cache {
	unsigned int number;
	size_t size;
};

static struct kmem_cache caches[CACHES];
static unsigned int used;
static __thread void *free_list[CACHES];
static __thread long live_bytes;
static __thread unsigned long allocations;
static __thread unsigned int fail_of_65536;
static __thread u64 fail_state;

/* What threads had free that ended. */
static void *left[CACHES];
static pthread_mutex_t left_lock = PTHREAD_MUTEX_INITIALIZER;

__thread int shim_threads;
__thread unsigned int shim_cpu;

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned int flags, void (*ctor)(void *))
{
	struct kmem_cache *cache = &caches[used];

	(void)name, (void)ctor;
	if (used == CACHES)
		abort();
	/* Objects that ask for it begin at a cache line, but do not take more lines than they need. */
	if (flags & SLAB_HWCACHE_ALIGN)
		align = max(align, size > 32 ? 64u : 32u);
	cache->number = used++;
	cache->size = align ? ALIGN((size_t)size, align) : size;
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	(void)cache;
}

void shim_slab_leave(void)
{
	unsigned int number;
	void **end;

	pthread_mutex_lock(&left_lock);
	for (number = 0; number < CACHES; number++) {
		for (end = &free_list[number]; *end; end = *end)
			;
		*end = left[number];
		left[number] = free_list[number];
		free_list[number] = NULL;
	}
	pthread_mutex_unlock(&left_lock);
}

static noinline void *refill(struct kmem_cache *cache)
{
	char *chunk;
	size_t at;

	pthread_mutex_lock(&left_lock);
	free_list[cache->number] = left[cache->number];
	left[cache->number] = NULL;
	pthread_mutex_unlock(&left_lock);
	if (free_list[cache->number])
		return free_list[cache->number];
	chunk = aligned_alloc(4096, CHUNK);
	if (!chunk)
		return NULL;
	for (at = CHUNK / cache->size * cache->size; at != 0; at -= cache->size) {
		void **object = (void **)(chunk + at - cache->size);

		*object = free_list[cache->number];
		free_list[cache->number] = object;
	}
	return free_list[cache->number];
}

static noinline bool decide(void)
{
	fail_state = fail_state * 6364136223846793005u + 1442695040888963407u;
	return fail_state >> 48 < fail_of_65536;
}

/* Whether a call fails, be it for one object or for several: so a caller that tries again gets on. */
static inline bool fails(void)
{
	return unlikely(fail_of_65536) && decide();
}

static inline void *take(struct kmem_cache *cache)
{
	void **object = free_list[cache->number];

	if (unlikely(!object))
		object = refill(cache);
	if (unlikely(!object))
		return NULL;
	free_list[cache->number] = *object;
	live_bytes += cache->size;
	allocations++;
	return object;
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *object = fails() ? NULL : take(cache);

	return object && gfp & __GFP_ZERO ? memset(object, 0, cache->size) : object;
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp | __GFP_ZERO);
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	*(void **)object = free_list[cache->number];
	free_list[cache->number] = object;
	live_bytes -= cache->size;
}

int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t count, void **objects)
{
	size_t i;

	(void)gfp;
	if (fails())
		return 0;
	for (i = 0; i < count; i++) {
		objects[i] = take(cache);
		if (unlikely(!objects[i])) {
			kmem_cache_free_bulk(cache, i, objects);
			return 0;
		}
	}
	return count;
}

void kmem_cache_free_bulk(struct kmem_cache *cache, size_t count, void **objects)
{
	size_t i;

	for (i = 0; i < count; i++)
		kmem_cache_free(cache, objects[i]);
}

/* Bytes of objects in use that this thread allocated, all caches together. */
long peer_live_bytes(void)
{
	return live_bytes;
}

/* Calls for an object, by this thread. */
unsigned long peer_allocations(void)
{
	return allocations;
}

/* So many of 65536 of this thread's calls for an object fail from now on. */
void peer_fail(unsigned int of_65536)
{
	fail_of_65536 = of_65536;
	fail_state = 1;
}

/* Which of the two processors this thread plays, and whether it takes locks. */
void peer_thread(unsigned int cpu, int threads)
{
	shim_cpu = cpu;
	shim_threads = threads;
}
