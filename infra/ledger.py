"""The ledger's table."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.stage import Stage


class Ledger(Construct):
    """DynamoDB on demand, with point-in-time recovery and TTL; kept in prod when the stack goes."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        """`table` is what others refer to."""
        super().__init__(scope, id)
        text = dynamodb.AttributeType.STRING
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.dynamo_owned_key(),  # always encrypted; a key of ours costs each call
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=stage.is_kept,
            removal_policy=stage.ledger_removal,
        )
