"""The files of the page: drawn by npm's slack-blocks-to-jsx, bundled once by esbuild into `build/chat`."""

import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = Path(__file__).with_name("page")
BUILD = ROOT / "build" / "chat"
MODULES = ROOT / "node_modules"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""What the page may do: run its own script, and ask this server for messages."""

_bundling = threading.Lock()


@dataclass(frozen=True, slots=True)
class File:
    """An answer to a request for a part of the page."""

    status: int
    kind: str
    content: bytes


def part(path: str) -> File:
    """The part of the page at that path of its address."""
    try:
        match path:
            case "/":
                return File(200, "text/html; charset=utf-8", (SOURCES / "index.html").read_bytes())
            case "/page.js":
                return File(200, "text/javascript; charset=utf-8", (bundle() / "page.js").read_bytes())
            case "/page.css":
                return File(200, "text/css; charset=utf-8", (bundle() / "page.css").read_bytes())
    except (OSError, subprocess.CalledProcessError) as error:
        words = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        return File(500, "text/plain; charset=utf-8", f"the page can't be bundled: {words}".encode())
    return File(404, "text/plain", b"no such page")


def bundle() -> Path:
    """The folder of the bundled page, made anew where its sources or the locked packages are newer."""
    with _bundling:
        made = BUILD / "page.js"
        if not made.exists() or made.stat().st_mtime < max(source.stat().st_mtime for source in _sources()):
            _run_esbuild()
        return BUILD


def _sources() -> list[Path]:
    return [*SOURCES.iterdir(), ROOT / "package-lock.json"]


def _run_esbuild() -> None:
    command = [
        str(MODULES / ".bin" / "esbuild"),
        str(SOURCES / "page.jsx"),
        "--bundle",
        "--minify",
        "--jsx=automatic",
        "--define:process.env.NODE_ENV='production'",
        "--log-level=warning",
        f"--outdir={BUILD}",
    ]
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"PATH": path})  # noqa: S603 - our own words
