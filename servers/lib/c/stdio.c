/* Streams.  Output is buffered by lines; stderr goes out at the end of each call.

   Streams allocate nothing and know nothing of Mach: where octets go to is `transfer`,
   at first the console's (see console.c). */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <machemu/thread_area.h>

#include "stdio_file.h"

static struct stdio_file input = {.transfer = console_read, .mode = _IOLBF, .unget = EOF};
static struct stdio_file output = {.transfer = console_write, .mode = _IOLBF, .unget = EOF};
static struct stdio_file errors = {.transfer = console_write, .mode = _IONBF, .unget = EOF};

FILE *const stdin = &input;
FILE *const stdout = &output;
FILE *const stderr = &errors;

/* --- locks ---------------------------------------------------------------------- */

static bool is_held(FILE *stream, struct thread_area *area)
{
	return __builtin_expect(__atomic_load_n(&stream->owner, __ATOMIC_RELAXED) == area, false);
}

static void held_by(FILE *stream, struct thread_area *area)
{
	/* Threads that share an area cannot be told from each other. */
	__atomic_store_n(&stream->owner, thread_has_area() ? area : NULL, __ATOMIC_RELAXED);
	stream->depth = 1;
}

void flockfile(FILE *stream)
{
	struct thread_area *area = thread_area();

	if (is_held(stream, area)) {
		stream->depth++;
		return;
	}
	lock_take(&stream->lock);
	held_by(stream, area);
}

int ftrylockfile(FILE *stream)
{
	struct thread_area *area = thread_area();

	if (is_held(stream, area)) {
		stream->depth++;
		return 0;
	}
	if (!lock_try(&stream->lock))
		return -1;
	held_by(stream, area);
	return 0;
}

void funlockfile(FILE *stream)
{
	if (--stream->depth != 0)
		return;
	__atomic_store_n(&stream->owner, NULL, __ATOMIC_RELAXED);
	lock_release(&stream->lock);
}

static int flush_one(FILE *stream);

void stdio_set(FILE *stream, stdio_transfer_t transfer, void *cookie)
{
	flockfile(stream);
	flush_one(stream);
	stream->transfer = transfer;
	stream->cookie = cookie;
	stream->used = stream->taken = 0;
	stream->eof = stream->error = false;
	stream->unget = EOF;
	funlockfile(stream);
}

int setvbuf(FILE *stream, char *buffer, int mode, size_t size)
{
	(void)buffer;
	(void)size;
	if (mode < _IOFBF || mode > _IONBF)
		return EOF;
	stream->mode = mode;
	return 0;
}

void setbuf(FILE *stream, char *buffer)
{
	setvbuf(stream, buffer, buffer != NULL ? _IOFBF : _IONBF, BUFSIZ);
}

void setlinebuf(FILE *stream)
{
	setvbuf(stream, NULL, _IOLBF, BUFSIZ);
}

/* --- output ------------------------------------------------------------------- */

static int flush_one(FILE *stream)
{
	size_t sent = 0;

	if (stream == stdin)
		return 0;
	while (sent < stream->used) {
		ssize_t taken = stream->transfer(stream->cookie, stream->buffer + sent, stream->used - sent);

		if (taken <= 0) {
			stream->error = true;
			break;
		}
		sent += (size_t)taken;
	}
	stream->used = 0; /* what could not be sent is lost, or nothing would go on */
	return stream->error ? EOF : 0;
}

int fflush(FILE *stream)
{
	int result;

	if (stream == NULL)
		return fflush(stdout) | fflush(stderr);
	flockfile(stream);
	result = flush_one(stream);
	funlockfile(stream);
	return result;
}

static void put_octets(FILE *stream, const char *octets, size_t size)
{
	while (size != 0) {
		size_t room = sizeof stream->buffer - stream->used;
		size_t part = size < room ? size : room;

		memcpy(stream->buffer + stream->used, octets, part);
		stream->used += part;
		octets += part;
		size -= part;
		if (stream->used == sizeof stream->buffer)
			flush_one(stream);
	}
}

static void put_piece(void *cookie, const char *piece, size_t size)
{
	put_octets(cookie, piece, size);
}

/* After each call, which holds the lock: out with whole lines, as the stream's mode asks. */
static int finish(FILE *stream, int result)
{
	if (stream->mode == _IONBF ||
	    (stream->mode == _IOLBF && memrchr(stream->buffer, '\n', stream->used) != NULL))
		flush_one(stream);
	if (stream->error)
		result = EOF;
	funlockfile(stream);
	return result;
}

