/* Growing texts in whole pages: see <machemu/text.h>. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <mach.h>
#include <machemu/text.h>

static bool make_room(struct text *text, vm_size_t more)
{
	vm_size_t room = round_page(2 * text->length + more);
	vm_address_t address = 0;

	if (text->room - text->length >= more)
		return true;
	if (vm_allocate(mach_task_self(), &address, room, TRUE) != KERN_SUCCESS)
		return false;
	memcpy((char *)address, text->data, text->length);
	if (text->room != 0)
		vm_deallocate(mach_task_self(), (vm_address_t)text->data, text->room);
	text->data = (char *)address;
	text->room = room;
	return true;
}

void text_add_octets(struct text *text, const char *octets, vm_size_t size)
{
	if (text->short_of_memory || !make_room(text, size)) {
		text->short_of_memory = true;
		return;
	}
	memcpy(text->data + text->length, octets, size);
	text->length += size;
}

static void put_text(void *cookie, const char *piece, size_t size)
{
	text_add_octets(cookie, piece, size);
}

void text_add(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	format_text(put_text, text, format, arguments);
	va_end(arguments);
}

void text_drop(struct text *text)
{
	if (text->room != 0)
		vm_deallocate(mach_task_self(), (vm_address_t)text->data, text->room);
	*text = (struct text)TEXT_EMPTY;
}

kern_return_t text_give(struct text *text, char **data, mach_msg_type_number_t *count)
{
	vm_size_t used = round_page(text->length);

	if (text->short_of_memory) {
		text_drop(text);
		return KERN_RESOURCE_SHORTAGE;
	}
	/* The receiver of the text frees the pages it lies on, and no others. */
	if (text->room > used)
		vm_deallocate(mach_task_self(), (vm_address_t)text->data + used, text->room - used);
	*data = text->data;
	*count = (mach_msg_type_number_t)text->length;
	*text = (struct text)TEXT_EMPTY;
	return KERN_SUCCESS;
}
