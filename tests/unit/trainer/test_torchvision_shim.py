"""Whatever torch was installed, torchvision imports and suppresses."""

import subprocess
import sys

SCRIPT = """
from services.trainer.torchvision_shim import ensure_torchvision
ensure_torchvision()
import torch, torchvision
boxes = torch.tensor([[0., 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60]])
print(torchvision.ops.nms(boxes, torch.tensor([0.5, 0.9, 0.3]), 0.5).tolist())
"""


def test_nms_works_in_a_fresh_process() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["[1, 2]"], done.stderr
