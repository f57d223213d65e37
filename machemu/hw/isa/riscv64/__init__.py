"""RV64GC under privileged specification 1.9.1: all that is RISC-V in machemu.

layout.py: where registers live in the engine's state · paging.py: Sv39 tables ·
causes.py: trap numbers · instructions.py: lengths, and the one instruction emulated ·
state.py: a thread's registers as Mach's calls show them.
"""
