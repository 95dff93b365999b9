"""One construct that carries for every function: rule, queue, dead-letter queue, function, role, alarms."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, ArnFormat, Duration, RemovalPolicy, Stack, Token, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.functions import FunctionSpec, Permission

VISIBILITY_FACTOR = 6
"""https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's timeout."""
METRICS_NAMESPACE = "ECRWarden"


class EventFunction(Construct):
    """A function that is fed by its own queue: events wait there until they are handled, or given up with the reason.

    `queue`, `dead_letters` and `function` are what others refer to.
    """

    def __init__(
        self,
        scope: Construct,
        spec: FunctionSpec,
        *,
        code: lambda_.Code,
        stage: str,
        table_name: str,
        environment: Mapping[str, str],
        log_retention: logs.RetentionDays,
    ) -> None:
        """`environment` holds what this function needs beside what every function has."""
        super().__init__(scope, spec.title)
        self.spec = spec
        name = f"ecr-warden-{stage}-{spec.name.replace('_', '-')}"
        # By its ARN as text: each of the two queues names the other, and CloudFormation must make one of them first.
        source = Stack.of(self).format_arn(service="sqs", resource=name)
        self.dead_letters = self._queue(
            "DeadLetters",
            queue_name=f"{name}-dead-letters",
            retention_period=Duration.days(14),
            redrive_allow_policy=sqs.RedriveAllowPolicy(
                redrive_permission=sqs.RedrivePermission.BY_QUEUE,
                source_queues=[sqs.Queue.from_queue_arn(self, "Source", source)],
            ),
        )
        self.queue = self._queue(
            "Queue",
            queue_name=name,
            visibility_timeout=Duration.seconds(VISIBILITY_FACTOR * spec.timeout),
            retention_period=Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=spec.max_receives),
        )
        log_group = logs.LogGroup(self, "Logs", retention=log_retention, removal_policy=RemovalPolicy.DESTROY)
        self.role = iam.Role(
            self,
            "Role",
            path=role_path(stage),
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"ECR Warden: {spec.purpose}",
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"ECR Warden: {spec.purpose}",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"{spec.name}.handler",
            code=code,
            role=self.role.without_policy_updates(),
            timeout=Duration.seconds(spec.timeout),
            memory_size=spec.memory,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            environment={
                "WARDEN_STAGE": stage,
                "WARDEN_ROLE_PATH": role_path(stage),
                "WARDEN_LEDGER": table_name,
                "WARDEN_QUEUE": self.queue.queue_url,
                "WARDEN_DEAD_LETTERS": self.dead_letters.queue_url,
                "WARDEN_MAX_RECEIVES": str(spec.max_receives),
                "POWERTOOLS_SERVICE_NAME": spec.name,
                "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **environment,
            },
        )
        self._grant(log_group)
        self.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=spec.batch_size,
                report_batch_item_failures=True,
                max_concurrency=spec.max_concurrency,
            )
        )
        if spec.detail_type:
            self._rule(spec.detail_type)
        self.alarms = self._alarms()
        self._acknowledge()

    def may_send_to(self, *queues: sqs.Queue) -> None:
        """Let the function send to these queues."""
        self._allow("Send", ["sqs:SendMessage"], [queue.queue_arn for queue in queues])

    def may_read_secrets(self, names: list[str]) -> None:
        """Let the function read these secrets; six characters follow the name in a secret's ARN."""
        stack = Stack.of(self)
        arns = [
            stack.format_arn(
                service="secretsmanager",
                resource="secret",
                resource_name=f"{name}-??????",
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for name in names
        ]
        self._allow("Secrets", ["secretsmanager:GetSecretValue"], arns)

    def may_use_ledger(self, table_arn: str) -> None:
        """Let the function do with the ledger what its spec says."""
        self._allow("Ledger", [f"dynamodb:{action}" for action in self.spec.ledger], [table_arn])

    def _queue(self, id: str, **properties: object) -> sqs.Queue:
        """An encrypted queue that is spoken to over TLS alone; EventBridge needs no key policy for SQS's own keys."""
        return sqs.Queue(self, id, encryption=sqs.QueueEncryption.SQS_MANAGED, enforce_ssl=True, **properties)  # type: ignore[arg-type]

    def _rule(self, detail_type: str) -> None:
        stack = Stack.of(self)
        events.Rule(
            self,
            "Rule",
            description=f"ECR Warden: {self.spec.purpose}",
            event_pattern=events.EventPattern(
                account=[stack.account],
                region=[stack.region],
                source=["aws.ecr"],
                detail_type=[detail_type],
                detail=dict(self.spec.detail) or None,
            ),
            targets=[
                targets.SqsQueue(
                    self.queue,
                    dead_letter_queue=self.dead_letters,
                    max_event_age=Duration.hours(24),
                    retry_attempts=185,
                )
            ],
        )

    def _grant(self, log_group: logs.LogGroup) -> None:
        self._allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.log_group_arn])
        self._allow("Traces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])
        self._allow(
            "OwnQueue",
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
            [self.queue.queue_arn],
        )
        self._allow("DeadLetters", ["sqs:SendMessage"], [self.dead_letters.queue_arn])
        for number, permission in enumerate(self.spec.ecr, start=1):
            actions = [f"ecr:{action}" for action in permission.actions]
            self._allow(f"Registry{number}", actions, [self._registry_resource(permission)])

    def _registry_resource(self, permission: Permission) -> str:
        if permission.registry:
            return "*"  # the action knows no resource
        return Stack.of(self).format_arn(service="ecr", resource="repository", resource_name="*")

    def _allow(self, sid: str, actions: list[str], resources: list[str]) -> None:
        self.role.add_to_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=resources))

    def _acknowledge(self) -> None:
        """Where a rule of cdk-nag does not fit, on the construct that it speaks of, with the reason."""
        stack = Stack.of(self)
        account = "<AWS::AccountId>" if Token.is_unresolved(stack.account) else stack.account
        region = "<AWS::Region>" if Token.is_unresolved(stack.region) else stack.region
        repositories = f"arn:<AWS::Partition>:ecr:{region}:{account}:repository/*"
        _accept(
            self.role, "AwsSolutions-IAM5[Resource::*]", "X-Ray, and what ECR asks of the registry, know no resource"
        )
        if any(not permission.registry for permission in self.spec.ecr):
            _accept(
                self.role, f"AwsSolutions-IAM5[Resource::{repositories}]", "it is for every repository of the account"
            )
        _accept(self.dead_letters, "Serverless-SQSRedrivePolicy", "it is a dead-letter queue")
        _accept(self.function, "Serverless-LambdaDLQ", "it is never invoked asynchronously: its queue has one")
        _accept(
            self.function,
            "Serverless-LambdaEventSourceMappingDestination",
            "destinations are for streams: a queue has its dead-letter queue",
        )

    def _alarms(self) -> list[cloudwatch.Alarm]:
        minutes = Duration.minutes(5)
        oldest = self.queue.metric_approximate_age_of_oldest_message(period=minutes, statistic="Maximum")
        waiting = self.dead_letters.metric_approximate_number_of_messages_visible(period=minutes, statistic="Maximum")
        return [
            self._alarm("DeadLetterAlarm", waiting, 1, "messages were given up: each carries its reason"),
            self._alarm("AgeAlarm", oldest, 3600, "messages wait for more than an hour"),
            self._alarm("ErrorAlarm", self.function.metric_errors(period=minutes), 1, "the function itself failed"),
            self._alarm(
                "ThrottleAlarm", self.function.metric_throttles(period=minutes), 10, "the function is throttled"
            ),
        ]

    def _alarm(self, id: str, metric: cloudwatch.Metric, threshold: float, what: str) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            id,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"ECR Warden, {self.spec.name}: {what}",
        )


def role_path(stage: str) -> str:
    """The IAM path of the stack's roles, by which the warden knows its own writes."""
    return f"/ecr-warden/{stage}/"


def _accept(construct: Construct, rule: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))
