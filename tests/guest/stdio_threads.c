/* Threads that print: each call's text stays whole, whatever happens in the middle of it. */
#include <cthreads.h>
#include <stdio.h>
#include <string.h>

#define THREADS 5
#define LINES   12

static char printed[THREADS * LINES * 64];
static size_t length;
static int volatile locked, refused;

/* Where the lines go: slowly, so that others come in between if they can. */
static ssize_t put(void *cookie, char *octets, size_t size)
{
	(void)cookie;
	for (size_t i = 0; i < size; i++) {
		printed[length++] = octets[i];
		if (i % 5 == 0)
			cthread_yield();
	}
	return (ssize_t)size;
}

static any_t print(any_t argument)
{
	for (int i = 0; i < LINES; i++)
		printf("thread %d prints line %d of %d\n", (int)(long)argument, i, LINES);
	return NULL;
}

static any_t hold(any_t argument)
{
	flockfile(stdout);
	flockfile(stdout); /* its own: once more */
	locked = 1;
	while (!refused)
		cthread_yield();
	funlockfile(stdout);
	funlockfile(stdout);
	return argument;
}

/* The number of the line of `printed` that is not whole, or 0. */
static int check_lines(void)
{
	int seen[THREADS] = {0}, number = 0, thread, line, end;

	for (char *text = printed; *text != '\0'; text += end) {
		number++;
		if (sscanf(text, "thread %d prints line %d of 12\n%n", &thread, &line, &end) != 2 || thread < 0 ||
		    thread >= THREADS || line != seen[thread]++)
			return number;
	}
	return number == THREADS * LINES ? 0 : number + 1;
}

int main(void)
{
	cthread_t threads[THREADS], holder;

	stdio_set(stdout, put, NULL);
	for (long i = 0; i < THREADS; i++)
		threads[i] = cthread_fork(print, (any_t)i);
	for (int i = 0; i < THREADS; i++)
		cthread_join(threads[i]);
	if (check_lines() != 0) {
		fprintf(stderr, "line %d of:\n%s", check_lines(), printed);
		return 1;
	}
	holder = cthread_fork(hold, NULL);
	while (!locked)
		cthread_yield();
	if (ftrylockfile(stdout) == 0)
		return 2;
	refused = 1;
	cthread_join(holder);
	if (ftrylockfile(stdout) != 0)
		return 3;
	funlockfile(stdout);
	return 0;
}
