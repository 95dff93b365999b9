"""When images of the local registry were pulled last, and whose pulls don't count."""

import pytest

from local.registry.callers import Caller
from local.registry.errors import EcrError
from tests.unit.local.a_registry import ROLE, ROOT, Small
from tests.unit.local.images import any_image, put

PULLS = "BatchGetImage"


def _pull(small: Small, digest: str, caller: Caller) -> None:
    small.call(PULLS, caller, repositoryName="team/app", imageIds=[{"imageDigest": digest}])


def _pulled_at(small: Small, digest: str) -> object:
    wanted = [{"imageDigest": digest}]
    (found,) = small.call("DescribeImages", repositoryName="team/app", imageIds=wanted)["imageDetails"]
    return found["lastRecordedPullTime"]


@pytest.mark.parametrize(("excluded", "counts"), [((), True), ((ROLE,), False), ((ROOT,), True)])
def test_a_pull_counts_unless_its_principal_is_excluded(
    small: Small, excluded: tuple[Caller, ...], counts: bool
) -> None:
    digest = put(small, any_image("a"))
    for each in excluded:
        small.ecr.registry.pull_exclusions[each.name] = small.now
    small.pass_time(hours=1)

    _pull(small, digest, ROLE)

    assert _pulled_at(small, digest) == (small.now if counts else None)


def test_exclusions_are_registered_listed_and_taken_back(small: Small) -> None:
    digest, principal = put(small, any_image("a")), str(ROLE.role)

    answer = small.call("RegisterPullTimeUpdateExclusion", principalArn=principal)
    assert answer == {"principalArn": principal, "createdAt": small.now}
    assert small.call("ListPullTimeUpdateExclusions")["pullTimeUpdateExclusions"] == [principal]
    _pull(small, digest, ROLE)
    assert _pulled_at(small, digest) is None

    small.call("DeregisterPullTimeUpdateExclusion", principalArn=principal)
    assert small.call("ListPullTimeUpdateExclusions")["pullTimeUpdateExclusions"] == []
    _pull(small, digest, ROLE)
    assert _pulled_at(small, digest) == small.now
    assert ("ecr:RegisterPullTimeUpdateExclusion", "*") in small.asked


def test_a_principal_is_excluded_once(small: Small) -> None:
    small.call("RegisterPullTimeUpdateExclusion", principalArn=str(ROLE.role))

    with pytest.raises(EcrError, match="ExclusionAlreadyExistsException"):
        small.call("RegisterPullTimeUpdateExclusion", principalArn=str(ROLE.role))


def test_an_exclusion_that_is_not_there_can_not_be_taken_back(small: Small) -> None:
    with pytest.raises(EcrError, match="ExclusionNotFoundException"):
        small.call("DeregisterPullTimeUpdateExclusion", principalArn=str(ROLE.role))


def test_there_are_a_hundred_exclusions_at_most(small: Small) -> None:
    for number in range(100):
        small.call("RegisterPullTimeUpdateExclusion", principalArn=f"arn:aws:iam::111122223333:role/r{number:03}")

    first = small.call("ListPullTimeUpdateExclusions", maxResults=60)
    rest = small.call("ListPullTimeUpdateExclusions", nextToken=first["nextToken"])
    assert (len(first["pullTimeUpdateExclusions"]), len(rest["pullTimeUpdateExclusions"])) == (60, 40)
    with pytest.raises(EcrError, match="LimitExceededException"):
        small.call("RegisterPullTimeUpdateExclusion", principalArn="arn:aws:iam::111122223333:role/one-more")


@pytest.mark.parametrize("principal", ["*", "arn:aws:sts::111122223333:assumed-role/a/b", "arn:aws:iam::1:role/a"])
def test_what_is_no_principal_is_refused(small: Small, principal: str) -> None:
    with pytest.raises(EcrError, match="InvalidParameterException"):
        small.call("RegisterPullTimeUpdateExclusion", principalArn=principal)