int vfprintf(FILE *restrict stream, const char *restrict format, va_list arguments)
{
	flockfile(stream);
	return finish(stream, format_text(put_piece, stream, format, arguments));
}

int vprintf(const char *restrict format, va_list arguments)
{
	return vfprintf(stdout, format, arguments);
}

int fprintf(FILE *restrict stream, const char *restrict format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vfprintf(stream, format, arguments);
	va_end(arguments);
	return length;
}

int printf(const char *restrict format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vfprintf(stdout, format, arguments);
	va_end(arguments);
	return length;
}

int fputc(int c, FILE *stream)
{
	char octet = (char)c;

	flockfile(stream);
	put_octets(stream, &octet, 1);
	return finish(stream, (unsigned char)c);
}

int putc(int c, FILE *stream)
{
	return fputc(c, stream);
}

int putchar(int c)
{
	return fputc(c, stdout);
}

/* The holder may take the lock again: no second way is needed. */
int putc_unlocked(int c, FILE *stream)
{
	return fputc(c, stream);
}

int putchar_unlocked(int c)
{
	return fputc(c, stdout);
}

int fputs(const char *restrict text, FILE *restrict stream)
{
	flockfile(stream);
	put_octets(stream, text, strlen(text));
	return finish(stream, 0);
}

int puts(const char *text)
{
	flockfile(stdout);
	put_octets(stdout, text, strlen(text));
	put_octets(stdout, "\n", 1);
	return finish(stdout, 0);
}

size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict stream)
{
	size_t octets;

	if (__builtin_mul_overflow(size, count, &octets) || octets == 0)
		return 0;
	flockfile(stream);
	put_octets(stream, data, octets);
	return finish(stream, 0) == 0 ? count : 0;
}

void perror(const char *what)
{
	const char *text = strerror(errno);

	if (what != NULL && *what != '\0')
		fprintf(stderr, "%s: %s\n", what, text);
	else
		fprintf(stderr, "%s\n", text);
}

/* --- input -------------------------------------------------------------------- */

static bool fill(FILE *stream)
{
	ssize_t size;

	if (stream->taken < stream->used)
		return true;
	if (stream != stdin || stream->eof)
		return false;
	fflush(stdout); /* the question, before the answer */
	size = stream->transfer(stream->cookie, stream->buffer, sizeof stream->buffer);
	stream->taken = 0;
	stream->used = size > 0 ? (size_t)size : 0;
	stream->eof = size == 0;
	stream->error = size < 0;
	return size > 0;
}

int getc_unlocked(FILE *stream)
{
	int c = stream->unget;

	if (c != EOF) {
		stream->unget = EOF;
		return c;
	}
	return fill(stream) ? (unsigned char)stream->buffer[stream->taken++] : EOF;
}

int fgetc(FILE *stream)
{
	int c;

	flockfile(stream);
	c = getc_unlocked(stream);
	funlockfile(stream);
	return c;
}

int getc(FILE *stream)
{
	return fgetc(stream);
}

int getchar(void)
{
	return fgetc(stdin);
}

int getchar_unlocked(void)
{
	return getc_unlocked(stdin);
}

int ungetc(int c, FILE *stream)
{
	int result = EOF;

	flockfile(stream);
	if (c != EOF && stream->unget == EOF) {
		stream->eof = false;
		result = stream->unget = (unsigned char)c;
	}
	funlockfile(stream);
	return result;
}

char *fgets(char *restrict line, int size, FILE *restrict stream)
{
	int length = 0, c = 0;

	flockfile(stream);
	while (length < size - 1 && c != '\n' && (c = getc_unlocked(stream)) != EOF)
		line[length++] = (char)c;
	funlockfile(stream);
	if (size <= 0 || (length == 0 && c == EOF))
		return NULL;
	line[length] = '\0';
	return line;
}

size_t fread(void *restrict data, size_t size, size_t count, FILE *restrict stream)
{
	unsigned char *to = data;
	size_t octets, done = 0;
	int c;

	if (__builtin_mul_overflow(size, count, &octets) || octets == 0)
		return 0;
	flockfile(stream);
	while (done < octets && (c = getc_unlocked(stream)) != EOF)
		to[done++] = (unsigned char)c;
	funlockfile(stream);
	return done / size;
}

int feof(FILE *stream)
{
	return stream->eof;
}

int ferror(FILE *stream)
{
	return stream->error;
}

void clearerr(FILE *stream)
{
	stream->eof = stream->error = false;
}
