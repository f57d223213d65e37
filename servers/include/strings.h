#ifndef _STRINGS_H_
#define _STRINGS_H_

#include <stddef.h>

extern int strcasecmp(const char *a, const char *b);
extern int strncasecmp(const char *a, const char *b, size_t max);
extern void bzero(void *at, size_t size);
extern void bcopy(const void *from, void *to, size_t size);
extern int bcmp(const void *a, const void *b, size_t size);
extern int ffs(int word);
extern char *index(const char *text, int c);
extern char *rindex(const char *text, int c);

#endif
