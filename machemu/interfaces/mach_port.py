# Made from servers/defs/mach_port.defs by tools/make_interfaces.py: edit that file instead.
"""Interface mach_port, ids from 3200."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("mach_port", 3200,
    Routine(3200, "mach_port_names", False,
            request=(),
            reply=(
                Item("names", Kind.INTEGERS, 15, 32, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),
                Item("types", Kind.INTEGERS, 2, 32, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),
            )),
    Routine(3201, "mach_port_type", False,
            request=(Item("name", Kind.INTEGER, 15, 32),),
            reply=(Item("ptype", Kind.INTEGER, 2, 32),)),
    Routine(3202, "mach_port_rename", False,
            request=(
                Item("old_name", Kind.INTEGER, 15, 32),
                Item("new_name", Kind.INTEGER, 15, 32),
            ),
            reply=()),
    Routine(3203, "mach_port_allocate_name", False,
            request=(
                Item("right", Kind.INTEGER, 2, 32),
                Item("name", Kind.INTEGER, 15, 32),
            ),
            reply=()),
    Routine(3204, "mach_port_allocate", False,
            request=(Item("right", Kind.INTEGER, 2, 32),),
            reply=(Item("name", Kind.INTEGER, 15, 32),)),
    Routine(3205, "mach_port_destroy", False,
            request=(Item("name", Kind.INTEGER, 15, 32),),
            reply=()),
    Routine(3206, "mach_port_deallocate", False,
            request=(Item("name", Kind.INTEGER, 15, 32),),
            reply=()),
    Routine(3207, "mach_port_get_refs", False,
            request=(
                Item("name", Kind.INTEGER, 15, 32),
                Item("right", Kind.INTEGER, 2, 32),
            ),
            reply=(Item("refs", Kind.INTEGER, 2, 32),)),
    Routine(3208, "mach_port_mod_refs", False,
            request=(
                Item("name", Kind.INTEGER, 15, 32),
                Item("right", Kind.INTEGER, 2, 32),
                Item("delta", Kind.INTEGER, 2, 32, signed=True),
            ),
            reply=()),
    Routine(3210, "mach_port_set_qlimit", False,
            request=(
                Item("name", Kind.INTEGER, 15, 32),
                Item("qlimit", Kind.INTEGER, 2, 32),
            ),
            reply=()),
    Routine(3211, "mach_port_set_mscount", False,
            request=(
                Item("name", Kind.INTEGER, 15, 32),
                Item("mscount", Kind.INTEGER, 2, 32),
            ),
            reply=()),
    Routine(3212, "mach_port_get_set_status", False,
            request=(Item("name", Kind.INTEGER, 15, 32),),
            reply=(Item("members", Kind.INTEGERS, 15, 32, 0, variable=True, out_of_line=True, long_form=True, deallocate=True, single=False),)),
    Routine(3213, "mach_port_move_member", False,
            request=(
                Item("member", Kind.INTEGER, 15, 32),
                Item("after", Kind.INTEGER, 15, 32),
            ),
            reply=()),
    Routine(3214, "mach_port_request_notification", False,
            request=(
                Item("name", Kind.INTEGER, 15, 32),
                Item("id", Kind.INTEGER, 2, 32, signed=True),
                Item("sync", Kind.INTEGER, 2, 32),
                Item("notify", Kind.PORT, -1, 64),
            ),
            reply=(Item("previous", Kind.PORT, 18, 64),)),
    Routine(3215, "mach_port_insert_right", False,
            request=(
                Item("name", Kind.INTEGER, 15, 32),
                Item("poly", Kind.PORT, -1, 64),
            ),
            reply=()),
    Routine(3216, "mach_port_extract_right", False,
            request=(
                Item("name", Kind.INTEGER, 15, 32),
                Item("msgt_name", Kind.INTEGER, 2, 32),
            ),
            reply=(Item("poly", Kind.PORT, -1, 64),)),
    Routine(3217, "mach_port_get_receive_status", False,
            request=(Item("name", Kind.INTEGER, 15, 32),),
            reply=(Item("status", Kind.INTEGERS, 2, 32, 9, signed=True, single=False),)),
    Routine(3218, "mach_port_set_seqno", False,
            request=(
                Item("name", Kind.INTEGER, 15, 32),
                Item("seqno", Kind.INTEGER, 2, 32),
            ),
            reply=()),
    Routine(3221, "mach_port_set_protected_payload", False,
            request=(
                Item("name", Kind.INTEGER, 15, 32),
                Item("payload", Kind.INTEGER, 11, 64),
            ),
            reply=()),
    Routine(3222, "mach_port_clear_protected_payload", False,
            request=(Item("name", Kind.INTEGER, 15, 32),),
            reply=()),
)
