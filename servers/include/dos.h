/*
 * The DOS personality for programs (libdos, server "dos").
 *
 * A program fills registers and raises INT 21h.  A function that fails sets the
 * carry flag and puts the error into AX; one outside the list, error 1.  The
 * list stands below and in docs/personalities.md.  Where DOS takes a pointer in
 * a pair of segment and offset registers, this takes a plain one.
 */
#ifndef _DOS_H_
#define _DOS_H_

#include <stdint.h>

#define DOS_REGISTER(x, low, high)    \
	union {                       \
		uint16_t x;           \
		struct {              \
			uint8_t low;  \
			uint8_t high; \
		};                    \
	}

#define DOS_CARRY 1 /* in flags */

struct regs {
	DOS_REGISTER(ax, al, ah);
	DOS_REGISTER(bx, bl, bh);
	DOS_REGISTER(cx, cl, ch);
	DOS_REGISTER(dx, dl, dh);
	uint16_t flags;
	void    *ds_dx; /* DS:DX */
	void    *ds_si; /* DS:SI */
	void    *es_bx; /* ES:BX, given and taken */
};

extern void int21(struct regs *regs);

/* The functions, in AH. */
#define DOS_TERMINATE       0x00
#define DOS_READ_CHAR       0x01 /* AL, with echo */
#define DOS_WRITE_CHAR      0x02 /* DL */
#define DOS_READ_SILENT     0x08 /* AL */
#define DOS_WRITE_STRING    0x09 /* DS:DX, ended by '$' */
#define DOS_READ_LINE       0x0a /* DS:DX: room, length, text */
#define DOS_GET_DRIVE       0x19 /* AL: 2 is C: */
#define DOS_SET_DTA         0x1a /* DS:DX */
#define DOS_GET_DATE        0x2a /* CX year, DH month, DL day, AL weekday */
#define DOS_GET_TIME        0x2c /* CH, CL, DH, DL hundredths */
#define DOS_GET_DTA         0x2f /* ES:BX */
#define DOS_GET_VERSION     0x30 /* AL major, AH minor */
#define DOS_MKDIR           0x39
#define DOS_RMDIR           0x3a
#define DOS_CHDIR           0x3b
#define DOS_CREATE          0x3c /* DS:DX, CX attributes; AX handle */
#define DOS_OPEN            0x3d /* DS:DX, AL mode; AX handle */
#define DOS_CLOSE           0x3e /* BX */
#define DOS_READ            0x3f /* BX, CX octets to DS:DX; AX octets read */
#define DOS_WRITE           0x40 /* BX, CX octets at DS:DX; AX octets written */
#define DOS_DELETE          0x41 /* DS:DX */
#define DOS_SEEK            0x42 /* BX, CX:DX distance, AL origin; DX:AX */
#define DOS_ATTRIBUTES      0x43 /* DS:DX, AL 0; CX */
#define DOS_GETCWD          0x47 /* DS:SI, 64 octets */
#define DOS_EXEC            0x4b /* DS:DX, ES:BX struct dos_exec, AL 0 */
#define DOS_EXIT            0x4c /* AL */
#define DOS_RETURN_CODE     0x4d /* AX */
#define DOS_FIND_FIRST      0x4e /* DS:DX, CX attributes; struct dos_dta */
#define DOS_FIND_NEXT       0x4f
#define DOS_RENAME          0x56
#define DOS_EXTENDED_ERROR  0x59 /* AX, BH class, BL action, CH place */
#define DOS_CREATE_NEW      0x5b
#define DOS_GET_PSP         0x62 /* BX: one number for each program */

/* What EXEC takes at ES:BX: the tail is counted, as at 80h of a PSP. */
struct dos_exec {
	const uint8_t *tail; /* its length, then its text; may be null */
};

#define DOS_ATTRIBUTE_READ_ONLY 0x01
#define DOS_ATTRIBUTE_DIRECTORY 0x10
#define DOS_ATTRIBUTE_ARCHIVE   0x20

/* The disk transfer area, as FIND FIRST and FIND NEXT fill it. */
struct dos_dta {
	uint8_t  reserved[21];
	uint8_t  attributes;
	uint16_t time;
	uint16_t date;
	uint8_t  size[4]; /* low octet first */
	char     name[13];
};

_Static_assert(sizeof(struct dos_dta) == 44, "the disk transfer area, and one octet of padding");

/* Errors, in AX. */
#define DOS_INVALID_FUNCTION   1
#define DOS_FILE_NOT_FOUND     2
#define DOS_PATH_NOT_FOUND     3
#define DOS_TOO_MANY_FILES     4
#define DOS_ACCESS_DENIED      5
#define DOS_INVALID_HANDLE     6
#define DOS_NO_MEMORY          8
#define DOS_BAD_FORMAT         11
#define DOS_INVALID_ACCESS     12
#define DOS_INVALID_DRIVE      15
#define DOS_NO_MORE_FILES      18
#define DOS_GENERAL_FAILURE    31

#endif
