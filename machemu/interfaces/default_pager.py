# Made from servers/defs/default_pager.defs by tools/make_interfaces.py: edit that file instead.
"""Interface default_pager, ids from 2275."""

from __future__ import annotations

from typing import Final

from machemu.interfaces.runtime import Item, Kind, Routine, subsystem

SUBSYSTEM: Final = subsystem("default_pager", 2275,
    Routine(2275, "default_pager_object_create", False,
            request=(Item("object_size", Kind.INTEGER, 11, 64),),
            reply=(Item("memory_object", Kind.PORT, 20, 64, arrives=17),)),
    Routine(2276, "default_pager_info", False,
            request=(),
            reply=(Item("info", Kind.STRUCT, 11, 64, 3, fields="<QQQ", group=3),)),
    Routine(2277, "default_pager_objects", False,
            request=(
                Item("objectsCnt", Kind.INTEGER, 2, 32),
                Item("portsCnt", Kind.INTEGER, 2, 32),
            ),
            reply=(
                Item("objects", Kind.STRUCT, 11, 64, 256, variable=True, indefinite=True, long_form=True, deallocate=True, fields="<QQ", group=2, single=False),
                Item("ports", Kind.PORT, 20, 64, 256, arrives=17, variable=True, indefinite=True, long_form=True, deallocate=True, single=False),
            )),
    Routine(2278, "default_pager_object_pages", False,
            request=(
                Item("memory_object", Kind.PORT, 19, 64, arrives=17),
                Item("pagesCnt", Kind.INTEGER, 2, 32),
            ),
            reply=(Item("pages", Kind.STRUCT, 11, 64, 256, variable=True, indefinite=True, long_form=True, deallocate=True, fields="<Q", single=False),)),
    Routine(2279, "default_pager_paging_file", False,
            request=(
                Item("master_port", Kind.PORT, 19, 64, arrives=17),
                Item("filename", Kind.STRING, 12, 2048, long_form=True),
                Item("add", Kind.INTEGER, 0, 32, signed=True),
            ),
            reply=()),
    Routine(2280, "default_pager_register_fileserver", False,
            request=(Item("fileserver", Kind.PORT, 19, 64, arrives=17),),
            reply=()),
)
