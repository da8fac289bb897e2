/* Objects of one size each, from a free list per thread, as the kernel's per-processor slabs. */
#include "shim.h"

#define CACHES 4
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

int shim_threads;
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

static noinline void *refill(struct kmem_cache *cache)
{
	char *chunk = aligned_alloc(4096, CHUNK);
	size_t at;

	if (!chunk)
		return NULL;
	for (at = CHUNK / cache->size * cache->size; at != 0; at -= cache->size) {
		void **object = (void **)(chunk + at - cache->size);

		*object = free_list[cache->number];
		free_list[cache->number] = object;
	}
	return free_list[cache->number];
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void **object = free_list[cache->number];

	if (unlikely(!object))
		object = refill(cache);
	if (unlikely(!object))
		return NULL;
	free_list[cache->number] = *object;
	live_bytes += cache->size;
	allocations++;
	return gfp & __GFP_ZERO ? memset(object, 0, cache->size) : object;
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

	for (i = 0; i < count; i++)
		objects[i] = kmem_cache_alloc(cache, gfp);
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

/* Which of the two processors this thread plays, and whether there are others. */
void peer_thread(unsigned int cpu, int threads)
{
	shim_cpu = cpu;
	shim_threads = threads;
}
