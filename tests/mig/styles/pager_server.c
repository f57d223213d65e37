/* The server of pager.defs. */
#include <string.h>

#include <mach.h>
#include <pager_server.h>

struct {
	unsigned control, reply_to, reply_type, count, sum;
	int lock, precious;
	char name[32];
} pager_told;

static vm_offset_t pages[3] = {0x1000, 0x3000, 0x5000};

kern_return_t serve_pager_data_supply(mach_port_t control, vm_offset_t offset, vm_offset_t data,
    mach_msg_type_number_t count, vm_prot_t lock, boolean_t precious, mach_port_t reply_to, mach_msg_type_name_t type)
{
	pager_told.control = control;
	pager_told.reply_to = reply_to, pager_told.reply_type = type;
	pager_told.count = count;
	pager_told.sum = (unsigned)offset;
	for (unsigned i = 0; i < count; i++)
		pager_told.sum += ((unsigned char *)data)[i];
	pager_told.lock = lock, pager_told.precious = precious;
	return KERN_SUCCESS;
}

kern_return_t serve_pager_pages(mach_port_t control, vm_offset_t **list, mach_msg_type_number_t *count)
{
	pager_told.control = control;
	*list = pages;
	*count = 3;
	return KERN_SUCCESS;
}

kern_return_t serve_pager_state(mach_port_t control, int flavor, natural_t *state, mach_msg_type_number_t *count)
{
	pager_told.control = control;
	pager_told.count = *count;
	if (*count < 4)
		return KERN_INVALID_ARGUMENT;
	for (unsigned i = 0; i < 4; i++)
		state[i] = (natural_t)flavor + i;
	*count = 4;
	return KERN_SUCCESS;
}

kern_return_t serve_pager_window(mach_port_t control, window_t window, const char *name, vm_size_t *page_size,
    window_t *other, mach_port_t *object_name, boolean_t *is_internal)
{
	pager_told.control = control;
	strcpy(pager_told.name, name);
	*page_size *= 2;
	*other = (window_t){window.end, window.start, window.align + 1};
	*object_name = 0x777;
	*is_internal = TRUE;
	return KERN_SUCCESS;
}

kern_return_t serve_pager_count(mach_port_t control, vm_offset_t *list, mach_msg_type_number_t count, natural_t *number)
{
	pager_told.control = control;
	*number = 0;
	for (unsigned i = 0; i < count; i++)
		*number += list[i] != 0;
	/* Regions belong to who was given them. */
	return vm_deallocate(mach_task_self(), (vm_address_t)list, count * sizeof *list);
}
