/* mach-abi.md 4.1, 4.2, 4.3: every result has a text and a system; others tell their number. */
#include <device/device_types.h>
#include <errno.h>
#include <mach.h>
#include <mach/mig_errors.h>
#include <mach_error.h>
#include <servers/netname_defs.h>
#include <string.h>

#include "check.h"

static int is_known(mach_error_t error)
{
	return strncmp(mach_error_string(error), "unknown result", 14) != 0;
}

/* From `first` to `last` each has a text of its own and comes from `type`. */
static int texts(mach_error_t first, mach_error_t last, const char *type)
{
	for (mach_error_t error = first; error <= last; error++) {
		CHECK(is_known(error));
		CHECK(strcmp(mach_error_type(error), type) == 0);
		for (mach_error_t before = first; before < error; before++)
			CHECK(strcmp(mach_error_string(before), mach_error_string(error)) != 0);
	}
	return 0;
}

static int words(void)
{
	CHECK(err_get_system(MACH_RCV_PORT_DIED) == 4 && err_get_sub(MACH_RCV_PORT_DIED) == 1);
	CHECK(err_get_code(MACH_RCV_PORT_DIED) == 9);
	CHECK((err_mach_ipc | err_sub(1) | 9) == MACH_RCV_PORT_DIED);
	CHECK(err_server == 0x08000000 && err_local == (mach_error_t)0xf8000000);
	CHECK(unix_err(ENOENT) == 0xc002);
	return 0;
}

int main(void)
{
	RUN(texts(KERN_SUCCESS, KERN_WRITE_PROTECTION_FAILURE, "(os/kern)"));
	RUN(texts(KERN_TERMINATED, KERN_INTERRUPTED, "(os/kern)"));
	RUN(texts(MACH_SEND_IN_PROGRESS, MACH_SEND_INVALID_HEADER, "(ipc/send)"));
	RUN(texts(MACH_RCV_IN_PROGRESS, MACH_RCV_BODY_ERROR, "(ipc/rcv)"));
	RUN(texts(MIG_DESTROY_REQUEST, MIG_TYPE_ERROR, "(mig)"));
	RUN(texts(D_IO_ERROR, D_READ_ONLY, "(device)"));
	RUN(texts(NETNAME_NOT_YOURS, NETNAME_INVALID_PORT, "(netname)"));
	CHECK(is_known(D_IO_QUEUED) && D_IO_QUEUED == NETNAME_PENDING);

	/* A receive's result may carry what it was short of. */
	CHECK(strcmp(mach_error_string(MACH_RCV_BODY_ERROR | MACH_MSG_VM_SPACE), mach_error_string(MACH_RCV_BODY_ERROR)) == 0);
	CHECK(strcmp(mach_error_string(unix_err(ENOENT)), strerror(ENOENT)) == 0);
	CHECK(strcmp(mach_error_type(unix_err(ENOENT)), "(os/unix)") == 0);
	CHECK(!is_known(25) && strcmp(mach_error_string(25), "unknown result 0x19") == 0);
	CHECK(strcmp(mach_error_string(-5), "unknown result 0xfffffffb") == 0 && strcmp(mach_error_type(-5), "(?)") == 0);
	return words();
}
