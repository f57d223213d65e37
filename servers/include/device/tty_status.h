#ifndef _DEVICE_TTY_STATUS_H_
#define _DEVICE_TTY_STATUS_H_

struct tty_status {
	int tt_ispeed;
	int tt_ospeed;
	int tt_breakc;
	int tt_flags;
};

#define TTY_STATUS_COUNT (sizeof(struct tty_status) / sizeof(int))
#define TTY_STATUS       (dev_flavor_t)(('t' << 16) + 1)
#define TTY_MODEM        (dev_flavor_t)(('t' << 16) + 2)
#define TTY_FLUSH        (dev_flavor_t)(('t' << 16) + 3)
#define TTY_STOP         (dev_flavor_t)(('t' << 16) + 4)
#define TTY_START        (dev_flavor_t)(('t' << 16) + 5)
#define TTY_SET_BREAK    (dev_flavor_t)(('t' << 16) + 6)
#define TTY_CLEAR_BREAK  (dev_flavor_t)(('t' << 16) + 7)

#endif
