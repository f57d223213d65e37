/* main's thread ends before the others.  Argument: by `return`, or `cthread_exit`. */
#include <cthreads.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static any_t be_late(any_t argument)
{
	usleep(30000);
	printf("late\n");
	return argument;
}

int main(int argc, char **argv)
{
	cthread_t ended = cthread_fork(be_late, NULL);

	usleep(60000);
	cthread_detach(ended); /* when it has ended already */
	cthread_detach(cthread_fork(be_late, NULL));
	cthread_fork(be_late, NULL); /* neither detached nor joined */
	if (argc > 1 && strcmp(argv[1], "return") == 0)
		return 7;
	cthread_exit((any_t)7);
}
