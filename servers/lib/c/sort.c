/* Sorting and searching. */
#include <stdlib.h>
#include <string.h>

typedef int (*compare_t)(const void *, const void *);

static void swap(char *a, char *b, size_t size)
{
	for (; size != 0; size--, a++, b++) {
		char c = *a;

		*a = *b;
		*b = c;
	}
}

/* Lets the element at `root` sink to its place in the heap of `count` elements. */
static void sift(char *base, size_t root, size_t count, size_t size, compare_t compare)
{
	for (size_t child; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && compare(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (compare(base + root * size, base + child * size) >= 0)
			return;
		swap(base + root * size, base + child * size, size);
	}
}

/* Heap sort: no recursion, no memory, no bad case. */
void qsort(void *base, size_t count, size_t size, compare_t compare)
{
	for (size_t root = count / 2; root-- != 0;)
		sift(base, root, count, size, compare);
	while (count > 1) {
		count--;
		swap(base, (char *)base + count * size, size);
		sift(base, 0, count, size, compare);
	}
}

void *bsearch(const void *key, const void *base, size_t count, size_t size, compare_t compare)
{
	const char *low = base;

	while (count != 0) {
		const char *middle = low + count / 2 * size;
		int order = compare(key, middle);

		if (order == 0)
			return (void *)middle;
		if (order > 0) {
			low = middle + size;
			count--;
		}
		count /= 2;
	}
	return NULL;
}
