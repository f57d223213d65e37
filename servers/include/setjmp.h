#ifndef _SETJMP_H_
#define _SETJMP_H_

/* ra, sp, s0 to s11, fs0 to fs11. */
typedef unsigned long jmp_buf[26];

extern int setjmp(jmp_buf env) __attribute__((returns_twice));
extern _Noreturn void longjmp(jmp_buf env, int value);

/* BSD's names for those that leave signals alone: there are none. */
#define _setjmp(env)         setjmp(env)
#define _longjmp(env, value) longjmp(env, value)

#endif
