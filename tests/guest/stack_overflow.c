/* A thread that uses up its stack: what lies below it is not harmed. */
#include <cthreads.h>

static int descend(int depth, int volatile *above)
{
	int volatile here[256] = {*above};

	return depth != 0 ? descend(depth - 1, here) + here[0] : 0;
}

static any_t fall(any_t argument)
{
	int volatile start = 0;

	descend(1000000, &start);
	return argument;
}

int main(void)
{
	cthread_join(cthread_fork(fall, NULL));
	return 0;
}
