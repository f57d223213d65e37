/* No guard: a file may include this again with NDEBUG changed. */
#undef assert

#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition) \
	((condition) ? (void)0 : __assert_fail(#condition, __FILE_NAME__, __LINE__, __func__))
#endif

#ifndef _ASSERT_H_
#define _ASSERT_H_

#define static_assert _Static_assert

extern _Noreturn void __assert_fail(const char *condition, const char *file, int line,
    const char *function);

#endif
