/*
 * What the kernel's maple tree and IOVA allocator need of the kernel, for a program in user space.
 *
 * This is written for these benchmarks. It is included before everything else, and the headers that the
 * kernel's files ask for and that are not compiled with them exist as empty files (see build.rs).
 *
 * The kernel's code is meant to look its best here: no debugging, no preemption, reads and barriers are plain,
 * a lock costs one predicted branch while there is one thread, and objects come from a free list. With SHIM_READERS
 * there are readers in other threads, and reads are those of the kernel.
 */
#ifndef SHIM_H
#define SHIM_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_64BIT 1
#define CONFIG_IOMMU_IOVA 1
#define IS_REACHABLE(option) option
#define IS_ENABLED(option) 0

/* Types and annotations. */
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned int gfp_t;
typedef u64 dma_addr_t;
#define __rcu
#define __percpu
#define __user
#define __init
#define __must_hold(lock)
#define __always_inline inline __attribute__((always_inline))
#define noinline __attribute__((noinline))
#define noinline_for_stack noinline
#define fallthrough __attribute__((fallthrough))
#define __maybe_unused __attribute__((unused))
#define __cacheline_aligned __attribute__((aligned(64)))
#define ____cacheline_aligned __attribute__((aligned(64)))

/* Arithmetic. */
#define BITS_PER_LONG 64
#define BIT(n) (1UL << (n))
#define GENMASK(high, low) ((~0UL << (low)) & (~0UL >> (63 - (high))))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define min(a, b) ({ __auto_type a_ = (a); __auto_type b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) ({ __auto_type a_ = (a); __auto_type b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define swap(a, b) do { __auto_type t_ = (a); (a) = (b); (b) = t_; } while (0)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define ALIGN(x, a) (((x) + (a) - 1) & ~((typeof(x))(a) - 1))
#define ALIGN_DOWN(x, a) ((x) & ~((typeof(x))(a) - 1))
#define is_power_of_2(n) ((n) != 0 && ((n) & ((n) - 1)) == 0)
#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))

static inline unsigned int fls_long(unsigned long x) { return x ? 64 - __builtin_clzl(x) : 0; }
static inline unsigned long __ffs(unsigned long x) { return __builtin_ctzl(x); }
static inline unsigned int order_base_2(unsigned long n) { return n > 1 ? fls_long(n - 1) : 0; }
static inline unsigned long roundup_pow_of_two(unsigned long n) { return 1UL << order_base_2(n); }

/* Complaints: what must not happen ends the program. */
#define BUG_ON(x) do { if (unlikely(x)) abort(); } while (0)
#define WARN_ON(x) ({ int warn_ = !!(x); if (unlikely(warn_)) abort(); warn_; })
#define WARN_ON_ONCE(x) WARN_ON(x)
#define VM_BUG_ON(x) ((void)0)
#define static_assert(condition, ...) _Static_assert(condition, #condition)
#define pr_err(...) ((void)0)
#define pr_info(...) ((void)0)
#define pr_cont(...) ((void)0)
#define ERR_PTR(error) ((void *)(long)(error))
#define PTR_ERR(pointer) ((long)(pointer))
#define IS_ERR(pointer) ((unsigned long)(pointer) >= (unsigned long)-4095)

/* Modules and tracing. */
#define EXPORT_SYMBOL(name)
#define EXPORT_SYMBOL_GPL(name)
#define MODULE_AUTHOR(text)
#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)
#define tracepoint_string(text) (text)
#define trace_ma_op(...) ((void)0)
#define trace_ma_read(...) ((void)0)
#define trace_ma_write(...) ((void)0)
#define kmemleak_transient_leak(pointer) ((void)0)

/* Read-copy-update. */
struct rcu_head { struct rcu_head *next; void (*func)(struct rcu_head *head); };
#define barrier() __asm__ volatile("" ::: "memory")
#define smp_rmb() barrier()
#define smp_wmb() barrier()
#define rcu_dereference_protected(p, condition) (p)
#ifdef SHIM_READERS
/*
 * Readers in other threads, as a kernel that does not preempt them has it on x86: stores become visible in order and loads
 * are done in order, so only the compiler is to be kept from changing that. What waits for readers is in rcu.c.
 */
#ifndef __x86_64__
#error "these barriers are those of x86"
#endif
#define rcu_read_lock() barrier()
#define rcu_read_unlock() barrier()
#define rcu_assign_pointer(p, value) do { barrier(); WRITE_ONCE(p, value); } while (0)
#define RCU_INIT_POINTER(p, value) WRITE_ONCE(p, value)
#define rcu_dereference_check(p, condition) READ_ONCE(p)
#define rcu_dereference_raw(p) READ_ONCE(p)
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
#else
/* Readers and the writer in one thread. */
#define rcu_read_lock() ((void)0)
#define rcu_read_unlock() ((void)0)
#define rcu_assign_pointer(p, value) ((p) = (value))
#define RCU_INIT_POINTER(p, value) ((p) = (value))
#define rcu_dereference_check(p, condition) (p)
#define rcu_dereference_raw(p) (p)
#define call_rcu(head, callback) (callback)(head)
#endif

