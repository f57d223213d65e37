/* The area of a new thread: see <machemu/thread_area.h>. */
#include <string.h>

#include <machemu/thread_area.h>

/* program.ld: the variables' first values and their room; the symbols' addresses count. */
extern char __tls_image[], __tls_image_size[], __tls_size[];

_Static_assert(sizeof(struct thread_area) == 64, "program.ld leaves as much for the first thread");

struct thread_area thread_area_without_tp;

size_t thread_area_size(void)
{
	return sizeof(struct thread_area) + (size_t)__tls_size;
}

void *thread_area_make(void *at)
{
	char *variables = (char *)at + sizeof(struct thread_area);

	memset(at, 0, thread_area_size());
	memcpy(variables, __tls_image, (size_t)__tls_image_size);
	return variables;
}
