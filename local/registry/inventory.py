"""What is installed in an image: Debian packages and Python distributions, by their own records.

https://manpages.debian.org/bookworm/dpkg/deb-src-control.5.en.html
https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import Literal

from local.registry import filesystem

WANTED = re.compile(
    r"etc/os-release|usr/lib/os-release|var/lib/dpkg/status|var/lib/dpkg/status\.d/[^/]+"
    r"|(?:.+/)?[^/]+\.dist-info/METADATA"
)
_FIELD = re.compile(r"^(Package|Version|Source|Status): (.+)$", re.MULTILINE)
_SOURCE = re.compile(r"(?P<name>\S+)(?: \((?P<version>.+)\))?")


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """Something installed: a Debian source package, or a Python distribution by its normalised name."""

    ecosystem: Literal["debian", "pypi"]
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is known of an image's contents."""

    release: str | None
    """The Debian release, like `12`, or `sid` for one that isn't released; None for any other system."""
    packages: tuple[Package, ...]


def take(layers: Sequence[bytes]) -> Inventory | None:
    """The inventory of the layers, lowest first; None where no layer is an archive. Raises Unscannable."""
    files = filesystem.read(layers, WANTED)
    if files is None:
        return None
    release = _debian_release(files)
    found = {*_python(files), *(_debian(files) if release else ())}
    return Inventory(release, tuple(sorted(found)))


def _debian_release(files: Mapping[str, bytes]) -> str | None:
    text = files.get("etc/os-release", files.get("usr/lib/os-release", b"")).decode("utf-8", "replace")
    pairs = (line.partition("=") for line in text.splitlines())
    system = {name: "".join(_unquoted(value)) for name, _, value in pairs}
    return (system.get("VERSION_ID") or "sid") if system.get("ID") == "debian" else None


def _unquoted(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError:
        return []


def _debian(files: Mapping[str, bytes]) -> Iterator[Package]:
    for path, content in files.items():
        if not path.startswith("var/lib/dpkg/status"):
            continue
        for paragraph in re.split(r"\n\s*\n", content.decode("utf-8", "replace")):
            fields = dict(_FIELD.findall(paragraph))
            if {"Package", "Version"} <= fields.keys() and fields.get("Status", "ok installed").endswith(" installed"):
                yield _source_package(fields)


def _source_package(fields: Mapping[str, str]) -> Package:
    """Advisories are of source packages; a binary package names its own only where they differ."""
    source = _SOURCE.fullmatch(fields.get("Source", ""))
    name = source["name"] if source else fields["Package"]
    return Package("debian", name, (source and source["version"]) or fields["Version"])


def _python(files: Mapping[str, bytes]) -> Iterator[Package]:
    for path, content in files.items():
        if path.endswith("/METADATA"):
            headers = HeaderParser().parsestr(content.decode("utf-8", "replace"), headersonly=True)
            if headers["Name"] and headers["Version"]:
                yield Package("pypi", normalised(str(headers["Name"])), str(headers["Version"]))


def normalised(name: str) -> str:
    """The name of a Python distribution as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()