/* Locks: nothing but a test, until a thread says that there are others. */
extern __thread int shim_threads;
typedef struct { int taken; } spinlock_t;
struct mutex { int unused; };
#define DEFINE_MUTEX(name) struct mutex name
#define mutex_lock(m) ((void)(m))
#define mutex_unlock(m) ((void)(m))
static inline void spin_lock_init(spinlock_t *lock) { lock->taken = 0; }
static inline void spin_lock(spinlock_t *lock)
{
	if (likely(!shim_threads))
		return;
	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED))
			__builtin_ia32_pause();
}
static inline void spin_unlock(spinlock_t *lock)
{
	if (unlikely(shim_threads))
		__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}
#define spin_lock_nested(lock, subclass) spin_lock(lock)
#define spin_lock_irqsave(lock, flags) do { (flags) = 0; (void)(flags); spin_lock(lock); } while (0)
#define spin_unlock_irqrestore(lock, flags) do { (void)(flags); spin_unlock(lock); } while (0)
#define assert_spin_locked(lock) ((void)(lock))
#define lockdep_is_held(lock) 1
#define __SPIN_LOCK_UNLOCKED(name) { 0 }

/* Memory. */
#define GFP_KERNEL 1u
#define GFP_ATOMIC 2u
#define GFP_NOWAIT 4u
#define __GFP_NOWARN 8u
#define __GFP_ZERO 16u
#define SLAB_PANIC 1u
#define SLAB_HWCACHE_ALIGN 2u
#define PAGE_SIZE 4096UL
#define gfpflags_allow_blocking(gfp) ((gfp) == GFP_KERNEL)
#define might_alloc(gfp) ((void)(gfp))
struct kmem_cache;
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned int flags, void (*ctor)(void *));
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *object);
int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t count, void **objects);
void kmem_cache_free_bulk(struct kmem_cache *cache, size_t count, void **objects);
/* What the thread has free is for others, since it ends. */
void shim_slab_leave(void);
static inline void *kcalloc(size_t count, size_t size, gfp_t gfp) { (void)gfp; return calloc(count, size); }
static inline void kfree(const void *object) { free((void *)object); }

/* Processors: one for each of two threads. */
#define SHIM_CPUS 2
extern __thread unsigned int shim_cpu;
#define cache_line_size() 64
#define __alloc_percpu(size, align) aligned_alloc(64, SHIM_CPUS * (((size) + 63) & ~(size_t)63))
#define free_percpu(p) free(p)
#define per_cpu_ptr(p, cpu) \
	((typeof(p))((char *)(p) + (cpu) * ((sizeof(*(p)) + 63) & ~(size_t)63)))
#define raw_cpu_ptr(p) per_cpu_ptr(p, shim_cpu)
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < SHIM_CPUS; (cpu)++)
#define for_each_online_cpu(cpu) for_each_possible_cpu(cpu)
#define num_online_cpus() SHIM_CPUS

/* Deferred work and processors that come and go: neither happens. */
struct hlist_node { struct hlist_node *next; };
#define hlist_entry_safe(pointer, type, member) ((pointer) ? container_of(pointer, type, member) : NULL)
struct work_struct { int unused; };
struct delayed_work { struct work_struct work; };
#define HZ 250
#define msecs_to_jiffies(ms) ((ms) * HZ / 1000)
#define INIT_DELAYED_WORK(work, function) ((void)(function))
#define schedule_delayed_work(work, delay) ((void)0)
#define cancel_delayed_work_sync(work) ((void)0)
#define CPUHP_IOMMU_IOVA_DEAD 0
#define cpuhp_setup_state_multi(state, name, up, down) ((void)(down), 0)
#define cpuhp_remove_multi_state(state) ((void)0)
#define cpuhp_state_add_instance_nocalls(state, node) ((void)(node), 0)
#define cpuhp_state_remove_instance_nocalls(state, node) ((void)(node))

/* What the tree knows of the kernel's XArray: how entries are told from what it keeps itself. */
static inline void *xa_mk_internal(unsigned long value) { return (void *)(value << 2 | 2); }
static inline unsigned long xa_to_internal(const void *entry) { return (unsigned long)entry >> 2; }
static inline bool xa_is_internal(const void *entry) { return ((unsigned long)entry & 3) == 2; }
static inline bool xa_is_node(const void *entry) { return xa_is_internal(entry) && (unsigned long)entry > 4096; }
static inline bool xa_is_value(const void *entry) { return (unsigned long)entry & 1; }
static inline unsigned long xa_to_value(const void *entry) { return (unsigned long)entry >> 1; }
#define XA_ZERO_ENTRY xa_mk_internal(257)
static inline bool xa_is_zero(const void *entry) { return unlikely(entry == XA_ZERO_ENTRY); }
static inline bool xa_is_err(const void *entry)
{
	return unlikely(xa_is_internal(entry) && (unsigned long)entry >= (unsigned long)xa_mk_internal(-4095));
}
static inline int xa_err(void *entry) { return xa_is_err(entry) ? (long)entry >> 2 : 0; }
static inline bool xa_is_advanced(const void *entry)
{
	return xa_is_internal(entry) && (unsigned long)entry <= (unsigned long)xa_mk_internal(256);
}

#endif
