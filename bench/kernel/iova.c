/* The kernel's IOVA allocator, and what the benchmarks call of it. */
#include "iova_source.c"

void peer_iova_setup(void)
{
	iova_cache_get();
}

struct iova_domain *peer_iova_new(unsigned long start_pfn)
{
	struct iova_domain *domain = calloc(1, sizeof(*domain));

	if (!domain)
		return NULL;
	init_iova_domain(domain, PAGE_SIZE, start_pfn);
	if (iova_domain_init_rcaches(domain)) {
		free(domain);
		return NULL;
	}
	return domain;
}

void peer_iova_flush(struct iova_domain *domain);

void peer_iova_drop(struct iova_domain *domain)
{
	peer_iova_flush(domain);
	put_iova_domain(domain);
	free(domain);
}

struct iova *peer_iova_allocate(struct iova_domain *domain, unsigned long size, unsigned long limit_pfn,
				bool aligned)
{
	return alloc_iova(domain, size, limit_pfn, aligned);
}

void peer_iova_free(struct iova_domain *domain, struct iova *range)
{
	__free_iova(domain, range);
}

unsigned long peer_iova_first(const struct iova *range)
{
	return range->pfn_lo;
}

unsigned long peer_iova_allocate_cached(struct iova_domain *domain, unsigned long size, unsigned long limit_pfn)
{
	return alloc_iova_fast(domain, size, limit_pfn, true);
}

void peer_iova_free_cached(struct iova_domain *domain, unsigned long pfn, unsigned long size)
{
	free_iova_fast(domain, pfn, size);
}

/* The same with locks that are taken, although there is nobody else. */
unsigned long peer_iova_allocate_locked(struct iova_domain *domain, unsigned long size, unsigned long limit_pfn)
{
	unsigned long pfn;

	shim_threads = 1;
	pfn = alloc_iova_fast(domain, size, limit_pfn, true);
	shim_threads = 0;
	return pfn;
}

void peer_iova_free_locked(struct iova_domain *domain, unsigned long pfn, unsigned long size)
{
	shim_threads = 1;
	free_iova_fast(domain, pfn, size);
	shim_threads = 0;
}

/* Gives all back that the magazines hold, as a domain does that has run out of space. */
void peer_iova_flush(struct iova_domain *domain)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		free_cpu_cached_iovas(cpu, domain);
	free_global_cached_iovas(domain);
}
