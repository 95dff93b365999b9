"""The one stack."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.bundling import lambda_code
from infra.event_function import EventFunction, role_path
from infra.functions import FUNCTIONS
from infra.ledger import Ledger

PROD = "prod"


class WardenStack(Stack):
    """Everything of one stage: ledger, functions, schedule."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: str,
        compiled: Mapping[str, Any],
        alarm_topic_arn: str | None = None,
        **properties: Any,
    ) -> None:
        """`compiled` is the compiled policy; alarms go to the topic, where there is one."""
        super().__init__(scope, id, termination_protection=stage == PROD, **properties)
        Tags.of(self).add("application", "ecr-warden")
        Tags.of(self).add("stage", stage)
        ledger = Ledger(self, "Ledger", keep=stage == PROD)
        code = lambda_code(compiled)
        secrets = sorted({channel["secret"] for channel in compiled["channels"].values()})
        made: dict[str, EventFunction] = {}
        for spec in FUNCTIONS:
            receivers = {name: made[target] for name, target in spec.sends_to.items() if target != spec.name}
            function = made[spec.name] = EventFunction(
                self,
                spec,
                code=code,
                stage=stage,
                table_name=ledger.table.table_name,
                environment={name: receiver.queue.queue_url for name, receiver in receivers.items()},
                log_retention=logs.RetentionDays.ONE_YEAR if stage == PROD else logs.RetentionDays.ONE_MONTH,
            )
            function.may_use_ledger(ledger.table.table_arn)
            if spec.sends_to:
                function.may_send_to(*(made[target].queue for target in spec.sends_to.values()))
            if spec.reads_secrets:
                function.may_read_secrets(secrets)
        self._schedule(made["sweep"], stage)
        if alarm_topic_arn:
            topic = sns.Topic.from_topic_arn(self, "AlarmTopic", alarm_topic_arn)
            for alarm in (alarm for function in made.values() for alarm in function.alarms):
                alarm.add_alarm_action(cloudwatch_actions.SnsAction(topic))
        CfnOutput(self, "LedgerTable", value=ledger.table.table_name)
        for function in made.values():
            CfnOutput(self, f"{function.spec.title}Function", value=function.function.function_name)
            CfnOutput(self, f"{function.spec.title}Queue", value=function.queue.queue_url)
            CfnOutput(self, f"{function.spec.title}DeadLetters", value=function.dead_letters.queue_url)

    def _schedule(self, sweep: EventFunction, stage: str) -> None:
        """Once a day, and, having no start date, once at its creation: that is the first look at the registry.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based
        """
        role = iam.Role(
            self,
            "ScheduleRole",
            path=role_path(stage),
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
            description="ECR Warden: the schedule of the daily sweep",
        )
        queues = [sweep.queue.queue_arn, sweep.dead_letters.queue_arn]
        role.add_to_policy(iam.PolicyStatement(sid="Send", actions=["sqs:SendMessage"], resources=queues))
        schedule = scheduler.CfnSchedule(
            self,
            "DailySweep",
            description="ECR Warden: the daily sweep",
            schedule_expression="rate(24 hours)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=sweep.queue.queue_arn,
                role_arn=role.role_arn,
                input=self.to_json_string(
                    {"source": "warden", "detail-type": "Sweep", "time": "<aws.scheduler.scheduled-time>"}
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=sweep.dead_letters.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
            ),
        )
        # The first sweep must find its function ready and allowed to act.
        schedule.node.add_dependency(role, sweep)
