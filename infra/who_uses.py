"""What the inventory has to ask, to know what is in use: for each source that the policy names."""

from infra.grants import asks_who_uses, own_functions, protects_used, roles_of_others, wherever_asked
from infra.specs import Permission

WHO_USES = (
    Permission(
        "ListEcs",
        ("ListClusters", "ListServices", "ListTasks", "DescribeTaskDefinition"),
        "the clusters, services and tasks of ECS, and their images",
        wanted=asks_who_uses("ecs"),
        service="ecs",
    ),
    Permission(
        "ReadEcs",
        ("DescribeServices", "DescribeServiceRevisions", "DescribeTasks"),
        "the images that services and tasks of ECS run, by digest",
        wanted=asks_who_uses("ecs"),
        service="ecs",
        of=wherever_asked("service/*", "service-revision/*", "task/*"),
    ),
    Permission(
        "ListLambda",
        ("ListFunctions",),
        "the Lambda functions that are images",
        wanted=asks_who_uses("lambda"),
        service="lambda",
    ),
    Permission(
        "ReadLambda",
        ("GetFunction",),
        "the images of these, by digest",
        wanted=asks_who_uses("lambda"),
        service="lambda",
        of=wherever_asked("function:*"),
    ),
    Permission(
        "ListEks",
        ("ListClusters",),
        "whether there are EKS clusters",
        wanted=asks_who_uses("eks"),
        service="eks",
    ),
    Permission(
        "ReadCoverage",
        ("ListCoverage",),
        "the images that Amazon Inspector sees in use on EKS",
        wanted=asks_who_uses("eks"),
        service="inspector2",
    ),
    Permission(
        "RegistryScanning",
        ("GetRegistryScanningConfiguration",),
        "whether Amazon Inspector scans the registry, and what of it",
        wanted=asks_who_uses("eks"),
    ),
    Permission(
        "ListBatch",
        ("DescribeJobDefinitions",),
        "the images of Batch's job definitions",
        wanted=asks_who_uses("batch"),
        service="batch",
    ),
    Permission(
        "ListAppRunner",
        ("ListServices",),
        "the services of App Runner",
        wanted=asks_who_uses("app_runner"),
        service="apprunner",
    ),
    Permission(
        "ReadAppRunner",
        ("DescribeService",),
        "the images of these",
        wanted=asks_who_uses("app_runner"),
        service="apprunner",
        of=wherever_asked("service/*"),
    ),
    Permission(
        "AskAccounts",
        ("AssumeRole",),
        "what other accounts use, by the roles that the policy names",
        wanted=protects_used,
        service="sts",
        of=roles_of_others,
    ),
    Permission(
        "AskFunctions",
        ("InvokeFunction",),
        "what else is in use, by the functions that the policy names",
        wanted=protects_used,
        service="lambda",
        of=own_functions,
    ),
)
