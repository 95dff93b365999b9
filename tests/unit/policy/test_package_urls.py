"""What a package URL names, as findings and ECR call it. The parts agree with packageurl-python 0.17.6."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.package_urls import parse

DIGEST = "sha256%3A47fed8868b46b060efb8699dc40e981a0c785650223e03602d8c4493fc75b68c"
ECR = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("url", "package"),
    [
        ("pkg:deb/debian/openssl@3.0.14?arch=amd64", "openssl"),
        ("pkg:deb/debian/libstdc++6@12.2.0-14+deb12u1", "libstdc++6"),
        ("pkg:deb/debian/libstdc%2B%2B6", "libstdc++6"),
        ("pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25", "curl"),
        ("pkg:apk/wolfi/git@2.39.0-r1", "git"),
        ("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "org.apache.logging.log4j:log4j-core"),
        ("pkg:npm/%40angular/core@1.0", "@angular/core"),
        ("pkg:npm/@angular/core", "@angular/core"),
        ("pkg:npm/lodash", "lodash"),
        ("pkg:golang/github.com/aws/aws-sdk-go@v1.44#service/s3", "github.com/aws/aws-sdk-go"),
        ("pkg:golang/stdlib@1.22.1", "go/stdlib"),
        ("pkg:golang/example.com/stdlib", "example.com/stdlib"),
        ("pkg:composer/laravel/laravel@5.5.0", "laravel/laravel"),
        ("pkg:PyPI/django@1.11.1", "django"),
        ("pkg://deb/debian//openssl/", "openssl"),
    ],
)
def test_a_package_is_called_what_the_scanners_call_it(url: str, package: str) -> None:
    assert parse(url).package == package


@pytest.mark.parametrize(
    ("url", "version"),
    [
        ("pkg:npm/@angular/core", ""),
        ("pkg:npm/@angular/core@1.0", "1.0"),
        ("pkg:generic/a@1@2", "2"),
        (f"pkg:oci/app@{DIGEST}", DIGEST.replace("%3A", ":")),
        ("pkg:deb/debian/x@1%2B2?arch=amd64#a", "1+2"),
    ],
)
def test_the_version_is_what_follows_the_last_sign_that_starts_no_scope(url: str, version: str) -> None:
    assert parse(url).version == version


@pytest.mark.parametrize(
    ("url", "repository"),
    [
        (f"pkg:oci/app@{DIGEST}?repository_url={ECR}/team/app&tag=v1", "team/app"),
        (f"pkg:oci/app?tag=v1&repository_url={ECR}%2Fteam%2Fapp", "team/app"),
        (f"pkg:oci/app?repository_url=https://{ECR}/team/app/", "team/app"),
        ("pkg:oci/app?repository_url=111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com/app", "app"),
        ("pkg:oci/app?repository_url=111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/app", "app"),
        ("pkg:oci/app?repository_url=111122223333.dkr-ecr.eu-west-1.on.aws/app", "app"),
        (f"pkg:docker/team/app@v1?repository_url={ECR}", "team/app"),
        (f"pkg:oci/app?repository_url={ECR}/team", None),
        (f"pkg:oci/app?repository_url={ECR}", None),
        (f"pkg:oci/app?repository_url={ECR}/Team/app", None),
        (f"pkg:oci/app?repository_url={ECR}/*/app", None),
        (f"pkg:oci/app?repository_url={ECR}.example.com/team/app", None),
        (f"pkg:oci/app?repository_url=evil.example/{ECR}/team/app", None),
        ("pkg:oci/debian?repository_url=docker.io/library/debian", None),
        ("pkg:oci/debian", None),
        (f"pkg:deb/debian/app?repository_url={ECR}/team/app", None),
    ],
)
def test_an_image_is_in_the_repository_of_ecr_that_its_url_says_and_in_no_guessed_one(
    url: str, repository: str | None
) -> None:
    assert parse(url).repository == repository


@pytest.mark.parametrize(
    "text",
    [
        "",
        "openssl",
        "pkg:",
        "pkg:/",
        "pkg:deb",
        "pkg:deb/",
        "pkg:deb/%ff",
        "pkg:1/x",
        "pkg:deb/debian/a%00b",
        "http://x/y",
        "pkg:npm/x%E2%80%AEy",
        "pkg:npm/%20",
        f"pkg:npm/{'x' * 301}",
        "pkg:deb/x%0Ay",
        "pkg:oci/a?repository_url=%ff",
    ],
)
def test_what_is_no_package_url_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a package URL such as pkg:deb/debian/openssl, got "):
        parse(text)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(), st.text().map("pkg:deb/".__add__), st.text("pkg:/@?#%=&a1.").map("pkg:npm/".__add__)))
def test_any_text_is_a_url_with_a_package_that_can_be_seen_or_is_refused(text: str) -> None:
    try:
        package = parse(text).package
    except ValueError as error:
        assert str(error).startswith("expected a package URL")
    else:
        assert package.isprintable()
        assert package.strip()
