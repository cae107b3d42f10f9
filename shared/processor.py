"""What a processor can compute, from what a runtime tells of it."""

from collections.abc import Mapping

_BF16 = ("avx512_bf16", "amx_bf16", "bf16")  # of x86 and of ARM


def has_bf16(capabilities: Mapping[str, object]) -> bool:
    """Whether these instructions, named as torch.cpu.get_capabilities() names them, compute in bf16.

    Where none does torch imitates it, and a forward takes eight times as long as in float32, a training step seven.
    """
    return any(capabilities.get(name) for name in _BF16)
