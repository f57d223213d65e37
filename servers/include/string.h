#ifndef _STRING_H_
#define _STRING_H_

#include <stddef.h>

extern void *memcpy(void *restrict to, const void *restrict from, size_t size);
extern void *memmove(void *to, const void *from, size_t size);
extern void *memset(void *at, int value, size_t size);
extern int memcmp(const void *a, const void *b, size_t size);
extern void *memchr(const void *at, int value, size_t size);
extern void *memrchr(const void *at, int value, size_t size);
extern void *memmem(const void *at, size_t size, const void *what, size_t length);
extern void *mempcpy(void *restrict to, const void *restrict from, size_t size);

extern size_t strlen(const char *text);
extern size_t strnlen(const char *text, size_t max);
extern char *strcpy(char *restrict to, const char *restrict from);
extern char *stpcpy(char *restrict to, const char *restrict from);
extern char *strncpy(char *restrict to, const char *restrict from, size_t size);
extern char *strcat(char *restrict to, const char *restrict from);
extern char *strncat(char *restrict to, const char *restrict from, size_t max);
/* Copy, or append, what fits in `size` octets with the NUL; the length it wanted. */
extern size_t strlcpy(char *restrict to, const char *restrict from, size_t size);
extern size_t strlcat(char *restrict to, const char *restrict from, size_t size);
extern int strcmp(const char *a, const char *b);
extern int strncmp(const char *a, const char *b, size_t max);
extern int strcoll(const char *a, const char *b);
extern char *strchr(const char *text, int c);
extern char *strrchr(const char *text, int c);
extern char *strchrnul(const char *text, int c);
extern char *strstr(const char *text, const char *what);
extern size_t strspn(const char *text, const char *set);
extern size_t strcspn(const char *text, const char *set);
extern char *strpbrk(const char *text, const char *set);
extern char *strtok(char *restrict text, const char *restrict set);
extern char *strtok_r(char *restrict text, const char *restrict set, char **restrict rest);
extern char *strsep(char **text, const char *set);
extern char *strdup(const char *text);
extern char *strndup(const char *text, size_t max);
extern char *strerror(int error);
extern int strerror_r(int error, char *to, size_t size); /* 0, or ERANGE: cut */
extern size_t strxfrm(char *restrict to, const char *restrict from, size_t size);
extern void *memccpy(void *restrict to, const void *restrict from, int last, size_t size);
extern char *stpncpy(char *restrict to, const char *restrict from, size_t size);
extern char *strcasestr(const char *text, const char *what);
extern char *strnstr(const char *text, const char *what, size_t max);
extern void explicit_bzero(void *at, size_t size);

#endif
