/* Memory and strings.  Compiled with -fno-builtin, or the compiler would make memcpy of
   the loop in memcpy. */
#include <stdint.h>
#include <string.h>

#define WORD sizeof(uint64_t)
#define WORTH_SHIFTING 32 /* octets */

/* May alias whatever it is laid upon. */
typedef uint64_t __attribute__((may_alias)) word_t;

static int same_alignment(const void *a, const void *b)
{
	return (((uintptr_t)a ^ (uintptr_t)b) & (WORD - 1)) == 0;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "copy_unlike shifts the other way elsewhere");

/* Between places of unlike alignment, as the data of packets and of messages mostly are; octet
   by octet it would cost eight times as much.  Each word written is put together from two that
   are read.  No word is read of which no octet is wanted, so nothing behind the last octet's
   page is touched. */
static __attribute__((noinline)) void *copy_unlike(void *to, const unsigned char *f, size_t size)
{
	unsigned char *t = to;
	unsigned low = (unsigned)((uintptr_t)f - (uintptr_t)t) % WORD * 8, high = 64 - low;
	const word_t *next;
	word_t have;

	for (; ((uintptr_t)t & (WORD - 1)) != 0; size--)
		*t++ = *f++;
	next = (const word_t *)(f - low / 8);
	have = *next++;
	for (; size >= 2 * WORD; size -= 2 * WORD, t += 2 * WORD, next += 2) {
		word_t a = next[0], b = next[1];

		((word_t *)t)[0] = have >> low | a << high;
		((word_t *)t)[1] = a >> low | b << high;
		have = b;
	}
	if (size >= WORD) {
		*(word_t *)t = have >> low | *next++ << high;
		size -= WORD;
		t += WORD;
	}
	f = (const unsigned char *)(next - 1) + low / 8;
	while (size-- != 0)
		*t++ = *f++;
	return to;
}

/* The target may overlap the source's front: nothing is written where there is still to be
   read.  Inline, for short copies are many. */
static inline __attribute__((always_inline)) void *copy_up(void *to, const unsigned char *f, size_t size)
{
	unsigned char *t = to;

	if (!same_alignment(t, f)) {
		if (size >= WORTH_SHIFTING)
			return copy_unlike(to, f, size);
	} else {
		for (; size != 0 && ((uintptr_t)t & (WORD - 1)) != 0; size--)
			*t++ = *f++;
		for (; size >= 4 * WORD; size -= 4 * WORD, t += 4 * WORD, f += 4 * WORD) {
			word_t *tw = (word_t *)t;
			const word_t *fw = (const word_t *)f;
			word_t a = fw[0], b = fw[1], c = fw[2], d = fw[3];

			tw[0] = a;
			tw[1] = b;
			tw[2] = c;
			tw[3] = d;
		}
		for (; size >= WORD; size -= WORD, t += WORD, f += WORD)
			*(word_t *)t = *(const word_t *)f;
	}
	while (size-- != 0)
		*t++ = *f++;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	return copy_up(to, from, size);
}

void *mempcpy(void *restrict to, const void *restrict from, size_t size)
{
	return (char *)memcpy(to, from, size) + size;
}

static void *copy_down(void *to, const unsigned char *f, size_t size)
{
	unsigned char *t = (unsigned char *)to + size;

	f += size;
	if (same_alignment(t, f)) {
		for (; size != 0 && ((uintptr_t)t & (WORD - 1)) != 0; size--)
			*--t = *--f;
		for (; size >= WORD; size -= WORD) {
			t -= WORD;
			f -= WORD;
			*(word_t *)t = *(const word_t *)f;
		}
	}
	while (size-- != 0)
		*--t = *--f;
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	return (uintptr_t)to - (uintptr_t)from >= size /* does not begin inside the source */
	    ? copy_up(to, from, size) : copy_down(to, from, size);
}

