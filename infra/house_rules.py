"""Our own rules for the template, which no pack of cdk-nag has: what a reviewer would look for, at each synth."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import jsii
from aws_cdk import (
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
)

from infra.specs import LEAST_RECEIVES

Properties = Mapping[str, Any]

NO_RESOURCE = frozenset(
    {
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "ecr:GetAuthorizationToken",
        "ecr:GetRegistryScanningConfiguration",
        "inspector2:ListFindings",
        "inspector2:ListCoverage",
        "ecs:ListClusters",
        "ecs:ListServices",
        "ecs:ListTasks",
        "ecs:DescribeTaskDefinition",
        "lambda:ListFunctions",
        "eks:ListClusters",
        "batch:DescribeJobDefinitions",
        "apprunner:ListServices",
    },
)
"""Actions that know no resource, so that `*` is all that can be said."""
NEVER = frozenset({"ecr:PutRegistryPolicy", "ecr:PutReplicationConfiguration"})
"""What no function does: open the registry to others."""
ONLY = {
    "ecr:BatchDeleteImage": ("ImagePushed", "Prune", "Quarantine"),
    "ecr:PutImage": ("ImagePushed", "Promote", "Prune", "Quarantine"),
    "ecr:CreateRepository": ("Promote",),
    "ecr:CompleteLayerUpload": ("Promote",),
    "ecr:DeleteRepository": ("Sweep",),
    "ecr:TagResource": ("Promote", "Quarantine"),
    "ecr:UntagResource": ("Quarantine",),
    "ecr:PutLifecyclePolicy": ("Prune",),
    "ecr:DeleteLifecyclePolicy": ("Prune",),
    "ecr:UpdateImageStorageClass": ("Prune",),
    "ecr:SetRepositoryPolicy": ("Quarantine", "RepositoryChanged", "Sweep"),
    "ecr:DeleteRepositoryPolicy": ("Quarantine", "RepositoryChanged", "Sweep"),
    "sts:AssumeRole": ("Inventory", "Promote"),
    "lambda:InvokeFunction": ("Inventory",),
}
"""What could do harm, and the functions that need it, where the policy asks for it."""
NEVER_SERVICES = ("iam:", "sts:", "kms:")
VISIBILITY_FACTOR = 6


class Finding(NamedTuple):
    """One resource that breaks a rule, and how."""

    resource: str
    text: str


class Template:
    """A CloudFormation template, asked by kinds of resources and by references."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        """`content` is the template as CDK writes it."""
        self._resources: Mapping[str, Any] = content["Resources"]

    def of(self, kind: str) -> Iterator[tuple[str, Properties]]:
        """Logical id and properties of the resources of one type."""
        for name, resource in self._resources.items():
            if resource["Type"] == kind:
                yield name, resource.get("Properties", {})

    def referred(self, reference: object) -> Properties:
        """The properties of what a `Ref` or `Fn::GetAtt` points at; empty where that is not in the template."""
        return self._resources.get(name_in(reference), {}).get("Properties", {})

    def deletion_policy(self, name: str) -> str | None:
        """What becomes of the resource with the stack."""
        return self._resources[name].get("DeletionPolicy")

    def statements(self) -> Iterator[tuple[str, Properties]]:
        """Every statement of every role's policy."""
        for name, properties in self.of("AWS::IAM::Policy"):
            yield from ((name, statement) for statement in properties["PolicyDocument"]["Statement"])


def name_in(reference: object) -> str:
    """The logical id that a `Ref` or `Fn::GetAtt` names; empty for anything else."""
    match reference:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name
    return ""


def listed(value: object) -> list[Any]:
    """CloudFormation writes a list of one as the one."""
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def queues_are_encrypted_and_tls_only(template: Template) -> Iterator[Finding]:
    """Each queue is encrypted, and refuses what does not come by TLS."""
    tls_only = {
        name_in(queue)
        for _, policy in template.of("AWS::SQS::QueuePolicy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for queue in policy["Queues"]
    }
    for name, queue in template.of("AWS::SQS::Queue"):
        if not (queue.get("SqsManagedSseEnabled") or queue.get("KmsMasterKeyId")):
            yield Finding(name, "it is not encrypted")
        if name not in tls_only:
            yield Finding(name, "it takes messages without TLS")


def queues_lose_nothing(template: Template) -> Iterator[Finding]:
    """Each queue has dead letters, which are kept longer than it keeps messages, and which take only from it."""
    for name, queue in template.of("AWS::SQS::Queue"):
        redrive = queue.get("RedrivePolicy")
        if redrive is None:
            if queue.get("RedriveAllowPolicy", {}).get("redrivePermission") != "byQueue":
                yield Finding(name, "it has no dead-letter queue, and is none that says for whom")
            continue
        if redrive["maxReceiveCount"] < LEAST_RECEIVES:
            yield Finding(name, f"it tries fewer than {LEAST_RECEIVES} times")
        kept = template.referred(redrive["deadLetterTargetArn"]).get("MessageRetentionPeriod", 0)
        if kept <= queue.get("MessageRetentionPeriod", 0):
            yield Finding(name, "its dead letters are not kept longer than its messages")


def functions_are_fed_with_care(template: Template) -> Iterator[Finding]:
    """Partial batch responses, bounded concurrency, and six timeouts of visibility."""
    for name, mapping in template.of("AWS::Lambda::EventSourceMapping"):
        if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []):
            yield Finding(name, "one bad message brings back the whole batch")
        if not mapping.get("ScalingConfig", {}).get("MaximumConcurrency"):
            yield Finding(name, "its concurrency has no bound")
        visibility = template.referred(mapping["EventSourceArn"]).get("VisibilityTimeout", 30)
        timeout = template.referred(mapping["FunctionName"]).get("Timeout", 3)
        if visibility < VISIBILITY_FACTOR * timeout:
            yield Finding(name, f"messages come back after {visibility} s, less than six timeouts of {timeout} s")


