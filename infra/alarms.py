"""The alarms of one function: what somebody has to look at, and nothing that mends itself."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

PERIOD = Duration.minutes(5)
LONGEST_WAIT = Duration.hours(1)
MOST_THROTTLES = 10
"""In one period; the queue repeats what was throttled."""


class Alarms(Construct):
    """Dead letters, waiting messages, errors and throttles; `all` are the alarms, in that order."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        queue: sqs.Queue,
        dead_letters: sqs.Queue,
        function: lambda_.Function,
    ) -> None:
        """`name` is the function's, as the description says it."""
        super().__init__(scope, id)
        self._name = name
        given_up = dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum")
        oldest = queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum")
        self.all = (
            self._alarm("DeadLetters", given_up, 1, "messages were given up: each carries its reason"),
            self._alarm("Age", oldest, LONGEST_WAIT.to_seconds(), "messages wait for more than an hour"),
            self._alarm("Errors", function.metric_errors(period=PERIOD), 1, "the function itself failed"),
            self._alarm(
                "Throttles", function.metric_throttles(period=PERIOD), MOST_THROTTLES, "the function is throttled"
            ),
        )

    def _alarm(self, id: str, metric: cloudwatch.Metric, threshold: float, what: str) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            id,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"ECR Warden, {self._name}: {what}",
        )
