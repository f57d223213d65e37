/*
 * The default pager: keeps anonymous memory that RAM has no room for in a partition of the
 * disk, and makes objects of zeros for who asks (mach-abi.md 6.7 and 8.4).
 *
 * Its own memory is never paged out, and while it works the kernel lends it frames.
 *
 * Argument: the partition's name.
 */
#include <device/device.h>
#include <mach.h>
#include <mach/bootstrap.h>
#include <mach/mach_port.h>
#include <mach/mig_errors.h>
#include <mach/notify.h>
#include <mach/vm_param.h>
#include <mach_error.h>
#include <machemu/server.h>
#include <mig/default_pager_server.h>
#include <mig/memory_object_default_server.h>
#include <mig/memory_object_server.h>
#include <mig/notify_server.h>

#include <stdio.h>
#include <stdlib.h>

#include "slots.h"

#define DISK_BLOCK 512
#define BLOCKS_PER_PAGE (PAGE_SIZE / DISK_BLOCK)
#define REQUEST_OCTETS 512
#define TRIES 50 /* of a transfer that the kernel has no frames for */
#define TRIES_PAUSE_MS 10

static mach_port_t service, set, disk;
static object_t *objects;

static object_t *object_of(mach_port_t port)
{
	object_t *object = objects;

	while (object != NULL && object->port != port)
		object = object->next;
	return object;
}

static void drop_right(mach_port_t *name)
{
	if (*name != MACH_PORT_NULL)
		mach_port_destroy(mach_task_self(), *name);
	*name = MACH_PORT_NULL;
}

static void forget(object_t *object)
{
	object_t **place = &objects;

	while (*place != object)
		place = &(*place)->next;
	*place = object->next;
	slots_drop(object);
	drop_right(&object->control);
	drop_right(&object->name);
	drop_right(&object->port);
	free(object);
}

/* Know an object by its receive right.  NULL: no memory. */
static object_t *adopt(mach_port_t port)
{
	object_t *object = calloc(1, sizeof *object);

	if (object == NULL)
		return NULL;
	object->port = port;
	object->slots = NO_SLOT;
	object->next = objects;
	objects = object;
	mach_port_move_member(mach_task_self(), port, set);
	return object;
}

/* --- the disk ------------------------------------------------------------------ */

static bool busy(kern_return_t kr, int *tries)
{
	if (kr != D_NO_MEMORY || ++*tries > TRIES)
		return false;
	thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, TRIES_PAUSE_MS);
	return true;
}

/* Write `pages` pages to adjacent slots. */
static kern_return_t put(uint32_t slot, vm_offset_t data, uint32_t pages)
{
	int written = 0, tries = 0;
	kern_return_t kr;

	do
		kr = device_write(disk, 0, slot * BLOCKS_PER_PAGE, (const char *)data, pages * PAGE_SIZE,
		    &written);
	while (busy(kr, &tries));
	if (kr == KERN_SUCCESS && (uint32_t)written != pages * PAGE_SIZE)
		return KERN_FAILURE;
	return kr;
}

static kern_return_t get(uint32_t slot, char **data)
{
	mach_msg_type_number_t count = 0;
	int tries = 0;
	kern_return_t kr;

	do
		kr = device_read(disk, 0, slot * BLOCKS_PER_PAGE, PAGE_SIZE, data, &count);
	while (busy(kr, &tries));
	if (kr == KERN_SUCCESS && count != PAGE_SIZE) {
		vm_deallocate(mach_task_self(), (vm_address_t)*data, count);
		return KERN_FAILURE;
	}
	return kr;
}

/* Keep pages of an object, in runs of adjacent slots. */
static kern_return_t keep(object_t *object, uint64_t page, vm_offset_t data, uint32_t pages)
{
	uint32_t done = 0;

	while (done < pages) {
		uint32_t first = slot_get(object, page + done), run = 1;
		kern_return_t kr;

		if (first == NO_SLOT)
			return KERN_RESOURCE_SHORTAGE;
		while (done + run < pages && slot_get(object, page + done + run) == first + run)
			run++;
		kr = put(first, data + (vm_offset_t)done * PAGE_SIZE, run);
		if (kr != KERN_SUCCESS)
			return kr;
		done += run;
	}
	return KERN_SUCCESS;
}

/* --- what the kernel says ---------------------------------------------------------- */

kern_return_t serve_memory_object_create(mach_port_t manager, mach_port_t port, vm_size_t size, mach_port_t control,
    mach_port_t name, vm_size_t page_size)
{
	object_t *object = adopt(port);

	(void)manager;
	(void)size;
	if (object == NULL || page_size != PAGE_SIZE)
		return KERN_RESOURCE_SHORTAGE;
	object->kernels = true;
	object->control = control;
	object->name = name;
	return KERN_SUCCESS;
}

kern_return_t serve_memory_object_init(mach_port_t port, mach_port_t control, mach_port_t name, vm_size_t page_size)
{
	object_t *object = object_of(port);

	if (object == NULL || page_size != PAGE_SIZE)
		return KERN_INVALID_ARGUMENT;
	object->control = control;
	object->name = name;
	return memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY);
}

/* The kernel forgets the object, with its rights.  One that it made itself is nobody else's. */
kern_return_t serve_memory_object_terminate(mach_port_t port, mach_port_t control, mach_port_t name)
{
	object_t *object = object_of(port);

	if (object == NULL)
		return KERN_INVALID_ARGUMENT;
	object->control = control;
	object->name = name;
	drop_right(&object->control);
	drop_right(&object->name);
	if (object->kernels)
		forget(object);
	return KERN_SUCCESS;
}

