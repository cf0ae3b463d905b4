"""What a checkout has, and what of it a build of the images gets to see."""

import subprocess
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[3]


def is_let_in(name: str) -> bool:
    """Whether .dockerignore lets a file or folder at the root into a build."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return any(fnmatch(name, line.removeprefix("!")) for line in lines if line.startswith("!"))


def tracked() -> list[Path]:
    """Files that git has; in an image, where there is no repository, those that came into it."""
    if not (ROOT / ".git").exists():
        found = [path for top in ROOT.iterdir() if is_let_in(top.name) for path in (top, *top.rglob("*"))]
        return [path for path in found if path.is_file() and "node_modules" not in path.parts]
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, cwd=ROOT, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if (ROOT / name).is_file()]
