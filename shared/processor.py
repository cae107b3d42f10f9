"""What a processor can compute, from what a runtime tells of it, and how much of it is ours."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

_BF16 = ("avx512_bf16", "amx_bf16", "bf16")  # of x86 and of ARM
_MEMBERSHIP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def has_bf16(capabilities: Mapping[str, object]) -> bool:
    """Whether these instructions, named as torch.cpu.get_capabilities() names them, compute in bf16.

    Where none does torch imitates it, and a forward takes eight times as long as in float32, a training step seven.
    """
    return any(capabilities.get(name) for name in _BF16)


def usable_cores(membership: Path = _MEMBERSHIP, groups: Path = _GROUPS) -> int:
    """Cores this process may keep busy: those it is bound to, or fewer where a control group has a CPU quota.

    Containers and systemd's units are such groups. The arguments say where Linux tells this process' group, and where
    the groups (version 2) lie.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([cores, *_quotas(membership, groups)])


def _quotas(membership: Path, groups: Path) -> Iterator[int]:
    """Cores' worth of time that our group, and each group around it, may take: a part of a core counts as one."""
    for group in _groups_around_us(membership):
        with suppress(OSError, ValueError):  # it has no quota, and then no such file or "max" in it
            quota, period = (groups / group / "cpu.max").read_text().split()
            yield math.ceil(int(quota) / int(period))


def _groups_around_us(membership: Path) -> Sequence[PurePosixPath]:
    """From the innermost to the outermost that we see; none where there are no groups of version 2."""
    with suppress(OSError):
        for line in membership.read_text().splitlines():
            if line.startswith("0::/"):
                innermost = PurePosixPath(line.removeprefix("0::/"))
                return [innermost, *innermost.parents]
    return []
