"""Package URLs: which package they name, as ECR's scanners call it, or which repository of ECR.

https://github.com/package-url/purl-spec/blob/main/PURL-SPECIFICATION.rst
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from policy.source import describe
from policy.values import read_words
from warden.names import RepositoryName, is_repository_name

_OF_THE_SYSTEM = frozenset({"alpm", "apk", "deb", "rpm"})
"""Their namespace is the distribution, which findings don't name."""
_IMAGES = frozenset({"docker", "oci"})
_JOINED_BY = {"maven": ":"}
_GO_STANDARD_LIBRARY = "go/stdlib"
"""As Amazon Inspector calls it; https://github.com/cdklabs/cdk-ecr-deployment/issues/1221."""

_SHAPE = re.compile(r"pkg:/*([A-Za-z][A-Za-z0-9.+-]*)/(.+)", re.DOTALL)
_VERSIONED = re.compile(r"(.*[^/])@(.*)", re.DOTALL)
"""An @ that starts a part of the path is an npm scope that was not encoded."""
_ECR = re.compile(
    r"(?:https?://)?[0-9]{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\."
    r"(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)(?:/(.*))?"
)
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html"""


@dataclass(frozen=True, slots=True)
class PackageUrl:
    """The parts of a package URL that say what it names."""

    kind: str
    namespace: tuple[str, ...]
    name: str
    version: str = ""
    repository_url: str = ""

    @property
    def is_image(self) -> bool:
        """Whether it names an image, and no package in one."""
        return self.kind in _IMAGES

    @property
    def package(self) -> str:
        """What the package is called in findings.

        >>> parse("pkg:deb/debian/openssl@3.0.14").package, parse("pkg:npm/%40angular/core").package
        ('openssl', '@angular/core')
        >>> parse("pkg:maven/org.apache.logging.log4j/log4j-core").package
        'org.apache.logging.log4j:log4j-core'
        """
        if self.kind in _OF_THE_SYSTEM:
            return self.name
        if self.kind == "golang" and not self.namespace and self.name == "stdlib":
            return _GO_STANDARD_LIBRARY
        namespace = "/".join(self.namespace)
        return f"{namespace}{_JOINED_BY.get(self.kind, '/')}{self.name}" if namespace else self.name

    @property
    def repository(self) -> RepositoryName | None:
        """The repository of ECR that the image is in; None where the URL does not say it, or names another registry.

        `repository_url` ends with the image's own name; where it does not, which repository is meant is a guess.
        """
        ecr = _ECR.fullmatch(self.repository_url) if self.is_image else None
        if ecr is None:
            return None
        path = (ecr[1] or "").strip("/")
        if self.kind == "docker" and not path:
            path = "/".join((*self.namespace, self.name))
        fits = path.rpartition("/")[2] == self.name.lower() and is_repository_name(path)
        return RepositoryName(path) if fits else None


def parse(text: str) -> PackageUrl:
    """The package URL that a text is. Raises ValueError with the rest of the sentence that names the place."""
    expected = "expected a package URL such as pkg:deb/debian/openssl"
    locator, _, qualifiers = text.partition("#")[0].partition("?")
    shape = _SHAPE.fullmatch(locator)
    if shape is None:
        raise ValueError(f"{expected}, got {describe(text)}")
    whole = shape[2].strip("/")
    path, version = versioned.groups() if (versioned := _VERSIONED.fullmatch(whole)) else (whole, "")
    try:
        *namespace, name = (_decoded(part) for part in path.split("/") if part)
        given = dict(pair.partition("=")[::2] for pair in qualifiers.split("&"))
        url = PackageUrl(
            shape[1].lower(),
            tuple(namespace),
            name,
            _decoded(version),
            _decoded(given.get("repository_url", "")),
        )
        read_words(url.package)
    except ValueError:
        raise ValueError(f"{expected}, got {describe(text)}") from None
    return url


def _decoded(part: str) -> str:
    return unquote(part, errors="strict")