def functions_can_be_watched(template: Template) -> Iterator[Finding]:
    """JSON logs in a group of its own, that ends and goes with the stack; traces."""
    groups: list[str] = []
    for name, function in template.of("AWS::Lambda::Function"):
        logging = function.get("LoggingConfig", {})
        groups.append(name_in(logging.get("LogGroup")))
        if logging.get("LogFormat") != "JSON" or not groups[-1] or groups.count(groups[-1]) > 1:
            yield Finding(name, "it does not log as JSON to a group of its own")
        if function.get("TracingConfig", {}).get("Mode") != "Active":
            yield Finding(name, "it is not traced")
    for name, group in template.of("AWS::Logs::LogGroup"):
        if "RetentionInDays" not in group or template.deletion_policy(name) != "Delete":
            yield Finding(name, "its logs stay for ever")


def rules_are_pinned(template: Template) -> Iterator[Finding]:
    """Patterns name account, source and detail-type; targets retry, and have dead letters."""
    for name, rule in template.of("AWS::Events::Rule"):
        pattern = rule.get("EventPattern", {})
        if missing := [field for field in ("account", "source", "detail-type") if not pattern.get(field)]:
            yield Finding(name, f"its pattern does not pin {', '.join(missing)}")
        for target in rule.get("Targets", []):
            if missing := {"DeadLetterConfig", "RetryPolicy"} - target.keys():
                yield Finding(name, f"its target has no {' and no '.join(sorted(missing))}")


def permissions_are_exact(template: Template) -> Iterator[Finding]:
    """Exact actions on named resources; `*` only where an action knows no resource; nothing that we never do."""
    for name, statement in template.statements():
        actions = listed(statement.get("Action", "*"))
        if broad := [action for action in actions if "*" in action]:
            yield Finding(name, f"it allows {', '.join(broad)}")
        if never := [action for action in actions if _is_never(action)]:
            yield Finding(name, f"it allows {', '.join(never)}, which no function may")
        if others := [action for action in actions if action in ONLY and not name.startswith(ONLY[action])]:
            yield Finding(name, f"it allows {', '.join(others)}, which is another function's")
        if "*" in listed(statement.get("Resource", "*")) and not NO_RESOURCE.issuperset(actions):
            yield Finding(name, f"it allows {', '.join(actions)} on every resource")
    for name, role in template.of("AWS::IAM::Role"):
        if role.get("ManagedPolicyArns") or role.get("Policies"):
            yield Finding(name, "its permissions are not in the one policy of its own")
        if not role.get("Path", "/").startswith("/ecr-warden/"):
            yield Finding(name, "it is not under our path, by which we know our own writes")


def _is_never(action: str) -> bool:
    return action in NEVER or (action.startswith(NEVER_SERVICES) and action not in ONLY)


def nothing_is_public(template: Template) -> Iterator[Finding]:
    """Only AWS services send to queues, and only on behalf of this account; functions have no address."""
    for name, policy in template.of("AWS::SQS::QueuePolicy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny":
                continue
            bound = json.dumps(statement.get("Condition", {}))
            if "Service" not in statement["Principal"] or not (
                "aws:SourceArn" in bound or "aws:SourceAccount" in bound
            ):
                yield Finding(name, "others than this account's own rules may use the queue")
    for kind in ("AWS::Lambda::Url", "AWS::Lambda::Permission"):
        yield from (Finding(name, "a function is fed by its queue and by nobody else") for name, _ in template.of(kind))


def environments_hold_no_secrets(template: Template) -> Iterator[Finding]:
    """Secrets are read when they are needed, and are in no template."""
    for name, function in template.of("AWS::Lambda::Function"):
        for variable, value in function.get("Environment", {}).get("Variables", {}).items():
            if "{{resolve:" in json.dumps(value) or "://" in json.dumps(value):
                yield Finding(name, f"{variable} holds what should be read from Secrets Manager")


RULES: tuple[Callable[[Template], Iterator[Finding]], ...] = (
    queues_are_encrypted_and_tls_only,
    queues_lose_nothing,
    functions_are_fed_with_care,
    functions_can_be_watched,
    rules_are_pinned,
    permissions_are_exact,
    nothing_is_public,
    environments_hold_no_secrets,
)


def check(content: Mapping[str, Any]) -> Iterator[tuple[str, str, Finding]]:
    """Every finding in a template: the rule's name, what the rule asks, and what breaks it."""
    template = Template(content)
    for rule in RULES:
        for finding in rule(template):
            yield rule.__name__, (rule.__doc__ or "").strip(), finding


@jsii.implements(IPolicyValidationPlugin)
class HouseRules:
    """Puts our rules beside those of cdk-nag: synth fails where one is broken, and the report names the construct."""

    @property
    def name(self) -> str:
        """How the report calls it."""
        return "HouseRules"

    @property
    def version(self) -> str:
        """Of the rules; they have no versions of their own."""
        return "1"

    @property
    def rule_ids(self) -> list[str]:
        """The names of all rules."""
        return [rule.__name__ for rule in RULES]

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """Check every template of the application."""
        violations = [
            PolicyViolation(
                rule_name=rule,
                description=f"{asked} Here: {finding.text}.",
                severity="error",
                violating_resources=[
                    PolicyViolatingResource(resource_logical_id=finding.resource, template_path=path, locations=[])
                ],
            )
            for path in context.template_paths
            for rule, asked, finding in check(json.loads(Path(path).read_text("utf-8")))
        ]
        return PolicyValidationPluginReport(success=not violations, violations=violations)
