/* Start-up in C: what the stack holds becomes main's arguments. */
#include <stdlib.h>
#include <string.h>

#include <mach_init.h>

typedef void (*constructor_t)(void);

extern constructor_t __init_array_start[], __init_array_end[]; /* program.ld */
extern char __first_tp[], __tls_image[], __tls_image_size[];

extern int main(int argc, char **argv, char **envp);
extern _Noreturn void start_c(long *stack);

void start_c(long *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);

	environ = argv + argc + 1;
	if ((size_t)__tls_image_size != 0)
		memcpy(__first_tp, __tls_image, (size_t)__tls_image_size);
	mach_init();
	for (constructor_t *constructor = __init_array_start; constructor < __init_array_end; constructor++)
		(*constructor)();
	exit(main(argc, argv, environ));
}
