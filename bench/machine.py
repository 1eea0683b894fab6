"""The machine, as far as it explains a number; not whose it is."""

import os
import platform
from pathlib import Path


def machine() -> str:
    """Returns cores, memory and CPU in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    cores = os.cpu_count()
    return f"{cores} cores of {_cpu()}, {memory:.0f} GiB of memory, {platform.system()}"


def _cpu() -> str:
    """Returns what the kernel calls the CPU, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
