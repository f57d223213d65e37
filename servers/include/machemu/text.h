/* A growing text that goes out as out-of-line data: what a server's `stat` returns.

       kern_return_t S_clock_stat(mach_port_t server, char **text, mach_msg_type_number_t *count)
       {
               struct text out = TEXT_EMPTY;

               text_add(&out, "requests total=%u\n", requests);
               return text_give(&out, text, count);
       }

   The routine's argument is `out text : ^array[] of char, dealloc`: the pages leave with
   the reply. */
#ifndef _MACHEMU_TEXT_H_
#define _MACHEMU_TEXT_H_

#include <stdbool.h>

#include <mach/mach_types.h>
#include <mach/message.h>

struct text {
	char *data;       /* whole pages, or null */
	vm_size_t length; /* octets of text */
	vm_size_t room;   /* octets mapped */
	bool short_of_memory;
};

#define TEXT_EMPTY {0}

/* Append.  What finds no memory is left out, and text_give tells. */
extern void text_add(struct text *text, const char *format, ...) __attribute__((__format__(__printf__, 2, 3)));
extern void text_add_octets(struct text *text, const char *octets, vm_size_t size);

/* Octets up to a NUL, at most `size`, as one field of a row.  Whoever chose them may have meant
   them to look like other fields: %XX stands for what is no plain character. */
static inline void text_add_field(struct text *text, const char *octets, vm_size_t size)
{
	for (vm_size_t i = 0; i < size && octets[i] != '\0'; i++)
		if (octets[i] > ' ' && octets[i] < 0x7f && octets[i] != '%')
			text_add_octets(text, &octets[i], 1);
		else
			text_add(text, "%%%02X", (unsigned char)octets[i]);
}

/* The pages with the text, which are the caller's now, and its length.  An empty text has
   no pages.  KERN_RESOURCE_SHORTAGE: it was not all there, and is gone. */
extern kern_return_t text_give(struct text *text, char **data, mach_msg_type_number_t *count);

extern void text_drop(struct text *text);

#endif
