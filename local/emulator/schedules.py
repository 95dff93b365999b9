"""EventBridge Scheduler as AWS has it, where ministack differs.

A rate without a start date fires when it is made: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
Context attributes in the input: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.services import eventbridge, scheduler

TICK = 1
"""Seconds between looks at the schedules."""


def fire_as_aws_does() -> None:
    """Change the scheduler; before it is started."""
    scheduler._SCHEDULE_TICK_INTERVAL = TICK
    tick, invoke = scheduler._tick_schedules, eventbridge._invoke_target

    def tick_from_creation() -> None:
        for key, schedule in list(scheduler._schedules._data.items()):
            if schedule["ScheduleExpression"].startswith("rate(") and schedule.get("StartDate") is None:
                scheduler._schedule_last_fired.setdefault(key, 0.0)
        tick()

    def invoke_filled_in(target: Mapping[str, Any], event: Mapping[str, Any], *more: Any) -> None:
        invoke(_filled_in(target, event) if event.get("Source") == "aws.scheduler" else target, event, *more)

    scheduler._tick_schedules = tick_from_creation
    eventbridge._invoke_target = invoke_filled_in


def _filled_in(target: Mapping[str, Any], event: Mapping[str, Any]) -> Mapping[str, Any]:
    attributes = {
        "schedule-arn": event["Resources"][0],
        "scheduled-time": f"{datetime.fromtimestamp(event['Time'], UTC):%Y-%m-%dT%H:%M:%SZ}",
        "execution-id": str(uuid.uuid4()),
        "attempt-number": "1",
    }
    text = target.get("Input", "")
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return {**target, "Input": text} if text else target
