/* Notifications (mach-abi.md 5.8). */
#ifndef _MACH_NOTIFY_H_
#define _MACH_NOTIFY_H_

#include <mach/message.h>
#include <mach/port.h>

#define MACH_NOTIFY_FIRST          64
#define MACH_NOTIFY_PORT_DELETED   65
#define MACH_NOTIFY_MSG_ACCEPTED   66
#define MACH_NOTIFY_PORT_DESTROYED 69
#define MACH_NOTIFY_NO_SENDERS     70
#define MACH_NOTIFY_SEND_ONCE      71
#define MACH_NOTIFY_DEAD_NAME      72
#define MACH_NOTIFY_LAST           79

typedef struct {
	mach_msg_header_t not_header;
	mach_msg_type_t not_type; /* MACH_MSG_TYPE_PORT_NAME */
	mach_port_name_t not_port;
} mach_port_deleted_notification_t;

typedef struct {
	mach_msg_header_t not_header;
	mach_msg_type_t not_type; /* MACH_MSG_TYPE_PORT_NAME */
	mach_port_name_t not_port;
} mach_msg_accepted_notification_t;

typedef struct {
	mach_msg_header_t not_header;
	mach_msg_type_t not_type; /* MACH_MSG_TYPE_PORT_RECEIVE */
	union {
		mach_port_t not_port;
		uintptr_t not_port_slot;
	};
} mach_port_destroyed_notification_t;

typedef struct {
	mach_msg_header_t not_header;
	mach_msg_type_t not_type; /* MACH_MSG_TYPE_INTEGER_32 */
	mach_port_mscount_t not_count;
} mach_no_senders_notification_t;

typedef struct {
	mach_msg_header_t not_header;
} mach_send_once_notification_t;

typedef struct {
	mach_msg_header_t not_header;
	mach_msg_type_t not_type; /* MACH_MSG_TYPE_PORT_NAME */
	mach_port_name_t not_port; /* carries a user reference to the name */
} mach_dead_name_notification_t;

_Static_assert(sizeof(mach_dead_name_notification_t) == 48, "notification");

#endif
