"""What processes have used, as the kernel counts it, and what machine this is."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

import psutil


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process and of its living descendants, in steps of 10 ms."""
    process = psutil.Process(pid)
    return sum(_own_seconds(each) for each in (process, *process.children(recursive=True)))


def children(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children()]


def peak_bytes(pid: int) -> int:
    """Return the most memory a process has ever had resident (VmHWM of proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def machine() -> str:
    """Describe this machine in one line."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = psutil.virtual_memory().total / 1024**3
    return f"{os.cpu_count()} × {model[1] if model else platform.machine()}, {memory:.0f} GiB, {platform.release()}"


def _own_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
