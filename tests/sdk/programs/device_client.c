/* A driver's client: the privileged ports, a console, a disk, packets of a network. */
#include <mach.h>
#include <mach/bootstrap.h>
#include <device/device.h>
#include <device/device_reply_server.h>
#include <device/device_request.h>
#include <device/net_status.h>
#include <stdio.h>
#include <string.h>

static mach_port_t host_priv, device_master;
static int replies;

/* What arrives late: the names have no prefix on this side. */
kern_return_t device_open_reply(mach_port_t reply_port, kern_return_t code, mach_port_t device)
{
	(void)reply_port;
	replies++;
	if (code == D_SUCCESS)
		mach_port_deallocate(mach_task_self(), device);
	return KERN_SUCCESS;
}

kern_return_t device_read_reply(mach_port_t reply_port, kern_return_t code, io_buf_ptr_t data,
    mach_msg_type_number_t count)
{
	(void)reply_port;
	replies += code == D_SUCCESS;
	return vm_deallocate(mach_task_self(), (vm_address_t)data, count);
}

static kern_return_t size_of(mach_port_t disk, unsigned *octets)
{
	dev_status_data_t status;
	mach_msg_type_number_t count = DEV_GET_SIZE_COUNT;
	kern_return_t kr = device_get_status(disk, DEV_GET_SIZE, status, &count);

	*octets = (unsigned)status[DEV_GET_SIZE_DEVICE_SIZE];
	return kr;
}

static kern_return_t listen_to(mach_port_t net, mach_port_t port)
{
	filter_t filter[] = {NETF_IN, NETF_PUSHLIT | NETF_NOP, 1};

	return device_set_filter(net, port, MACH_MSG_TYPE_MAKE_SEND, 10, filter, sizeof filter / sizeof filter[0]);
}

int main(void)
{
	mach_port_t console, disk, net, port;
	io_buf_ptr_inband_t line;
	io_buf_ptr_t record;
	mach_msg_type_number_t count;
	unsigned octets = 0;
	int written;
	kern_return_t kr;

	kr = bootstrap_privileged_ports(bootstrap_port, &host_priv, &device_master);
	if (kr != KERN_SUCCESS)
		return 1;
	if (device_open(device_master, D_READ | D_WRITE, "console", &console) != D_SUCCESS)
		return 2;
	device_write_inband(console, 0, 0, "login: ", 7, &written);
	count = sizeof line;
	device_read_inband(console, 0, 0, sizeof line, line, &count);
	if (device_open(device_master, D_READ, "hd0", &disk) == D_SUCCESS && size_of(disk, &octets) == D_SUCCESS) {
		kr = device_read(disk, 0, 0, 512, &record, &count);
		if (kr == D_SUCCESS)
			vm_deallocate(mach_task_self(), (vm_address_t)record, count);
		device_close(disk);
	}
	mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port);
	device_open_request(device_master, port, D_READ, "eth0");
	mach_msg_server(device_reply_server, 4096, port);
	if (device_open(device_master, D_READ | D_WRITE, "eth0", &net) == D_SUCCESS)
		kr = listen_to(net, port);
	printf("%u octets, %d replies\n", octets, replies);
	return kr != KERN_SUCCESS;
}
