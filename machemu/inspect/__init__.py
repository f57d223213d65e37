"""Looking at a node without touching it."""

from machemu.inspect.views import NodeView, PortView, RightView, TaskView, view_node

__all__ = ["NodeView", "PortView", "RightView", "TaskView", "view_node"]
