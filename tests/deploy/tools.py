"""Where things are, and how to run a tool and see why it complains."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

MARK = "deploy"
ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
_VENV = ROOT / ".venv-deploy" / "bin"
_UNPACKED = ROOT / ".deploy-tools"
_PLACES = (
    _VENV,
    _UNPACKED / "usr/bin",
    _UNPACKED / "usr/sbin",
    _UNPACKED / "usr/libexec/docker/cli-plugins",
    Path("/usr/bin"),
    Path("/usr/sbin"),
)


@cache
def tool(name: str) -> str:
    """The program's path. A missing tool fails the test: a check that is skipped is a check nobody makes."""
    found = shutil.which(name, path=os.pathsep.join([*map(str, _PLACES), os.environ.get("PATH", "")]))
    assert found, f"{name} is missing: run deploy/tools/install"
    return found


def alertmanager_command() -> tuple[str, ...]:
    """The command that starts Alertmanager, under Debian's name or its own.

    Debian's reads its templates from /usr/share and from nowhere else. Where it is unpacked and not installed, it runs
    with the unpacked folder in that place, which nobody but itself sees.
    """
    try:
        program = tool("prometheus-alertmanager")
    except AssertionError:
        return (tool("alertmanager"),)
    if not program.startswith(str(_UNPACKED)) or Path("/usr/share/prometheus/alertmanager").is_dir():
        return (program,)
    as_somebody = () if os.geteuid() == 0 else ("--map-root-user",)
    in_place = 'mount --bind "$0" /usr/share && exec "$@"'
    return ("unshare", "--mount", *as_somebody, "sh", "-c", in_place, str(_UNPACKED / "usr/share"), program)


def run(
    command: Sequence[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None, timeout: float = 120
) -> str:
    """Run a tool (the first word is looked up) and return its standard output; its complaints are the failure."""
    program, *arguments = map(str, command)
    done = subprocess.run(
        [tool(program), *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout
