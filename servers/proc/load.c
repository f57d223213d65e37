/* Loading: from an ELF file in the boot archive to a task that can run.

   Nothing in the file is believed: every offset, size and address is checked against the
   file and the address space before it is used. */
#include "proc.h"

#include <string.h>

#include <mach/notify.h>
#include <mach/thread_status.h>
#include <mig/boot_files.h>
#include <mig/gnumach.h>
#include <mig/machemu.h>

#define PAGE       4096ull
#define USER_END   0x4000000000ull /* Sv39 */
#define STACK_SIZE (128 * 1024ull)
#define STACK_TOP  (USER_END - PAGE)
#define FILE_MAX   (8 * 1024 * 1024)
#define EM_RISCV   243
#define PT_LOAD    1
#define PF_EXECUTE 1
#define PF_WRITE   2
#define PF_READ    4
#define SEGMENTS_MAX 16

struct elf_header {
	uint8_t  ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, program_headers, section_headers;
	uint32_t flags;
	uint16_t header_size, program_header_size, program_header_count;
	uint16_t section_header_size, section_header_count, names;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, address, physical, file_size, memory_size, align;
};

struct file {
	const char *data;
	uint64_t    size;
};

static uint64_t page_floor(uint64_t address)
{
	return address & ~(PAGE - 1);
}

static uint64_t page_ceiling(uint64_t address)
{
	return (address + PAGE - 1) & ~(PAGE - 1);
}

static const struct elf_header *check_header(const struct file *file)
{
	static const uint8_t magic[7] = {0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little-endian */, 1};
	const struct elf_header *elf = (const struct elf_header *)file->data;

	if (file->size < sizeof *elf || memcmp(elf->ident, magic, sizeof magic) != 0 || elf->type != 2
	    || elf->machine != EM_RISCV || elf->program_header_size != sizeof(struct elf_segment)
	    || elf->program_header_count > SEGMENTS_MAX || elf->program_headers % 8 != 0
	    || elf->program_headers > file->size
	    || (file->size - elf->program_headers) / sizeof(struct elf_segment) < elf->program_header_count)
		return NULL;
	return elf;
}

static bool segment_is_good(const struct elf_segment *segment, const struct file *file)
{
	return segment->file_size <= segment->memory_size && segment->offset <= file->size
	    && segment->file_size <= file->size - segment->offset && segment->address >= PAGE
	    && segment->address < STACK_TOP - STACK_SIZE
	    && segment->memory_size <= STACK_TOP - STACK_SIZE - segment->address;
}

/* Put `size` octets at `address` of the task, whose pages from `first` to `end` are
   allocated and zero; staged here in whole pages, as vm_write wants them. */
static kern_return_t write_octets(mach_port_t task, uint64_t address, const char *data, uint64_t size)
{
	uint64_t first = page_floor(address), length = page_ceiling(address + size) - first;
	vm_address_t staged = 0;
	kern_return_t kr;

	if (size == 0)
		return KERN_SUCCESS;
	kr = vm_allocate(mach_task_self(), &staged, length, TRUE);
	if (kr != KERN_SUCCESS)
		return kr;
	memcpy((char *)staged + (address - first), data, size);
	kr = vm_write(task, first, (pointer_t)staged, (mach_msg_type_number_t)length);
	vm_deallocate(mach_task_self(), staged, length);
	return kr;
}

static kern_return_t load_segment(mach_port_t task, const struct elf_segment *segment, const struct file *file)
{
	vm_address_t first = page_floor(segment->address);
	vm_size_t length = page_ceiling(segment->address + segment->memory_size) - first;
	vm_prot_t protection = (segment->flags & PF_READ ? VM_PROT_READ : 0)
	    | (segment->flags & PF_WRITE ? VM_PROT_WRITE : 0) | (segment->flags & PF_EXECUTE ? VM_PROT_EXECUTE : 0);
	kern_return_t kr = vm_allocate(task, &first, length, FALSE);

	if (kr != KERN_SUCCESS) /* overlapping segments among others */
		return kr == KERN_NO_SPACE ? KERN_INVALID_VALUE : kr;
	kr = write_octets(task, segment->address, file->data + segment->offset, segment->file_size);
	if (kr == KERN_SUCCESS)
		kr = vm_protect(task, first, length, FALSE, protection);
	return kr;
}

static kern_return_t load_segments(mach_port_t task, const struct elf_header *elf, const struct file *file)
{
	const struct elf_segment *segments = (const struct elf_segment *)(file->data + elf->program_headers);
	bool has_entry = false;

	for (unsigned i = 0; i < elf->program_header_count; i++) {
		kern_return_t kr;

		if (segments[i].type != PT_LOAD || segments[i].memory_size == 0)
			continue;
		if (!segment_is_good(&segments[i], file))
			return KERN_INVALID_VALUE;
		kr = load_segment(task, &segments[i], file);
		if (kr != KERN_SUCCESS)
			return kr;
		has_entry |= segments[i].flags & PF_EXECUTE && elf->entry >= segments[i].address
		    && elf->entry - segments[i].address < segments[i].memory_size;
	}
	return has_entry ? KERN_SUCCESS : KERN_INVALID_VALUE;
}