kern_return_t serve_memory_object_data_request(mach_port_t port, mach_port_t control, vm_offset_t offset,
    vm_size_t length, vm_prot_t access)
{
	object_t *object = object_of(port);
	uint32_t slot = object == NULL ? NO_SLOT : slot_find(object, offset / PAGE_SIZE);
	char *data = NULL;
	kern_return_t kr;

	(void)access;
	mach_port_deallocate(mach_task_self(), control);
	if (slot == NO_SLOT)
		return memory_object_data_unavailable(control, offset, length);
	kr = get(slot, &data);
	if (kr != KERN_SUCCESS)
		return memory_object_data_error(control, offset, length, kr);
	return memory_object_data_supply(control, offset, (vm_offset_t)data, PAGE_SIZE, TRUE, VM_PROT_NONE,
	    FALSE, MACH_PORT_NULL);
}

kern_return_t serve_memory_object_data_return(mach_port_t port, mach_port_t control, vm_offset_t offset,
    vm_offset_t data, mach_msg_type_number_t count, boolean_t dirty, boolean_t kernel_copy)
{
	object_t *object = object_of(port);
	kern_return_t kr = KERN_INVALID_ARGUMENT;

	(void)dirty;
	(void)kernel_copy;
	if (object != NULL)
		kr = keep(object, offset / PAGE_SIZE, data, count / PAGE_SIZE);
	if (kr != KERN_SUCCESS)
		printf("default_pager: %u octets lost: %s\n", count, mach_error_string(kr));
	if (kr != KERN_SUCCESS && object != NULL) /* better an error than old contents */
		memory_object_destroy(control, kr);
	vm_deallocate(mach_task_self(), data, count);
	mach_port_deallocate(mach_task_self(), control);
	return KERN_SUCCESS;
}

kern_return_t serve_memory_object_data_initialize(mach_port_t port, mach_port_t control, vm_offset_t offset,
    vm_offset_t data, mach_msg_type_number_t count)
{
	return serve_memory_object_data_return(port, control, offset, data, count, TRUE, FALSE);
}

/* --- what others ask ------------------------------------------------------------------ */

/* Nobody can map the object any more. */
kern_return_t do_mach_notify_no_senders(mach_port_t notify, mach_port_mscount_t count)
{
	object_t *object = object_of(notify);

	(void)count;
	if (object != NULL)
		forget(object);
	return KERN_SUCCESS;
}

static kern_return_t watch(mach_port_t port)
{
	mach_port_t previous = MACH_PORT_NULL;

	return mach_port_request_notification(mach_task_self(), port, MACH_NOTIFY_NO_SENDERS, 1, port,
	    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
}

kern_return_t serve_default_pager_object_create(mach_port_t pager, mach_port_t *port, vm_size_t size)
{
	kern_return_t kr;

	(void)pager;
	(void)size; /* any offset can be touched: pages take room when they are written */
	kr = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, port);
	if (kr != KERN_SUCCESS)
		return kr;
	if (adopt(*port) == NULL) {
		mach_port_destroy(mach_task_self(), *port);
		return KERN_RESOURCE_SHORTAGE;
	}
	return watch(*port);
}

kern_return_t serve_default_pager_info(mach_port_t pager, default_pager_info_t *info)
{
	(void)pager;
	info->dpi_total_space = (vm_size_t)slots_total() * PAGE_SIZE;
	info->dpi_free_space = (vm_size_t)slots_free() * PAGE_SIZE;
	info->dpi_page_size = PAGE_SIZE;
	return KERN_SUCCESS;
}

static boolean_t demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
	return memory_object_server(request, reply) || memory_object_default_server(request, reply)
	    || notify_server(request, reply) || default_pager_server(request, reply);
}

/* --- start ------------------------------------------------------------------------------ */

static kern_return_t open_disk(mach_port_t device_master, const char *name)
{
	int status[2];
	mach_msg_type_number_t count = 2;
	kern_return_t kr = device_open(device_master, D_READ | D_WRITE, name, &disk);

	if (kr == KERN_SUCCESS)
		kr = device_get_status(disk, DEV_GET_SIZE, status, &count);
	if (kr == KERN_SUCCESS)
		kr = slots_make((uint32_t)status[0] / PAGE_SIZE);
	return kr;
}

static kern_return_t serve_kernel(mach_port_t host)
{
	mach_port_t manager = service;
	kern_return_t kr = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &set);

	if (kr == KERN_SUCCESS)
		kr = mach_port_move_member(mach_task_self(), service, set);
	if (kr == KERN_SUCCESS)
		kr = vm_set_default_memory_manager(host, &manager);
	return kr;
}

int main(int argc, char **argv)
{
	mach_port_t host = MACH_PORT_NULL, device_master = MACH_PORT_NULL;
	const char *step = "privileged ports";
	kern_return_t kr = bootstrap_privileged_ports(bootstrap_port, &host, &device_master);

	if (kr == KERN_SUCCESS) {
		step = argc > 1 ? argv[1] : "hd0s3";
		kr = open_disk(device_master, step);
	}
	if (kr == KERN_SUCCESS) {
		step = "service";
		service = server_check_in("default_pager");
		kr = serve_kernel(host);
	}
	if (kr != KERN_SUCCESS) {
		printf("default_pager: %s: %s\n", step, mach_error_string(kr));
		return 1;
	}
	mach_msg_server(demux, REQUEST_OCTETS, set);
	return 1;
}
