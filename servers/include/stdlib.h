#ifndef _STDLIB_H_
#define _STDLIB_H_

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX     0x7fffffff

typedef struct {
	int quot;
	int rem;
} div_t;
typedef struct {
	long quot;
	long rem;
} ldiv_t;
typedef struct {
	long long quot;
	long long rem;
} lldiv_t;

/* --- memory: see servers/lib/c/malloc.c ---------------------------------- */

extern void *malloc(size_t size);
extern void *calloc(size_t count, size_t size);
extern void *realloc(void *block, size_t size);
extern void *reallocarray(void *block, size_t count, size_t size);
extern void *aligned_alloc(size_t alignment, size_t size);
extern void free(void *block);
extern int posix_memalign(void **block, size_t alignment, size_t size); /* 0, EINVAL, ENOMEM */
extern void *memalign(size_t alignment, size_t size);
extern void *valloc(size_t size); /* on a page */
extern size_t malloc_usable_size(const void *block);

struct malloc_totals {
	size_t regions; /* taken from the kernel */
	size_t mapped;  /* octets in them */
	size_t used;    /* octets in live blocks, their headers counted */
	size_t blocks;  /* live ones */
};

/* Walks all memory; 0 if every invariant holds, else the number of the first that does
   not.  `totals` may be null. */
extern int malloc_check(struct malloc_totals *totals);

/* --- numbers ------------------------------------------------------------- */

extern int atoi(const char *text);
extern long atol(const char *text);
extern long long atoll(const char *text);
extern long strtol(const char *restrict text, char **restrict end, int base);
extern unsigned long strtoul(const char *restrict text, char **restrict end, int base);
extern long long strtoll(const char *restrict text, char **restrict end, int base);
extern unsigned long long strtoull(const char *restrict text, char **restrict end, int base);
extern int abs(int value);
extern long labs(long value);
extern long long llabs(long long value);
extern div_t div(int a, int b);
extern ldiv_t ldiv(long a, long b);
extern lldiv_t lldiv(long long a, long long b);

/* A repeatable sequence, no secret: rand from one hidden seed, rand_r from yours. */
extern int rand(void);
extern void srand(unsigned seed);
extern int rand_r(unsigned *seed);
extern long random(void);
extern void srandom(unsigned seed);

extern void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
extern void *bsearch(const void *key, const void *base, size_t count, size_t size,
    int (*compare)(const void *, const void *));

/* --- the end ------------------------------------------------------------- */

extern _Noreturn void exit(int status); /* handlers of atexit, stdio, then _Exit */
extern _Noreturn void _Exit(int status);
extern _Noreturn void _exit(int status);
extern _Noreturn void abort(void); /* status ABORT_STATUS */
extern int atexit(void (*handler)(void));
extern _Noreturn void quick_exit(int status); /* handlers of at_quick_exit, then _Exit */
extern int at_quick_exit(void (*handler)(void));

#define ABORT_STATUS 134

extern char **environ;
extern char *getenv(const char *name);

#endif
