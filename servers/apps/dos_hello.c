/*
 * A program of the DOS personality: greets, reads C:\ETC\MOTD, runs a copy of
 * itself, and shows what refusals look like.  All of it by INT 21h.
 */
#include <dos.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define OUTSIDE 0xee /* a function that DOS has not */

static int faults;

/* Prints text that holds no '$'. */
static void print(const char *text)
{
	char ended[160];
	struct regs regs = {.ah = DOS_WRITE_STRING, .ds_dx = ended};

	snprintf(ended, sizeof ended, "%s\r\n$", text);
	int21(&regs);
}

static void print_number(const char *before, int number, const char *after)
{
	char text[120];

	snprintf(text, sizeof text, "%s%d%s", before, number, after);
	print(text);
}

static void expect(bool right, const char *what)
{
	if (!right) {
		print("dos_hello: wrong:");
		print(what);
		faults++;
	}
}

static bool fails(const struct regs *regs, int error)
{
	return (regs->flags & DOS_CARRY) && regs->ax == error;
}

static struct regs call(int function, void *ds_dx)
{
	struct regs regs = {.ah = (uint8_t)function, .ds_dx = ds_dx};

	int21(&regs);
	return regs;
}

static void read_motd(void)
{
	char text[256];
	struct regs regs = call(DOS_OPEN, "C:\\ETC\\MOTD");
	uint16_t handle = regs.ax;

	expect(!(regs.flags & DOS_CARRY) && handle > 4, "OPEN C:\\ETC\\MOTD");
	regs = (struct regs){.ah = DOS_READ, .bx = handle, .cx = sizeof text, .ds_dx = text};
	int21(&regs);
	expect(!(regs.flags & DOS_CARRY) && regs.ax > 0, "READ");
	print_number("dos: C:\\ETC\\MOTD has ", regs.ax, " octets");
	regs = (struct regs){.ah = DOS_SEEK, .al = 2, .bx = handle};
	int21(&regs);
	expect(!(regs.flags & DOS_CARRY) && regs.ax > 0 && regs.dx == 0, "SEEK");
	regs = (struct regs){.ah = DOS_CLOSE, .bx = handle};
	int21(&regs);
	expect(!(regs.flags & DOS_CARRY), "CLOSE");
	regs = (struct regs){.ah = DOS_CLOSE, .bx = handle};
	int21(&regs);
	expect(fails(&regs, DOS_INVALID_HANDLE), "second CLOSE");
}

static void be_refused(void)
{
	struct regs regs = call(DOS_OPEN, "C:\\ETC\\NOTHING.TXT");

	expect(fails(&regs, DOS_FILE_NOT_FOUND), "OPEN of a missing file");
	print_number("dos: a missing file is error ", regs.ax, "");
	regs = call(DOS_OPEN, "C:\\NOWHERE\\MOTD");
	expect(fails(&regs, DOS_PATH_NOT_FOUND), "OPEN in a missing directory");
	regs = call(DOS_OPEN, "A:\\MOTD");
	expect(fails(&regs, DOS_PATH_NOT_FOUND), "OPEN on a missing drive");
	regs = call(DOS_CREATE, "C:\\NEW.TXT");
	expect(fails(&regs, DOS_ACCESS_DENIED), "CREATE");
	regs = call(OUTSIDE, NULL);
	expect(fails(&regs, DOS_INVALID_FUNCTION), "a function outside the list");
	print_number("dos: function 238 is error ", regs.ax, "");
}

static void search(void)
{
	struct dos_dta dta;
	struct regs regs = call(DOS_SET_DTA, &dta);

	regs = call(DOS_FIND_FIRST, "C:\\ETC\\MO*.*");
	expect(!(regs.flags & DOS_CARRY) && strcmp(dta.name, "MOTD") == 0, "FIND FIRST");
	while (!(regs.flags & DOS_CARRY))
		regs = call(DOS_FIND_NEXT, NULL);
	expect(fails(&regs, DOS_NO_MORE_FILES), "FIND NEXT");
}

/* Looks for the program under the name DOS has for bin/dos_hello. */
static void run_a_copy(void)
{
	struct dos_exec block = {.tail = (const uint8_t *)"\6 child"};
	struct dos_dta dta;
	char path[32];
	struct regs regs = call(DOS_SET_DTA, &dta);

	regs = call(DOS_FIND_FIRST, "C:\\BIN\\DOS_HE*.*");
	expect(!(regs.flags & DOS_CARRY), "finding this program");
	snprintf(path, sizeof path, "C:\\BIN\\%s", dta.name);
	regs = (struct regs){.ah = DOS_EXEC, .ds_dx = path, .es_bx = &block};
	int21(&regs);
	expect(!(regs.flags & DOS_CARRY), "EXEC");
	regs = call(DOS_RETURN_CODE, NULL);
	expect(regs.ax == 7, "the return code");
	print_number("dos: the program gave ", regs.al, "");
}

int main(int argc, char *argv[])
{
	struct regs end;

	if (argc > 1 && strcmp(argv[1], "child") == 0) {
		print("dos: hello from a program that was run");
		return 7;
	}
	print("dos: hello, world");
	expect(call(DOS_GET_VERSION, NULL).al == 5, "GET VERSION");
	expect(call(DOS_GET_DATE, NULL).cx >= 1980, "GET DATE");
	read_motd();
	be_refused();
	search();
	run_a_copy();
	end = (struct regs){.ah = DOS_EXIT, .al = faults == 0 ? 0 : 1};
	int21(&end);
	return 1; /* not reached */
}
