/* The server "mirror": sends back the rights that a message holds, as it got them, in an answer
   on its reply port. */
#include <string.h>

#include <mach.h>
#include <machemu/server.h>

#include "mirror.h"

int main(void)
{
	mach_port_t port = server_check_in("mirror");
	struct mirror_message message;

	for (;;) {
		if (mach_msg(&message.head, MACH_RCV_MSG, 0, sizeof message, port, 0, MACH_PORT_NULL)
		    != MACH_MSG_SUCCESS)
			return 1;
		message.head.msgh_bits = MACH_MSGH_BITS_COMPLEX
		    | MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(message.head.msgh_bits), 0);
		message.head.msgh_local_port = MACH_PORT_NULL;
		message.head.msgh_id += 100;
		if (mach_msg(&message.head, MACH_SEND_MSG, sizeof message, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL)
		    != MACH_MSG_SUCCESS)
			return 2;
	}
}
