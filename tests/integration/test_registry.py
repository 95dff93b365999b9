"""ECR's answers, whole and cut short, friendly and not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.account import IMAGE, Account, a_finding
from tests.builders import NOW, a_policy, digest, image_id, vector
from tests.wire import Wire, error, ok
from warden.errors import Refused, Unavailable
from warden.findings import Finding, ScanState
from warden.manifests import Kind, Manifest, Platform
from warden.names import ImageId, RepositoryName, Severity, Tag
from warden.observations import RegistryScanning, ScanningRule
from warden.observing import observe
from warden.registry import Registry, ScanStart

APP = RepositoryName("team/app")

READS: dict[str, Callable[[Registry], object]] = {
    "DescribeImages": lambda registry: registry.image(image_id()),
    "BatchGetImage": lambda registry: registry.manifest(image_id()),
    "DescribeImageScanFindings": lambda registry: registry.scan(image_id()),
    "GetRegistryScanningConfiguration": lambda registry: registry.scanning(),
    "DescribeRepositories": lambda registry: list(registry.listing()),
    "ListTagsForResource": lambda registry: registry.repository_tags(APP, "111122223333"),
    "GetLifecyclePolicy": lambda registry: registry.lifecycle_policy(APP),
    "GetRepositoryPolicy": lambda registry: registry.access_policy(APP),
}


@pytest.mark.parametrize("operation", READS)
def test_an_answer_that_was_cut_short_is_unknown_and_not_empty(operation: str) -> None:
    wire = Wire(lambda *_: ok({}))
    with pytest.raises(Unavailable, match=f"answer to {operation} lacks"):
        READS[operation](Registry(wire.client(), wire.client()))


@pytest.mark.parametrize("operation", READS)
def test_throttling_is_retried_by_the_sdk_and_then_raised(operation: str) -> None:
    wire = Wire(lambda *_: error("ThrottlingException", "Rate exceeded"))
    with pytest.raises(ClientError, match="Rate exceeded"):
        READS[operation](Registry(wire.client(attempts=2), wire.client()))
    assert wire.operations() == [operation] * 2


def test_an_image_is_described_with_its_tags_and_its_scan_summary_is_not_believed(account: Account) -> None:
    pushed = account.push(tags=("v1", "latest"), age=timedelta(hours=1))
    image = account.registry.image(pushed)
    assert image is not None
    assert (image.id, image.tags, image.pushed_at) == (pushed, ("v1", "latest"), NOW - timedelta(hours=1))
    assert image.name == "team/app:v1"
    assert not image.is_index


def test_an_image_without_a_tag_is_called_by_its_digest(account: Account) -> None:
    image = account.registry.image(account.push(tags=()))
    assert image is not None
    assert image.name == f"team/app@{digest('image')[:19]}"


@pytest.mark.parametrize("code", ["ImageNotFoundException", "RepositoryNotFoundException"])
def test_what_is_gone_is_gone_and_no_error(account: Account, code: str) -> None:
    for operation in ("DescribeImages", "BatchGetImage", "DescribeImageScanFindings"):
        account.refusals[operation] = error(code)
    registry = account.registry
    assert registry.image(image_id()) is None
    assert registry.manifest(image_id()) is None
    assert registry.scan(image_id()) is None


def test_a_manifest_that_is_not_found_is_told_by_failures_and_read_there(account: Account) -> None:
    account.create()
    assert account.registry.manifest(image_id()) is None


def test_another_failure_in_a_200_is_not_swallowed(account: Account) -> None:
    account.refusals["BatchGetImage"] = ok({"images": [], "failures": [{"failureCode": "KmsError"}]})
    with pytest.raises(Unavailable, match="KmsError"):
        account.registry.manifest(image_id())


def test_platforms_are_found_through_nested_indexes_each_once(account: Account) -> None:
    amd, arm = account.push("amd64"), account.push("arm64")
    inner = account.push_index(amd, arm, seed="inner")
    outer = Manifest(Kind.INDEX, (Platform(amd.digest, "linux/amd64"),), (inner.digest,))
    assert account.registry.platforms(image_id("outer"), outer) == (
        Platform(amd.digest, "linux/amd64"),
        Platform(arm.digest, "linux/arm64"),
    )


def test_an_index_with_more_than_a_hundred_images_is_refused(account: Account) -> None:
    crowd = Manifest(Kind.INDEX, tuple(Platform(digest(str(number)), "linux/x") for number in range(101)))
    with pytest.raises(Refused, match="more than 100 images"):
        account.registry.platforms(image_id(), crowd)


def test_nested_indexes_are_not_followed_for_ever(account: Account) -> None:
    crowd = Manifest(Kind.INDEX, nested=tuple(digest(str(number)) for number in range(101)))
    with pytest.raises(Refused, match="more than 100 images"):
        account.registry.platforms(image_id(), crowd)
    assert account.calls()["BatchGetImage"] == 0


def test_a_scan_is_started_by_digest(account: Account) -> None:
    image = account.push()
    assert account.registry.start_scan(image) is ScanStart.STARTED
    assert account.writes() == [("StartImageScan", {"repositoryName": APP, "imageId": {"imageDigest": image.digest}})]


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("LimitExceededException", ScanStart.KNOWN),
        ("UnsupportedImageTypeException", ScanStart.UNSUPPORTED),
        ("ImageArchivedException", ScanStart.ARCHIVED),
        ("ImageNotFoundException", ScanStart.GONE),
        ("RepositoryNotFoundException", ScanStart.GONE),
    ],
)
def test_each_refusal_of_a_scan_means_something_and_is_asked_once(code: str, meaning: ScanStart) -> None:
    wire = Wire(lambda *_: error(code))
    patient = Wire(lambda *_: error("the scans are not started by this client"))
    assert Registry(patient.client(attempts=8), wire.client()).start_scan(image_id()) is meaning
    assert (len(wire.requests), len(patient.requests)) == (1, 0)


def test_a_scan_that_can_not_be_is_refused_with_ecrs_words(account: Account) -> None:
    account.refusals["StartImageScan"] = error("ValidationException", "This feature is disabled")
    with pytest.raises(Refused, match="This feature is disabled"):
        account.registry.start_scan(image_id())


def test_a_throttled_scan_start_is_left_to_the_queue(account: Account) -> None:
    account.refusals["StartImageScan"] = error("ThrottlingException")
    with pytest.raises(ClientError):
        account.registry.start_scan(image_id())
    assert account.calls()["StartImageScan"] == 1


@pytest.mark.parametrize("pages", [1, 3, 12])
def test_findings_are_read_to_the_last_page(account: Account, pages: int) -> None:
    image = account.push()
    account.scanned(image, *(a_finding(f"CVE-2026-{number}") for number in range(1200)), pages=pages)
    scan = account.registry.scan(image)
    assert scan is not None
    assert len({finding.name for finding in scan.findings}) == 1200
    assert account.calls()["DescribeImageScanFindings"] == pages


def test_a_page_that_is_cut_short_in_the_middle_loses_the_whole(account: Account) -> None:
    image = account.push()
    account.scanned(image, *(a_finding(f"CVE-2026-{number}") for number in range(30)), pages=3)
    account.images[APP, image.digest].scan[1] = {"imageScanStatus": {"status": "COMPLETE"}}
    with pytest.raises(Unavailable, match="lacks 'imageScanFindings'"):
        account.registry.scan(image)


@pytest.mark.parametrize(
    ("name", "state", "findings"),
    [
        ("basic.complete.api-reference.json", ScanState.SCANNED, None),
        ("basic.complete.mixed.json", ScanState.SCANNED, 12),
        ("basic.complete.none.json", ScanState.SCANNED, 0),
        ("basic.in-progress.json", ScanState.WAITING, 0),
        ("status.pending.json", ScanState.WAITING, 0),
        ("basic.failed.unsupported-os.json", ScanState.UNSCANNED, 0),
        ("status.findings-unavailable.json", ScanState.UNSCANNED, 0),
        ("status.image-archived.json", ScanState.UNSCANNED, 0),
        ("status.image-size-exceeded.json", ScanState.UNSCANNED, 0),
        ("status.limit-exceeded.json", ScanState.UNSCANNED, 0),
        ("status.scan-eligibility-expired.json", ScanState.UNSCANNED, 0),
        ("status.unsupported-image.json", ScanState.UNSCANNED, 0),
    ],
)
def test_recorded_answers_are_read(account: Account, name: str, state: ScanState, findings: int | None) -> None:
    answer = vector(f"findings/{name}")
    answer.pop("nextToken", None)
    account.refusals["DescribeImageScanFindings"] = ok(answer)
    scan = account.registry.scan(image_id())
    assert scan is not None
    assert scan.state is state
    recorded = len(answer.get("imageScanFindings", {}).get("findings", ()))
    assert len(scan.findings) == (recorded if findings is None else findings)


def test_findings_of_enhanced_scanning_come_in_the_same_shape(account: Account) -> None:
    account.refusals["DescribeImageScanFindings"] = ok(vector("findings/enhanced.active.mixed.json"))
    scan = account.registry.scan(image_id())
    assert scan is not None
    assert (scan.state, scan.in_use) == (ScanState.SCANNED, 3)
    assert (
        Finding("CVE-2026-30001", Severity.CRITICAL, "pkg1", "1.0.0", fixed_in="2.0.0", score=9.8, exploit=True)
        in scan.findings
    )


@pytest.mark.parametrize("part", [{}, {"findingSeverityCounts": {"HIGH": 1}}])
def test_an_answer_without_any_kind_of_findings_is_not_clean(account: Account, part: dict[str, Any]) -> None:
    account.refusals["DescribeImageScanFindings"] = ok(
        {"imageScanStatus": {"status": "ACTIVE"}, "imageScanFindings": part}
    )
    with pytest.raises(Unavailable, match="lacks 'findings'"):
        account.registry.scan(image_id())


def test_a_scan_that_ecr_does_not_know_is_unknown(account: Account) -> None:
    scan = account.registry.scan(account.push())
    assert scan is not None
    assert scan.state is ScanState.UNKNOWN


def test_the_registrys_own_scanning_rules_are_read(account: Account) -> None:
    filters = [{"filter": "team/*", "filterType": "WILDCARD"}]
    account.scanning = {
        "scanType": "BASIC",
        "rules": [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": filters}],
    }
    assert account.registry.scanning() == RegistryScanning(False, (ScanningRule("SCAN_ON_PUSH", ("team/*",)),))


def test_a_repository_is_observed_as_it_is(account: Account) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "latest"}]
    account.create(
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
        imageScanningConfiguration={"scanOnPush": True},
    )
    account.lifecycle_policies["team/app"] = '{"rules":[]}'
    account.access_policies["team/app"] = '{"Statement":[]}'
    account.tags["team/app"] = {"team": "a"}
    observed = observe(account.registry, a_policy(access__forbid_public=True), APP)
    assert observed is not None
    seen = observed.observation
    assert (seen.immutability, seen.exclusions) == ("IMMUTABLE_WITH_EXCLUSION", ("latest",))
    assert (seen.scan_on_push, seen.encryption, seen.tags) == (True, "AES256", {"team": "a"})
    assert (seen.lifecycle_policy, seen.access_policy) == ('{"rules":[]}', '{"Statement":[]}')
    assert list(account.registry.listing()) == [account.registry.settings(APP)]


def test_what_the_standard_does_not_ask_for_is_not_read(account: Account) -> None:
    account.create()
    assert observe(account.registry, a_policy(lifecycle__mode="off", access__mode="off"), APP)
    assert account.calls() == {
        "DescribeRepositories": 1,
        "ListTagsForResource": 1,
        "GetRegistryScanningConfiguration": 1,
    }


def test_a_repository_that_is_gone_is_none(account: Account) -> None:
    assert observe(account.registry, a_policy(), APP) is None
    assert account.registry.repository_tags(APP, "111122223333") is None


def test_the_last_tag_of_an_image_is_not_taken(account: Account) -> None:
    image = account.push(tags=("v1", "v2"))
    account.image_tags.take(image, Tag("v1"))
    with pytest.raises(Refused, match="v2 is the last tag of"):
        account.image_tags.take(image, Tag("v2"))
    assert account.registry.tagged(APP, Tag("v2")) is not None
    assert account.registry.tagged(APP, Tag("v1")) is None


def test_images_are_found_on_every_page() -> None:
    def answers(_: str, request: Any) -> tuple[int, str]:
        page = int(request.get("nextToken", "0"))
        details = [
            {"imageDigest": digest(f"{page}-{age}"), "imagePushedAt": (NOW - timedelta(hours=age)).timestamp()}
            for age in (1, 100)
        ]
        return ok({"imageDetails": details, **({"nextToken": str(page + 1)} if page < 2 else {})})

    wire = Wire(answers)
    images = Registry(wire.client(), wire.client()).images(APP)
    assert [image.id for image in images] == [
        ImageId(APP, digest(f"{page}-{age}")) for page in range(3) for age in (1, 100)
    ]


def test_severities_and_packages_come_through(account: Account) -> None:
    image = account.push()
    account.scanned(image, a_finding("CVE-1", "CRITICAL", package_name="bash", fixed_in_versions="5.2"))
    scan = account.registry.scan(image)
    assert scan is not None
    (found,) = scan.findings
    assert (found.severity, found.package, found.fixed_in) == (Severity.CRITICAL, "bash", "5.2")


def test_an_index_is_known_by_its_media_type(account: Account) -> None:
    index = account.registry.image(account.push_index(account.push("amd64")))
    assert index is not None
    assert index.is_index
    assert account.images[APP, digest("amd64")].manifest["mediaType"] == IMAGE
