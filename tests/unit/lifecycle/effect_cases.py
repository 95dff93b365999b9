"""Rules that do harm, or other than what they say."""

from tests.builders import NOW
from tests.unit.lifecycle.lint_cases import ANY_30_DAYS, RELEASES, Case
from tests.unit.lifecycle.repositories import digest_of, image, line, policy, rule, signature_of, untagged

SIGNED = line("v2.*", 4, first=10)
CHILD = image(age=40, seed="amd64")
INDEX = image("v3.0.0", age=2, seed="index", is_index=True, children=(CHILD.digest, digest_of("arm64")))
UNREAD_INDEX = image("v3.0.0", age=2, seed="index", is_index=True)
APPS = [*line("web-*", 40), *line("worker-*", 3, first=50), image("latest", age=1)]

EFFECT_CASES = [
    Case(
        "an image in use is never to be taken, and it is told who runs it",
        policy(rule("v*", keep=11)),
        RELEASES,
        [("takes-in-use", "error", 1)],
        ("it deletes 1 image in use: v1.1.0 (by ECS service shop/web and a lambda)",),
        users={RELEASES[-1].digest: ("ECS service shop/web", "a lambda")},
    ),
    Case(
        "to archive what runs is as bad, and fewer are kept than run",
        policy(rule("v*", keep=2, archive=True)),
        RELEASES,
        [("takes-in-use", "error", 1), ("takes-most", "warning", None), ("keeps-too-few", "warning", 1)],
        ("it archives 4 images in use: v1.1.0 (by a), v1.2.0 (by a), v1.3.0 (by a) and 1 more",),
        users={each.digest: ("a",) for each in RELEASES[-4:]},
    ),
    Case(
        "who runs a platform needs the index",
        policy(rule("v*", days=1)),
        [INDEX, CHILD, *line("v*", 8, first=0, every=0.1)],
        [("takes-in-use", "error", 1)],
        ("v3.0.0 (by a pod)",),
        users={CHILD.digest: ("a pod",)},
    ),
    Case(
        "what follows its subject may be in use as well",
        policy(rule("v*", days=60)),
        [image("v1", age=90, seed="subject"), image(age=80, seed="chart", subject=digest_of("subject")), *RELEASES],
        [("takes-in-use", "error", None)],
        ("1 image in use would go with what they are about",),
        users={digest_of("chart"): ("a",)},
    ),
    Case(
        "a tag by which people pull is not to vanish",
        policy(rule(status="any", days=30)),
        [image("latest", "41d9be2", age=60), *line("b*", 10)],
        [("takes-moving-tag", "warning", 1)],
        ("what is tagged latest now: nobody can pull it",),
    ),
    Case(
        "signatures go before what they sign",
        policy(rule("v*", keep=30), rule("*", days=5)),
        [*SIGNED, *(signature_of(each, age=9) for each in SIGNED[:2]), *untagged(4)],
        [("takes-signatures", "warning", 2)],
        ("it deletes 2 images that are the signature",),
    ),
    Case(
        "signatures take the place of images",
        policy(rule("*", keep=4)),
        [*SIGNED, *(signature_of(each, age=9 + number) for number, each in enumerate(SIGNED))],
        [("counts-signatures", "warning", 1)],
        ("of the newest 4 that it keeps 2 are signatures", "2 images are kept"),
    ),
    Case(
        "several applications in one count: ministryofjustice/cloud-platform#839",
        policy(rule(status="any", keep=40, description="Keep the newest 40")),
        APPS,
        [("shared-count", "warning", 1)],
        ("newest 40 of 3 lines of tags together, and nothing is left of worker-* (3 images)",),
    ),
    Case(
        "a line of which something is left elsewhere is not lost",
        policy(rule("*-1*", keep=3)),
        [*(image(f"web-1{n}", age=n) for n in range(3)), *(image(f"app-{n}", age=30 + n) for n in (1, 10, 2))],
        [],
    ),
    Case(
        "tags at random are no lines",
        policy(rule(status="any", keep=30)),
        [
            image(f"{letter}{number}", age=1 + (number + ord(letter)) % 40)
            for letter in "abcdefghijklmnopqrstuv"
            for number in (1, 2)
        ],
        [],
    ),
    Case(
        "branches come to an end",
        policy(rule(status="any", keep=40)),
        [*line("main-*", 40), *line("feature-login-*", 4, first=50), *line("pr-*", 5, first=60)],
        [],
    ),
    Case(
        "platforms of an index have no tag, and are spared",
        policy(rule(status="untagged", days=7)),
        [INDEX, CHILD, *untagged(3)],
        [("untagged-children", "note", 1)],
        ("1 image that it matches is a platform of multi-platform images: ECR keeps it as long as the index stays",),
    ),
    Case(
        "platforms fill the count of a rule on untagged images",
        policy(rule(status="untagged", keep=2)),
        [INDEX, CHILD, *untagged(2)],
        [("untagged-children", "note", 1)],
    ),
    Case(
        "what an index lists may be unknown",
        policy(rule(status="untagged", days=7)),
        [UNREAD_INDEX, CHILD, *untagged(3)],
        [("untagged-children", "note", 1)],
        ("what they list isn't known here", "fewer may leave than the 1 that it matches"),
    ),
    Case(
        "an empty archive that nothing fills",
        policy(rule(status="any", days=365, since="sinceImageTransitioned", archived=True)),
        RELEASES,
        [("archive-is-empty", "note", 1)],
    ),
    Case(
        "nothing is left",
        policy(rule(status="any", days=7)),
        line("b*", 4, first=30),
        [("takes-everything", "warning", None)],
        ("it takes all that there is, 4 images: rule 1 (4)",),
    ),
    Case(
        "more than half goes",
        policy(rule(status="any", keep=4)),
        line("b*", 12),
        [("takes-most", "warning", None)],
        ("it takes 66 % of the repository, 8 of 12 images: rule 1 (8)",),
    ),
    Case(
        "nothing ever goes",
        policy(rule("*", days=9999), rule(status="any", keep=5)),
        RELEASES,
        [("takes-nothing", "note", None)],
        ("it never takes anything",),
    ),
    Case(
        "what ECR would refuse is told, each complaint by itself",
        policy(rule(keep=5), rule(status="untagged", days=0)),
        RELEASES,
        [("refused-by-ecr", "error", None), ("refused-by-ecr", "error", None)],
        ("tagStatus",),
    ),
    Case(
        "text that is no policy",
        "x" * 200,
        RELEASES,
        [("refused-by-ecr", "error", None)],
        ("expected JSON",),
    ),
    Case("an empty repository says nothing of a policy", policy(rule("v*", keep=3), ANY_30_DAYS), [], []),
    Case(
        "all went to the archive",
        policy(rule("v*", days=30, archive=True)),
        [image("v1", age=400, archived=True, archived_at=NOW), *untagged(3)],
        [],
    ),
]
