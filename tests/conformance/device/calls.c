/* mach-abi.md 11.1, 11.2, 6.8: devices are opened, read, written, asked and closed. */
#include <device/device.h>
#include <device/net_status.h>
#include <device/tty_status.h>
#include <string.h>

#include "check.h"
#include "privileged.h"

static mach_port_t master;

static int of_opening(void)
{
	mach_port_t console, again, other;

	CHECK(device_open(mach_task_self(), D_READ, "console", &other) == D_INVALID_OPERATION);
	CHECK(device_open(master, D_READ, "nothing", &other) == D_NO_SUCH_DEVICE);
	CHECK(device_open(master, D_READ, "", &other) == D_NO_SUCH_DEVICE);
	CHECK(device_open(master, D_READ | D_WRITE, "console", &console) == D_SUCCESS);
	CHECK(device_open(master, D_READ, "console", &again) == D_SUCCESS && again == console);
	CHECK(device_close(console) == D_SUCCESS);
	CHECK(device_close(console) == D_SUCCESS); /* the last one */
	CHECK(device_close(console) == MACH_SEND_INVALID_DEST);
	CHECK(device_close(mach_host_self()) == KERN_INVALID_ARGUMENT);

	/* A device of registers belongs to one opener. */
	CHECK(device_open(master, D_READ | D_WRITE, "crypto0c0", &other) == D_SUCCESS);
	CHECK(device_open(master, D_READ | D_WRITE, "crypto0c0", &again) == D_ALREADY_OPEN);
	CHECK(device_close(other) == D_SUCCESS);
	return 0;
}

static int of_a_terminal(void)
{
	mach_port_t console;
	io_buf_ptr_t data;
	io_buf_ptr_inband_t inband;
	mach_msg_type_number_t count = TTY_STATUS_COUNT;
	int written, status[TTY_STATUS_COUNT];
	mach_port_t pager;

	CHECK(device_open(master, D_READ | D_WRITE, "console", &console) == D_SUCCESS);
	CHECK(device_write_inband(console, 0, 0, "", 0, &written) == D_SUCCESS && written == 0);
	CHECK(device_read(console, D_NOWAIT, 0, 10, &data, &count) == D_WOULD_BLOCK);
	count = sizeof inband;
	CHECK(device_read_inband(console, D_NOWAIT, 0, 10, inband, &count) == D_WOULD_BLOCK);
	CHECK(device_read(console, D_NOWAIT, 0, 0, &data, &count) == D_INVALID_SIZE);
	count = TTY_STATUS_COUNT;
	CHECK(device_get_status(console, TTY_STATUS, status, &count) == D_SUCCESS && count == 4);
	count = TTY_STATUS_COUNT;
	CHECK(device_get_status(console, NET_STATUS, status, &count) == D_INVALID_OPERATION);
	CHECK(device_set_status(console, TTY_STATUS, status, 4) == D_INVALID_OPERATION);
	CHECK(device_map(console, VM_PROT_READ, 0, PAGE_SIZE, &pager, 0) == D_INVALID_OPERATION);
	CHECK(device_close(console) == D_SUCCESS);
	return 0;
}

static int of_registers(void)
{
	mach_port_t engine, pager;
	vm_address_t place = 0;
	int written, size[2];
	mach_msg_type_number_t count = 2;
	filter_t filter[1] = {0};

	CHECK(device_open(master, D_READ | D_WRITE, "crypto0c0", &engine) == D_SUCCESS);
	CHECK(device_get_status(engine, DEV_GET_SIZE, size, &count) == D_SUCCESS && size[0] == PAGE_SIZE);
	CHECK(device_map(engine, VM_PROT_READ | VM_PROT_WRITE, PAGE_SIZE, PAGE_SIZE, &pager, 0) == D_INVALID_SIZE);
	CHECK(device_map(engine, VM_PROT_READ | VM_PROT_WRITE, 0, PAGE_SIZE, &pager, 0) == D_SUCCESS);
	CHECK(vm_map(mach_task_self(), &place, PAGE_SIZE, 0, TRUE, pager, 0, FALSE, VM_PROT_READ, VM_PROT_READ,
	    VM_INHERIT_NONE) == KERN_SUCCESS);
	CHECK(*(volatile uint32_t *)place != 0xdeadbeef);
	CHECK(device_write_inband(engine, 0, 0, "x", 1, &written) == D_INVALID_OPERATION);
	CHECK(device_set_filter(engine, mach_task_self(), MACH_MSG_TYPE_COPY_SEND, 10, filter, 1) == D_INVALID_OPERATION);
	CHECK(device_close(engine) == D_SUCCESS);
	return 0;
}

int main(void)
{
	mach_port_t bootstrap, host;

	CHECK(task_get_special_port(mach_task_self(), TASK_BOOTSTRAP_PORT, &bootstrap) == KERN_SUCCESS);
	CHECK(bootstrap_privileged_ports(bootstrap, &host, &master) == KERN_SUCCESS);
	RUN(of_opening());
	RUN(of_a_terminal());
	RUN(of_registers());
	return 0;
}
