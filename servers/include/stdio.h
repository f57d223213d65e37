/* Formatted output, and lines from the console. */
#ifndef _STDIO_H_
#define _STDIO_H_

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

#define EOF    (-1)
#define BUFSIZ 512

#define _IOFBF 0
#define _IOLBF 1
#define _IONBF 2

typedef struct stdio_file FILE;

extern FILE *const stdin;
extern FILE *const stdout;
extern FILE *const stderr;

/* Where a stream's octets go to, or come from: at most `size` of them; the number
   taken, 0 at the end of input, -1 on an error.  Without a call of stdio_set the
   streams use the console, if the task has it, and else the kernel's. */
typedef ssize_t (*stdio_transfer_t)(void *cookie, char *octets, size_t size);
extern void stdio_set(FILE *stream, stdio_transfer_t transfer, void *cookie);

#define __printf_like(text, first) __attribute__((__format__(__printf__, text, first)))

extern int printf(const char *restrict format, ...) __printf_like(1, 2);
extern int fprintf(FILE *restrict stream, const char *restrict format, ...) __printf_like(2, 3);
extern int sprintf(char *restrict to, const char *restrict format, ...) __printf_like(2, 3);
extern int snprintf(char *restrict to, size_t size, const char *restrict format, ...) __printf_like(3, 4);
extern int asprintf(char **restrict to, const char *restrict format, ...) __printf_like(2, 3);
extern int vprintf(const char *restrict format, va_list arguments) __printf_like(1, 0);
extern int vfprintf(FILE *restrict stream, const char *restrict format, va_list arguments) __printf_like(2, 0);
extern int vsprintf(char *restrict to, const char *restrict format, va_list arguments) __printf_like(2, 0);
extern int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list arguments)
    __printf_like(3, 0);
extern int vasprintf(char **restrict to, const char *restrict format, va_list arguments) __printf_like(2, 0);

/* From text alone: the console's lines come by fgets. */
extern int sscanf(const char *restrict text, const char *restrict format, ...)
    __attribute__((__format__(__scanf__, 2, 3)));
extern int vsscanf(const char *restrict text, const char *restrict format, va_list arguments)
    __attribute__((__format__(__scanf__, 2, 0)));

/* What all forms of printf are made of: pieces of the text, in order, to `put`.  Returns the
   length of the text, or -1 if it is longer than INT_MAX or the format is wrong. */
typedef void (*format_put_t)(void *cookie, const char *piece, size_t size);
extern int format_text(format_put_t put, void *cookie, const char *format, va_list arguments)
    __printf_like(3, 0);

extern int putchar(int c);
extern int putc(int c, FILE *stream);
extern int fputc(int c, FILE *stream);
extern int puts(const char *text);
extern int fputs(const char *restrict text, FILE *restrict stream);
extern size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict stream);
extern int fflush(FILE *stream); /* null: all */
extern void setbuf(FILE *stream, char *buffer); /* null: each call goes out at once */
extern void setlinebuf(FILE *stream);
extern int setvbuf(FILE *stream, char *buffer, int mode, size_t size); /* the mode only */
extern void perror(const char *what);

/* Each call is whole by itself; several in a row are between these two. */
extern void flockfile(FILE *stream);
extern int ftrylockfile(FILE *stream); /* 0: taken */
extern void funlockfile(FILE *stream);
extern int putc_unlocked(int c, FILE *stream);
extern int putchar_unlocked(int c);

extern int getchar(void);
extern int getchar_unlocked(void);
extern int getc_unlocked(FILE *stream);
extern int getc(FILE *stream);
extern int fgetc(FILE *stream);
extern int ungetc(int c, FILE *stream);
/* A line with its newline, in a block that grows: its length, or -1 at the end. */
extern ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict stream);
extern ssize_t getdelim(char **restrict line, size_t *restrict size, int last, FILE *restrict stream);
extern char *fgets(char *restrict line, int size, FILE *restrict stream);
extern size_t fread(void *restrict data, size_t size, size_t count, FILE *restrict stream);
extern int feof(FILE *stream);
extern int ferror(FILE *stream);
extern void clearerr(FILE *stream);

#endif
