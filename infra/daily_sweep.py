"""The schedule of the sweep."""

from aws_cdk import Stack
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.event_function import EventFunction
from infra.permissions import Permissions
from infra.stage import Stage

EVENT = {"source": "warden", "detail-type": "Sweep", "time": "<aws.scheduler.scheduled-time>"}


class DailySweep(Construct):
    """Once a day, and, having no start date, once at its creation: that is the first look at the registry.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based
    """

    def __init__(self, scope: Construct, id: str, *, sweep: EventFunction, stage: Stage) -> None:
        """`sweep` is the function whose queue the message goes to."""
        super().__init__(scope, id)
        stack = Stack.of(self)
        permissions = Permissions(
            self,
            "Permissions",
            service="scheduler.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            stage=stage,
            purpose="starts the daily sweep",
        )
        queues = [sweep.queue.queue_arn, sweep.dead_letters.queue_arn]
        permissions.allow("Send", "sqs", ["SendMessage"], queues, why="starting the sweep, or saying that it could not")
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description="ECR Warden: the daily sweep",
            schedule_expression="rate(24 hours)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=sweep.queue.queue_arn,
                role_arn=permissions.role.role_arn,
                input=stack.to_json_string(EVENT),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=sweep.dead_letters.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
            ),
        )
        # The first sweep must find its function ready and allowed to act.
        schedule.node.add_dependency(permissions, sweep)