/* The stack with argc, argv, 0, environment, 0 and the strings (mach-abi.md 10.3). */
static kern_return_t make_stack(mach_port_t task, const struct process *process, uint64_t *sp)
{
	static uint64_t block[(SERVER_ARGUMENTS_MAX + 8 * (SERVER_ARGUMENTS_MAX + 4)) / 8];
	vm_address_t bottom = STACK_TOP - STACK_SIZE;
	uint64_t count = 0, words, length, strings;
	kern_return_t kr = vm_allocate(task, &bottom, STACK_SIZE, FALSE);

	for (uint32_t i = 0; i < process->arguments_size; i++)
		count += process->arguments[i] == '\0';
	words = 1 + count + 1 + 1;
	length = (8 * words + process->arguments_size + 15) & ~15ull;
	memset(block, 0, length);
	block[0] = count;
	strings = STACK_TOP - length + 8 * words;
	for (uint32_t i = 0, number = 1, begin = 1; i < process->arguments_size; i++) {
		if (begin)
			block[number++] = strings + i;
		begin = process->arguments[i] == '\0';
	}
	memcpy((char *)block + 8 * words, process->arguments, process->arguments_size);
	*sp = STACK_TOP - length;
	return kr == KERN_SUCCESS ? write_octets(task, *sp, (char *)block, length) : kr;
}

static kern_return_t make_thread(mach_port_t task, uint64_t entry, uint64_t sp, mach_port_t *thread)
{
	struct riscv64_thread_state state;
	kern_return_t kr = thread_create(task, thread);

	if (kr != KERN_SUCCESS)
		return kr;
	memset(&state, 0, sizeof state);
	state.x[1] = sp; /* x2; x0 is not stored */
	state.pc = entry;
	return thread_set_state(*thread, RISCV64_THREAD_STATE, (thread_state_t)&state, RISCV64_THREAD_STATE_COUNT);
}

/* The kernel names tasks by number only to those who receive from them; a port made in
   the task tells whose it is. */
static kern_return_t number_of(mach_port_t task, uint64_t *number)
{
	mach_port_t name, right;
	mach_msg_type_name_t kind;
	int owner;
	kern_return_t kr = mach_port_allocate(task, MACH_PORT_RIGHT_RECEIVE, &name);

	if (kr != KERN_SUCCESS)
		return kr;
	kr = mach_port_extract_right(task, name, MACH_MSG_TYPE_MAKE_SEND, &right, &kind);
	if (kr == KERN_SUCCESS) {
		kr = port_owner(host_privileged, right, number, &owner);
		mach_port_deallocate(mach_task_self(), right);
	}
	mach_port_mod_refs(task, name, MACH_PORT_RIGHT_RECEIVE, -1);
	return kr;
}

static kern_return_t watch(mach_port_t task)
{
	mach_port_t previous;

	return mach_port_request_notification(mach_task_self(), task, MACH_NOTIFY_DEAD_NAME, 0, notify_port,
	    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
}

static kern_return_t read_file(const char *path, struct file *file)
{
	int64_t size;
	char *data;
	mach_msg_type_number_t count;
	kern_return_t kr = boot_size(boot_port, (char *)path, &size);

	if (kr != KERN_SUCCESS)
		return kr;
	if (size <= 0 || size > FILE_MAX)
		return KERN_INVALID_VALUE;
	kr = boot_read(boot_port, (char *)path, 0, (int)size, &data, &count);
	file->data = data;
	file->size = count;
	return kr;
}

static kern_return_t fill_task(struct process *process, const struct file *file, mach_port_t *thread)
{
	const struct elf_header *elf = check_header(file);
	server_name_t name = {0};
	uint64_t sp;
	kern_return_t kr;

	if (elf == NULL)
		return KERN_INVALID_VALUE;
	kr = load_segments(process->task, elf, file);
	if (kr == KERN_SUCCESS)
		kr = make_stack(process->task, process, &sp);
	if (kr == KERN_SUCCESS)
		kr = number_of(process->task, &process->task_number);
	if (kr == KERN_SUCCESS)
		kr = make_thread(process->task, elf->entry, sp, thread);
	if (kr == KERN_SUCCESS)
		kr = watch(process->task);
	strncpy(name, process->name, sizeof name - 1);
	if (kr == KERN_SUCCESS)
		kr = task_set_name(process->task, name);
	return kr;
}

kern_return_t load_program(struct process *process, mach_port_t *thread)
{
	struct file file;
	kern_return_t kr = read_file(process->path, &file);

	if (kr != KERN_SUCCESS)
		return kr;
	*thread = MACH_PORT_NULL;
	process->measured = measuring
	    && engine_sha256(&engine, file.data, file.size, process->digest) == KERN_SUCCESS;
	kr = task_create(mach_task_self(), FALSE, &process->task);
	if (kr == KERN_SUCCESS) {
		kr = fill_task(process, &file, thread);
		if (kr != KERN_SUCCESS) {
			if (*thread != MACH_PORT_NULL)
				mach_port_deallocate(mach_task_self(), *thread);
			task_terminate(process->task);
			mach_port_deallocate(mach_task_self(), process->task);
		}
	}
	if (kr != KERN_SUCCESS)
		process->task = MACH_PORT_NULL;
	vm_deallocate(mach_task_self(), (vm_address_t)file.data, file.size);
	return kr;
}
