"""Everybody who is asked what is in use: all pages, all parts of an answer, and nothing taken for unused unread."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.account import Account
from tests.builders import HOME, digest
from tests.running import OURS, Running, arns
from tests.wire import Answer, error, ok
from warden.errors import Unavailable
from warden.inventory.app_runner import AppRunner
from warden.inventory.asking import Incomplete, Source, Unseen
from warden.inventory.batch import BatchJobs
from warden.inventory.ecs import Ecs
from warden.inventory.eks import NOT_SCANNED, Eks, EksElsewhere
from warden.inventory.lambda_functions import LambdaFunctions
from warden.inventory.own_functions import LARGEST, OwnFunction
from warden.names import RepositoryName
from warden.usage import Use

SHA, OLD_SHA = digest("now"), digest("before")


@pytest.fixture
def running() -> Running:
    return Running()


def found(source: Source) -> dict[str, set[str]]:
    """Who uses what: `repository reference` and all that use it."""
    uses: dict[str, set[str]] = {}
    for use in source.uses(HOME):
        assert isinstance(use, Use)
        uses.setdefault(f"{use.repository} {use.reference}", set()).add(use.by)
    return uses


def an_ecs(running: Running) -> Ecs:
    """Two clusters; a service with everything that one can have; a task that runs, and one that is to."""
    clusters, services = arns("cluster", ["prod", "dev"]), arns("service", ["prod/web", "prod/jobs"])
    tasks, revisions = arns("task", ["prod/t1", "prod/t2"]), arns("service-revision", ["prod/web/1", "prod/web/2"])
    images = {
        "web:1": "app:blue",
        "web:2": "app:green",
        "web:3": "app:canary",
        "jobs:1": "jobs:v1",
        "one-off:1": "extra",
    }
    described = {
        services[0]: {
            "serviceArn": services[0],
            "serviceName": "web",
            "status": "ACTIVE",
            "taskDefinition": "web:2",
            "deployments": [
                {"status": "PRIMARY", "taskDefinition": "web:2"},
                {"status": "ACTIVE", "taskDefinition": "web:1"},
            ],
            "taskSets": [{"status": "ACTIVE", "taskDefinition": "web:3"}],
            "currentServiceRevisions": [{"arn": arn} for arn in revisions],
        },
        services[1]: {"serviceArn": services[1], "serviceName": "jobs", "taskDefinition": "jobs:1", "deployments": []},
    }
    containers = {
        tasks[0]: [
            {"name": "web", "image": f"{OURS}/app:blue", "imageDigest": SHA},
            {"name": "proxy", "image": "public.ecr.aws/envoy:v1", "imageDigest": OLD_SHA},
            {"name": "pinned", "image": f"{OURS}/pinned@{OLD_SHA}", "imageDigest": SHA},
        ],
        tasks[1]: [{"name": "waits", "image": f"{OURS}/one-off:v1"}],
    }
    running.says("ecs.ListClusters", {"clusterArns": clusters[:1]}, {"clusterArns": clusters[1:]})
    in_prod = {"ecs.ListServices": ("serviceArns", services), "ecs.ListTasks": ("taskArns", tasks)}
    for operation, (key, members) in in_prod.items():
        running.answers[operation] = _listing(key, members, clusters[0])
    running.answers["ecs.DescribeServices"] = lambda request: ok(
        {"services": [described[arn] for arn in request["services"]], "failures": []}
    )
    running.answers["ecs.DescribeServiceRevisions"] = lambda request: ok(
        {
            "serviceRevisions": [
                {
                    "serviceRevisionArn": arn,
                    "containerImages": [
                        {"image": f"{OURS}/app:blue", "imageDigest": digest(arn)},
                        {"image": "redis:7"},
                    ],
                }
                for arn in request["serviceRevisionArns"]
            ],
            "failures": [],
        }
    )
    running.answers["ecs.DescribeTasks"] = lambda request: ok(
        {
            "tasks": [
                {"taskArn": arn, "taskDefinitionArn": "one-off:1", "containers": containers[arn]}
                for arn in request["tasks"]
            ],
            "failures": [],
        }
    )
    running.answers["ecs.DescribeTaskDefinition"] = lambda request: ok(
        {
            "taskDefinition": {
                "containerDefinitions": [{"image": f"{OURS}/{images[request['taskDefinition']]}"}, {"image": "redis"}]
            }
        }
    )
    return Ecs(running.client("ecs"))


def _listing(key: str, members: list[str], cluster: str) -> Any:
    """One a page in the one cluster, nothing in others."""

    def answer(request: Mapping[str, Any]) -> Answer:
        if request["cluster"] != cluster:
            return ok({key: []})
        number = int(request.get("nextToken", "0"))
        more = {"nextToken": str(number + 1)} if number + 1 < len(members) else {}
        return ok({key: members[number : number + 1], **more})

    return answer


def test_ecs_tells_what_tasks_run_and_all_that_services_may_start(running: Running) -> None:
    web, jobs = "ECS service web of cluster prod", "ECS service jobs of cluster prod"
    t1, t2 = "ECS task t1 of cluster prod", "ECS task t2 of cluster prod"
    first, second = map(digest, arns("service-revision", ["prod/web/1", "prod/web/2"]))
    assert found(an_ecs(running)) == {
        "app blue": {web, t1},
        "app green": {web},
        "app canary": {web},
        f"app {first}": {web},
        f"app {second}": {web},
        f"app {SHA}": {t1},
        f"pinned {OLD_SHA}": {t1},
        f"pinned {SHA}": {t1},
        "jobs v1": {jobs},
        "one-off v1": {t2},
        "extra latest": {t1, t2},
    }


def test_a_task_definition_is_asked_for_once_however_many_use_it(running: Running) -> None:
    list(an_ecs(running).uses(HOME))
    asked = [request["taskDefinition"] for request in running.asked("ecs.DescribeTaskDefinition")]
    assert sorted(asked) == ["jobs:1", "one-off:1", "web:1", "web:2", "web:3"]


def test_services_are_described_ten_at_a_time_and_revisions_twenty(running: Running) -> None:
    ecs = an_ecs(running)
    names = arns("service", [f"prod/s{number}" for number in range(25)])
    running.answers["ecs.ListServices"] = lambda request: ok(
        {"serviceArns": names if request["cluster"].endswith("prod") else []}
    )
    running.answers["ecs.DescribeServices"] = lambda request: ok(
        {
            "services": [
                {"serviceName": arn, "currentServiceRevisions": [{"arn": f"{arn}/r"}]} for arn in request["services"]
            ],
            "failures": [],
        }
    )
    list(ecs.uses(HOME))
    assert [len(request["services"]) for request in running.asked("ecs.DescribeServices")] == [10, 10, 5]
    asked = [len(request["serviceRevisionArns"]) for request in running.asked("ecs.DescribeServiceRevisions")]
    assert asked == [20, 5]


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        ("ecs.DescribeServices", "services"),
        ("ecs.DescribeServiceRevisions", "serviceRevisions"),
        ("ecs.DescribeTasks", "tasks"),
    ],
)
def test_what_is_gone_since_it_was_listed_is_not_in_use_and_what_is_left_out_is_unknown(
    running: Running, operation: str, key: str
) -> None:
    ecs = an_ecs(running)

    def failing(reason: str) -> Answer:
        return ok({key: [], "failures": [{"arn": "x", "reason": reason}] * (2 if "Revisions" in operation else 1)})

    running.answers[operation] = lambda _: failing("MISSING")
    before = found(ecs)
    assert before
    running.answers[operation] = lambda _: failing("ACCESS_DENIED")
    with pytest.raises(Unavailable, match="ACCESS_DENIED"):
        found(ecs)
    running.answers[operation] = lambda _: ok({key: [], "failures": []})
    with pytest.raises(Unavailable, match="did not say why"):
        found(ecs)


def test_a_cluster_that_went_meanwhile_has_nothing_in_use(running: Running) -> None:
    ecs = an_ecs(running)
    running.refuses("ecs.ListServices", error("ClusterNotFoundException"))
    assert found(ecs) == {}
    running.refuses("ecs.ListServices", error("ThrottlingException"))
    with pytest.raises(ClientError, match="ThrottlingException"):
        found(ecs)


def a_lambda(running: Running) -> LambdaFunctions:
    arn = f"arn:aws:lambda:{HOME.region}:{HOME.account}:function:"
    image = {"PackageType": "Image"}
    running.says(
        "lambda.ListFunctions",
        {
            "Functions": [
                {"FunctionArn": f"{arn}thumb:$LATEST", "Version": "$LATEST", **image},
                {"FunctionArn": f"{arn}thumb:7", "Version": "7", **image},
            ]
        },
        {
            "Functions": [
                {"FunctionArn": f"{arn}zipped:$LATEST", "Version": "$LATEST", "PackageType": "Zip"},
                {"FunctionArn": f"{arn}fresh:$LATEST", "Version": "$LATEST", **image},
                {"FunctionArn": f"{arn}other:$LATEST", "Version": "$LATEST", **image},
            ]
        },
        next_is="Marker",
    )
    images = {
        "thumb:$LATEST": {"ImageUri": f"{OURS}/thumb:v8", "ResolvedImageUri": f"{OURS}/thumb@{SHA}"},
        "thumb:7": {"ImageUri": f"{OURS}/thumb:v7", "ResolvedImageUri": f"{OURS}/thumb@{OLD_SHA}"},
        "fresh:$LATEST": {"ImageUri": f"{OURS}/fresh:v1"},
        "other:$LATEST": {"ImageUri": "444455556666.dkr.ecr.eu-central-1.amazonaws.com/app:v1"},
    }

    def get(request: Mapping[str, Any]) -> Answer:
        function = f"{request['FunctionName'].rpartition(':')[2]}:{request['Qualifier']}"
        return ok({"Code": {"RepositoryType": "ECR", **images[function]}})

    running.answers["lambda.GetFunction"] = get
    return LambdaFunctions(running.client("lambda"))


def test_lambda_tells_the_image_of_every_version_by_digest_where_it_is_known(running: Running) -> None:
    assert found(a_lambda(running)) == {
        f"thumb {SHA}": {"Lambda function thumb version $LATEST"},
        f"thumb {OLD_SHA}": {"Lambda function thumb version 7"},
        "fresh v1": {"Lambda function fresh version $LATEST"},
    }
    assert {request["FunctionVersion"] for request in running.asked("lambda.ListFunctions")} == {"ALL"}


def test_a_function_that_went_meanwhile_uses_nothing_and_one_that_is_not_told_in_full_is_unknown(
    running: Running,
) -> None:
    functions = a_lambda(running)
    running.refuses("lambda.GetFunction", (404, json.dumps({"__type": "ResourceNotFoundException"})))
    assert found(functions) == {}
    running.answers["lambda.GetFunction"] = lambda _: ok({"Code": {"RepositoryType": "ECR"}})
    with pytest.raises(Unavailable, match="GetFunction"):
        found(functions)


def test_batch_tells_every_image_in_every_kind_of_job_definition(running: Running) -> None:
    def image(name: str) -> dict[str, str]:
        return {"image": f"{OURS}/{name}:v1"}

    ecs = {"taskProperties": [{"containers": [image("ecs-a"), image("ecs-b")]}]}
    pod = {"podProperties": {"containers": [image("pod"), {"name": "none"}], "initContainers": [image("init")]}}
    ranges = [{"container": image("node")}, {"ecsProperties": ecs}, {"eksProperties": pod}]
    definitions: list[dict[str, Any]] = [
        {"jobDefinitionName": "plain", "revision": 1, "containerProperties": image("plain")},
        {"jobDefinitionName": "several", "revision": 2, "ecsProperties": ecs},
        {"jobDefinitionName": "pods", "revision": 3, "eksProperties": pod},
        {"jobDefinitionName": "nodes", "revision": 4, "nodeProperties": {"nodeRangeProperties": ranges}},
        {"jobDefinitionName": "public", "revision": 5, "containerProperties": {"image": "busybox"}},
    ]
    running.says("batch.DescribeJobDefinitions", *({"jobDefinitions": [one]} for one in definitions))
    assert found(BatchJobs(running.client("batch"))) == {
        "plain v1": {"Batch job plain:1"},
        "ecs-a v1": {"Batch job several:2", "Batch job nodes:4"},
        "ecs-b v1": {"Batch job several:2", "Batch job nodes:4"},
        "pod v1": {"Batch job pods:3", "Batch job nodes:4"},
        "init v1": {"Batch job pods:3", "Batch job nodes:4"},
        "node v1": {"Batch job nodes:4"},
    }
    assert {request["status"] for request in running.asked("batch.DescribeJobDefinitions")} == {"ACTIVE"}


def an_app_runner(running: Running) -> AppRunner:
    names = ["shop", "code", "other"]
    services = dict(zip(arns("service", names, "apprunner"), names, strict=True))
    listed = [{"ServiceArn": arn, "ServiceName": name, "Status": "PAUSED"} for arn, name in services.items()]
    running.says("apprunner.ListServices", *({"ServiceSummaryList": [one]} for one in listed), next_is="NextToken")
    sources: dict[str, Any] = {
        "shop": {"ImageRepository": {"ImageIdentifier": f"{OURS}/shop:v1", "ImageRepositoryType": "ECR"}},
        "code": {"CodeRepository": {"RepositoryUrl": "https://example.com"}},
        "other": {"ImageRepository": {"ImageIdentifier": "public.ecr.aws/x/y:v1"}},
    }
    running.answers["apprunner.DescribeService"] = lambda request: ok(
        {"Service": {"SourceConfiguration": sources[services[request["ServiceArn"]]]}}
    )
    return AppRunner(running.client("apprunner"))


def test_app_runner_tells_the_images_of_all_services(running: Running) -> None:
    assert found(an_app_runner(running)) == {"shop v1": {"App Runner service shop"}}


def test_a_service_of_app_runner_that_went_meanwhile_uses_nothing(running: Running) -> None:
    source = an_app_runner(running)
    running.refuses("apprunner.DescribeService", error("ResourceNotFoundException"))
    assert found(source) == {}
    running.answers["apprunner.DescribeService"] = lambda _: ok({"Service": {"SourceConfiguration": {}}})
    with pytest.raises(Unavailable, match="DescribeService"):
        found(source)


def an_eks(running: Running, account: Account) -> Eks:
    def covered(name: str, sha: str) -> dict[str, Any]:
        return {
            "resourceType": "AWS_ECR_CONTAINER_IMAGE",
            "resourceId": f"arn:aws:ecr:{HOME.region}:{HOME.account}:repository/{name}/{sha}",
            "accountId": HOME.account,
            "scanType": "PACKAGE",
        }

    account.create("team/app")
    account.create("sandbox/app")
    rules = [
        {
            "scanFrequency": "CONTINUOUS_SCAN",
            "repositoryFilters": [{"filter": "team/*", "filterType": "WILDCARD"}],
        }
    ]
    account.scanning = {"scanType": "ENHANCED", "rules": rules}
    running.says("eks.ListClusters", {"clusters": []}, {"clusters": ["prod"]})
    running.says(
        "inspector2.ListCoverage",
        {"coveredResources": [covered("team/app", SHA)]},
        {"coveredResources": [covered("team/app", OLD_SHA)]},
    )
    return Eks(running.client("eks"), running.client("inspector2"), account.registry)


def test_eks_is_known_by_what_inspector_sees_in_use(running: Running, account: Account) -> None:
    by = "ECS or EKS, as Amazon Inspector sees it"
    assert list(an_eks(running, account).uses(HOME)) == [
        Unseen(RepositoryName("sandbox/app"), NOT_SCANNED),
        Use(RepositoryName("team/app"), SHA, by),
        Use(RepositoryName("team/app"), OLD_SHA, by),
    ]
    (first, _) = running.asked("inspector2.ListCoverage")
    assert first["filterCriteria"] == {
        "resourceType": [{"comparison": "EQUALS", "value": "AWS_ECR_CONTAINER_IMAGE"}],
        "accountId": [{"comparison": "EQUALS", "value": HOME.account}],
        "ecrImageInUseCount": [{"lowerInclusive": 1}],
    }


def test_without_clusters_nothing_is_in_use_and_inspector_is_not_asked(running: Running, account: Account) -> None:
    eks = an_eks(running, account)
    account.scanning = {"scanType": "BASIC", "rules": []}
    running.says("eks.ListClusters", {"clusters": []}, {"clusters": []})
    assert list(eks.uses(HOME)) == []
    assert running.operations() == ["eks.ListClusters"] * 2


def test_clusters_that_inspector_does_not_look_at_leave_the_inventory_incomplete(
    running: Running, account: Account
) -> None:
    eks = an_eks(running, account)
    account.scanning = {"scanType": "BASIC", "rules": []}
    with pytest.raises(Incomplete, match=r"enable enhanced scanning, or leave `eks` out of inventory\.sources"):
        list(eks.uses(HOME))


def test_what_is_no_image_among_those_in_use_is_unknown(running: Running, account: Account) -> None:
    eks = an_eks(running, account)
    running.says("inspector2.ListCoverage", {"coveredResources": [{"resourceId": "i-0123"}]})
    with pytest.raises(Unavailable, match="not an image's ARN"):
        list(eks.uses(HOME))


def test_clusters_elsewhere_leave_the_inventory_incomplete(running: Running) -> None:
    elsewhere = EksElsewhere(running.client("eks", "us-east-1"))
    running.says("eks.ListClusters", {"clusters": []})
    assert list(elsewhere.uses(HOME)) == []
    running.says("eks.ListClusters", {"clusters": ["prod"]})
    with pytest.raises(Incomplete, match="a function of your own"):
        elsewhere.uses(HOME)


def own_function(running: Running, payload: str, name: str = "what-runs") -> OwnFunction:
    running.answers["lambda.Invoke"] = lambda _: (200, payload)
    return OwnFunction(running.client("lambda"), name)


def test_a_function_of_the_users_own_answers_for_the_rest(running: Running) -> None:
    images = [f"{OURS}/nomad:v1", f"https://{OURS}/nomad@{SHA}", "nginx", ""]
    source = own_function(running, json.dumps({"images": images, "complete": True, "more": "is ignored"}))
    by = "function what-runs says so"
    assert found(source) == {"nomad v1": {by}, f"nomad {SHA}": {by}}
    (request,) = running.asked("lambda.Invoke")
    assert json.loads(request["Payload"]) == {"version": 1, "account": HOME.account, "region": HOME.region}
    assert (request["FunctionName"], request["InvocationType"]) == ("what-runs", "RequestResponse")


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("", "did not answer JSON"),
        ("<html>", "did not answer JSON: <html>"),
        ("[" * 100_000, "did not answer JSON"),
        ("null", "did not answer {"),
        ("[]", "did not answer {"),
        ('"x"', "did not answer {"),
        ('{"complete": true}', "did not answer {"),
        ('{"images": "app:v1", "complete": true}', "did not answer {"),
        ('{"images": {"a": 1}, "complete": true}', "did not answer {"),
        ('{"images": []}', "does not know of everything"),
        ('{"images": [], "complete": false}', "does not know of everything"),
        ('{"images": [], "complete": "true"}', "does not know of everything"),
        ('{"images": [], "complete": 1}', "does not know of everything"),
        ('{"images": [1], "complete": true}', "not texts"),
        ('{"images": [null], "complete": true}', "not texts"),
        (" " * (LARGEST + 1), "more than"),
    ],
)
def test_what_a_function_answers_otherwise_leaves_the_inventory_incomplete(
    running: Running, payload: str, said: str
) -> None:
    with pytest.raises(Incomplete, match=said.replace("{", r"\{")):
        list(own_function(running, payload).uses(HOME))


def test_a_function_that_fails_is_asked_again(running: Running) -> None:
    running.headers["X-Amz-Function-Error"] = "Unhandled"
    source = own_function(running, '{"errorMessage": "out of memory", "images": [], "complete": true}')
    with pytest.raises(Unavailable, match=r"it failed \(Unhandled\): .*out of memory"):
        list(source.uses(HOME))


CUT_SHORT = [
    (an_ecs, "ecs.ListClusters"),
    (an_ecs, "ecs.ListServices"),
    (an_ecs, "ecs.DescribeServices"),
    (an_ecs, "ecs.DescribeServiceRevisions"),
    (an_ecs, "ecs.ListTasks"),
    (an_ecs, "ecs.DescribeTasks"),
    (an_ecs, "ecs.DescribeTaskDefinition"),
    (a_lambda, "lambda.ListFunctions"),
    (a_lambda, "lambda.GetFunction"),
    (an_app_runner, "apprunner.ListServices"),
    (an_app_runner, "apprunner.DescribeService"),
]


@pytest.mark.parametrize(("make", "operation"), CUT_SHORT, ids=[operation for _, operation in CUT_SHORT])
def test_an_answer_that_was_cut_short_is_unknown_and_never_empty(running: Running, make: Any, operation: str) -> None:
    source: Source = make(running)
    assert found(source)
    running.answers[operation] = lambda _: ok({})
    with pytest.raises(Unavailable, match=operation.partition(".")[2]):
        found(source)


@pytest.mark.parametrize("operation", ["eks.ListClusters", "inspector2.ListCoverage"])
def test_an_answer_about_eks_that_was_cut_short_is_unknown(running: Running, account: Account, operation: str) -> None:
    eks = an_eks(running, account)
    running.answers[operation] = lambda _: ok({})
    with pytest.raises(Unavailable, match=operation.partition(".")[2]):
        list(eks.uses(HOME))


def test_batch_cut_short_is_unknown(running: Running) -> None:
    running.answers["batch.DescribeJobDefinitions"] = lambda _: ok({})
    with pytest.raises(Unavailable, match="DescribeJobDefinitions"):
        found(BatchJobs(running.client("batch")))


def test_names_are_shown_as_they_can_be_seen(running: Running) -> None:
    listed = [{"ServiceArn": "arn:x", "ServiceName": "a\u202eb\n" + "x" * 500}]
    running.says("apprunner.ListServices", {"ServiceSummaryList": listed}, next_is="NextToken")
    running.answers["apprunner.DescribeService"] = lambda _: ok(
        {"Service": {"SourceConfiguration": {"ImageRepository": {"ImageIdentifier": f"{OURS}/shop:v1"}}}}
    )
    ((by,),) = found(AppRunner(running.client("apprunner"))).values()
    assert by.isprintable()
    assert len(by) < 150
