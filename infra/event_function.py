"""One construct that carries for every function: rule, queue, dead-letter queue, function, role, alarms."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledgements import accept, wildcard_of
from infra.alarms import Alarms
from infra.grants import Resource
from infra.ledger import Ledger
from infra.permissions import Permissions
from infra.specs import Events, FunctionSpec, Permission
from infra.stage import Stage

FUNCTIONS = Path(__file__).parents[1] / "functions"
VISIBILITY_FACTOR = 6
"""https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's timeout."""
WAITING = Duration.days(7)
"""How long a message waits in its queue at most."""
GIVEN_UP = Duration.days(14)
"""Longer: a message keeps its first time when SQS moves it, so that both run from there.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""
DELIVERY_RETRIES = 185
"""Of EventBridge to the queue, over a day: the most that it does."""
METRICS_NAMESPACE = "ECRWarden"


class EventFunction(Construct):
    """A function that is fed by its own queue: events wait there until they are handled, or given up with the reason.

    Its permissions are made here and nowhere else: the role takes none from elsewhere. `queue`, `dead_letters`,
    `function` and `alarms` are what others refer to.
    """

    def __init__(
        self,
        scope: Construct,
        spec: FunctionSpec,
        *,
        stage: Stage,
        code: lambda_.Code,
        ledger: Ledger,
        receivers: Mapping[str, "EventFunction"],
        secrets: Iterable[str] = (),
        topics: Iterable[str] = (),
    ) -> None:
        """`receivers` are functions by name, among them those that this one sends to.

        `secrets` are names of secrets, `topics` ARNs of topics that it publishes to.

        Raises ValueError where the spec has no handler, sends to somebody unknown, or may read no secrets.
        """
        super().__init__(scope, spec.title)
        self.spec = spec
        secrets, topics = tuple(secrets), tuple(topics)
        _check(spec, receivers, secrets)
        self.dead_letters, self.queue = self._make_queues(stage)
        self._log_group = logs.LogGroup(
            self, "Logs", retention=stage.log_retention, removal_policy=RemovalPolicy.DESTROY
        )
        queues = {target: self if target == spec.name else receivers[target] for target in spec.sends_to.values()}
        self._permissions = Permissions(
            self, "Permissions", service="lambda.amazonaws.com", stage=stage, purpose=spec.purpose
        )
        self._grant(ledger, queues, secrets, topics)
        receiving = {variable: queues[target].queue.queue_url for variable, target in spec.sends_to.items()}
        self.function = self._make_function(stage, code, {"WARDEN_LEDGER": ledger.table.table_name, **receiving})
        for number, wanted in enumerate(spec.events):
            self._make_rule("Rule" if number == 0 else f"Rule{number + 1}", wanted)
        self.alarms = Alarms(
            self,
            "Alarms",
            name=spec.name,
            queue=self.queue,
            dead_letters=self.dead_letters,
            function=self.function,
        ).all
        self._acknowledge()

    @property
    def role_arn(self) -> str:
        """The ARN of the function's role."""
        return self._permissions.role.role_arn

    def _make_queues(self, stage: Stage) -> tuple[sqs.Queue, sqs.Queue]:
        """The dead letters first. EventBridge needs no key policy for SQS's own keys."""
        name = f"ecr-warden-{stage.name}-{self.spec.name.replace('_', '-')}"
        # By its ARN as text: each of the two queues names the other, and CloudFormation must make one of them first.
        source = Stack.of(self).format_arn(service="sqs", resource=name)
        dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=f"{name}-dead-letters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=GIVEN_UP,
            redrive_allow_policy=sqs.RedriveAllowPolicy(
                redrive_permission=sqs.RedrivePermission.BY_QUEUE,
                source_queues=[sqs.Queue.from_queue_arn(self, "Source", source)],
            ),
        )
        queue = sqs.Queue(
            self,
            "Queue",
            queue_name=name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(VISIBILITY_FACTOR * self.spec.timeout),
            retention_period=WAITING,
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=self.spec.max_receives),
        )
        return dead_letters, queue

    def _make_function(self, stage: Stage, code: lambda_.Code, environment: Mapping[str, str]) -> lambda_.Function:
        """The function, fed by the queue. `environment` is what it needs beside what every function has."""
        spec = self.spec
        function = lambda_.Function(
            self,
            "Function",
            description=f"ECR Warden: {spec.purpose}",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"{spec.name}.handler",
            code=code,
            role=self._permissions.role,
            timeout=Duration.seconds(spec.timeout),
            memory_size=spec.memory,
            tracing=lambda_.Tracing.ACTIVE,
            recursive_loop=lambda_.RecursiveLoop.ALLOW if spec.long_chains else lambda_.RecursiveLoop.TERMINATE,
            log_group=self._log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            environment={
                "WARDEN_STAGE": stage.name,
                "WARDEN_ROLE_PATH": stage.role_path,
                "WARDEN_QUEUE": self.queue.queue_url,
                "WARDEN_DEAD_LETTERS": self.dead_letters.queue_url,
                "WARDEN_MAX_RECEIVES": str(spec.max_receives),
                "POWERTOOLS_SERVICE_NAME": spec.name,
                "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **environment,
            },
        )
        function.node.add_dependency(self._permissions)
        function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=spec.batch_size,
                report_batch_item_failures=True,
                max_concurrency=spec.max_concurrency,
            )
        )
        return function

    def _make_rule(self, id: str, wanted: Events) -> None:
        """Pinned to this account and region: whoever may put events on the bus from elsewhere starts nothing here."""
        stack = Stack.of(self)
        events.Rule(
            self,
            id,
            description=f"ECR Warden: {self.spec.purpose}",
            event_pattern=events.EventPattern(
                account=[stack.account],
                region=[stack.region],
                source=[wanted.source],
                detail_type=list(wanted.detail_types),
                detail=dict(wanted.detail) or None,
            ),
            targets=[
                targets.SqsQueue(  # pyright: ignore[reportArgumentType] - jsii
                    self.queue,
                    dead_letter_queue=self.dead_letters,
                    max_event_age=Duration.hours(24),
                    retry_attempts=DELIVERY_RETRIES,
                )
            ],
        )

    def _grant(
        self,
        ledger: Ledger,
        queues: Mapping[str, "EventFunction"],
        secrets: tuple[str, ...],
        topics: tuple[str, ...],
    ) -> None:
        """Everything that the function may do, and why."""
        allow = self._permissions.allow
        allow("WriteLogs", "logs", ["CreateLogStream", "PutLogEvents"], [self._log_group.log_group_arn], why="its logs")
        allow("SendTraces", "xray", ["PutTraceSegments", "PutTelemetryRecords"], ["*"], why="its traces")
        own = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility"]
        allow("OwnQueue", "sqs", own, [self.queue.queue_arn], why="its messages; holding one back")
        given_up = "what can't be handled, with the reason"
        allow("GiveUp", "sqs", ["SendMessage"], [self.dead_letters.queue_arn], why=given_up)
        if queues:
            arns = [function.queue.queue_arn for function in queues.values()]
            allow("Send", "sqs", ["SendMessage"], arns, why=f"work for {', '.join(queues)}")
        allow(
            "Ledger",
            "dynamodb",
            self.spec.ledger,
            [ledger.table.table_arn],
            why="doing a deed once, and writing it down",
        )
        for permission in self.spec.ecr:
            on = ["*"] if permission.is_registry_wide else [self._arn(permission, one) for one in permission.resources]
            allow(permission.sid, permission.service, permission.actions, on, why=permission.why)
        if secrets:
            arns = [self._secret_arn(name) for name in secrets]
            allow("ReadSecrets", "secretsmanager", ["GetSecretValue"], arns, why="the addresses of the channels")
        if topics:
            allow("Publish", "sns", ["Publish"], topics, why="the channels that are topics")

    def _arn(self, permission: Permission, resource: Resource) -> str:
        if resource.name.startswith("arn:"):
            return resource.name
        return Stack.of(self).format_arn(
            service=permission.service,
            region=resource.region or None,
            resource=resource.name,
            arn_format=ArnFormat.NO_RESOURCE_NAME,
        )

    def _secret_arn(self, name: str) -> str:
        """Six characters that Secrets Manager makes up follow the name."""
        return Stack.of(self).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{name}-??????",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def _acknowledge(self) -> None:
        accept(
            self._permissions,
            "AwsSolutions-IAM5[Resource::*]",
            "X-Ray, and listings of what there is, know no resource",
        )
        for service, resource in sorted(self._patterns()):
            everything = wildcard_of(Stack.of(self), service, resource.name, region=resource.region)
            every = resource.name.rstrip("/:*")
            accept(self._permissions, everything, f"it is for every {every} of this account and region")
        accept(self.dead_letters, "Serverless-SQSRedrivePolicy", "it is a dead-letter queue itself")
        accept(self.function, "Serverless-LambdaDLQ", "it is never invoked asynchronously: its queue has one")
        accept(
            self.function,
            "Serverless-LambdaEventSourceMappingDestination",
            "destinations are for streams: a queue has its dead-letter queue",
        )

    def _patterns(self) -> set[tuple[str, Resource]]:
        """What its permissions are on that is more than one resource."""
        return {
            (permission.service, resource)
            for permission in self.spec.ecr
            if not permission.is_registry_wide
            for resource in permission.resources
            if resource.is_pattern
        }


def _check(spec: FunctionSpec, receivers: Mapping[str, EventFunction], secrets: tuple[str, ...]) -> None:
    handler = FUNCTIONS / f"{spec.name}.py"
    if not handler.is_file():
        raise ValueError(f"{spec.name}: there is no {handler}")
    if unknown := set(spec.sends_to.values()) - {spec.name} - receivers.keys():
        raise ValueError(f"{spec.name} sends to {', '.join(sorted(unknown))}, which must be made before it")
    if secrets and not spec.reads_secrets:
        raise ValueError(f"{spec.name} reads no secrets")
