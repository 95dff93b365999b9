"""The one stack."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.bundling import lambda_code
from infra.creation_templates import CreationTemplates
from infra.daily_sweep import DailySweep
from infra.event_function import EventFunction
from infra.functions import FUNCTIONS
from infra.ledger import Ledger
from infra.pull_time_exclusions import PullTimeExclusions
from infra.stage import Stage


class WardenStack(Stack):
    """Everything of one stage: ledger, functions, schedule."""

    def __init__(
        self,
        scope: Construct,
        *,
        stage: Stage,
        compiled: Mapping[str, Any],
        alarm_topic_arn: str | None = None,
        **properties: Any,
    ) -> None:
        """`compiled` is the compiled policy; alarms go to the topic, where there is one. Raises BundlingError."""
        super().__init__(scope, stage.stack_name, termination_protection=stage.is_kept, **properties)
        Tags.of(self).add("application", "ecr-warden")
        Tags.of(self).add("stage", stage.name)
        ledger = Ledger(self, "Ledger", stage=stage)
        code = lambda_code(self, compiled)
        channels = compiled["channels"].values()
        secrets = sorted({channel["secret"] for channel in channels if channel["secret"]})
        topics = sorted({channel["topic"] for channel in channels if channel["topic"]})
        made: dict[str, EventFunction] = {}
        for spec in (spec.under(compiled) for spec in FUNCTIONS):
            made[spec.name] = EventFunction(
                self,
                spec,
                stage=stage,
                code=code,
                ledger=ledger,
                receivers=made,
                secrets=secrets if spec.reads_secrets else (),
                topics=topics if spec.reads_secrets else (),
            )
        CreationTemplates(self, "CreationTemplates", compiled=compiled)
        PullTimeExclusions(self, "PullTimeExclusions", functions=made.values())
        DailySweep(self, "DailySweep", sweep=made["sweep"], stage=stage)
        if alarm_topic_arn:
            topic = sns.Topic.from_topic_arn(self, "AlarmTopic", alarm_topic_arn)
            for alarm in (alarm for function in made.values() for alarm in function.alarms):
                alarm.add_alarm_action(
                    cloudwatch_actions.SnsAction(topic)  # pyright: ignore[reportArgumentType] - jsii
                )
        CfnOutput(self, "LedgerTable", value=ledger.table.table_name)
        for function in made.values():
            CfnOutput(self, f"{function.spec.title}Function", value=function.function.function_name)
            CfnOutput(self, f"{function.spec.title}Queue", value=function.queue.queue_url)
            CfnOutput(self, f"{function.spec.title}DeadLetters", value=function.dead_letters.queue_url)