void *memset(void *at, int value, size_t size)
{
	unsigned char *p = at;
	word_t word = (unsigned char)value * 0x0101010101010101ULL;

	for (; size != 0 && ((uintptr_t)p & (WORD - 1)) != 0; size--)
		*p++ = (unsigned char)value;
	for (; size >= 4 * WORD; size -= 4 * WORD, p += 4 * WORD) {
		word_t *w = (word_t *)p;

		w[0] = word;
		w[1] = word;
		w[2] = word;
		w[3] = word;
	}
	for (; size >= WORD; size -= WORD, p += WORD)
		*(word_t *)p = word;
	while (size-- != 0)
		*p++ = (unsigned char)value;
	return at;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *p = a, *q = b;

	if (same_alignment(p, q) && ((uintptr_t)p & (WORD - 1)) == 0)
		for (; size >= WORD && *(const word_t *)p == *(const word_t *)q; size -= WORD) {
			p += WORD;
			q += WORD;
		}
	for (; size != 0; size--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

void *memchr(const void *at, int value, size_t size)
{
	const unsigned char *p = at;

	for (; size != 0; size--, p++)
		if (*p == (unsigned char)value)
			return (void *)p;
	return NULL;
}

void *memrchr(const void *at, int value, size_t size)
{
	const unsigned char *p = (const unsigned char *)at + size;

	for (; size != 0; size--)
		if (*--p == (unsigned char)value)
			return (void *)p;
	return NULL;
}

void *memmem(const void *at, size_t size, const void *what, size_t length)
{
	const char *p = at;

	for (; size >= length; size--, p++)
		if (memcmp(p, what, length) == 0)
			return (void *)p;
	return NULL;
}

size_t strlen(const char *text)
{
	const char *p = text;

	while (*p != '\0')
		p++;
	return (size_t)(p - text);
}

size_t strnlen(const char *text, size_t max)
{
	size_t length = 0;

	while (length < max && text[length] != '\0')
		length++;
	return length;
}

char *stpcpy(char *restrict to, const char *restrict from)
{
	while ((*to = *from++) != '\0')
		to++;
	return to;
}

char *strcpy(char *restrict to, const char *restrict from)
{
	stpcpy(to, from);
	return to;
}

char *strncpy(char *restrict to, const char *restrict from, size_t size)
{
	size_t length = strnlen(from, size);

	memcpy(to, from, length);
	memset(to + length, 0, size - length);
	return to;
}

char *strcat(char *restrict to, const char *restrict from)
{
	strcpy(to + strlen(to), from);
	return to;
}

char *strncat(char *restrict to, const char *restrict from, size_t max)
{
	size_t length = strnlen(from, max);
	char *end = to + strlen(to);

	memcpy(end, from, length);
	end[length] = '\0';
	return to;
}

size_t strlcpy(char *restrict to, const char *restrict from, size_t size)
{
	size_t length = strlen(from);

	if (size != 0) {
		size_t fits = length < size ? length : size - 1;

		memcpy(to, from, fits);
		to[fits] = '\0';
	}
	return length;
}

size_t strlcat(char *restrict to, const char *restrict from, size_t size)
{
	size_t length = strnlen(to, size);

	return length + (length < size ? strlcpy(to + length, from, size - length) : strlen(from));
}

int strcmp(const char *a, const char *b)
{
	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (; max != 0; max--, a++, b++)
		if (*a != *b || *a == '\0')
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

int strcoll(const char *a, const char *b)
{
	return strcmp(a, b);
}

char *strchrnul(const char *text, int c)
{
	while (*text != '\0' && *text != (char)c)
		text++;
	return (char *)text;
}

char *strchr(const char *text, int c)
{
	char *found = strchrnul(text, c);

	return *found == (char)c ? found : NULL;
}

char *strrchr(const char *text, int c)
{
	return memrchr(text, c, strlen(text) + 1);
}

char *strstr(const char *text, const char *what)
{
	return memmem(text, strlen(text), what, strlen(what));
}

size_t strspn(const char *text, const char *set)
{
	size_t length = 0;

	while (text[length] != '\0' && strchr(set, text[length]) != NULL)
		length++;
	return length;
}

size_t strcspn(const char *text, const char *set)
{
	size_t length = 0;

	while (text[length] != '\0' && strchr(set, text[length]) == NULL)
		length++;
	return length;
}

char *strpbrk(const char *text, const char *set)
{
	text += strcspn(text, set);
	return *text != '\0' ? (char *)text : NULL;
}

char *strsep(char **text, const char *set)
{
	char *field = *text;

	if (field != NULL) {
		char *end = field + strcspn(field, set);

		*text = *end != '\0' ? end + 1 : NULL;
		*end = '\0';
	}
	return field;
}

char *strtok_r(char *restrict text, const char *restrict set, char **restrict rest)
{
	char *field = text != NULL ? text : *rest;
	char *end;

	if (field == NULL)
		return NULL;
	field += strspn(field, set);
	end = field + strcspn(field, set);
	*rest = *end != '\0' ? end + 1 : NULL;
	if (end == field)
		return NULL;
	*end = '\0';
	return field;
}

char *strtok(char *restrict text, const char *restrict set)
{
	static char *rest;

	return strtok_r(text, set, &rest);
}
