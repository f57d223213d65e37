"""Devices as kernel objects: what `device_open` gives a task."""
