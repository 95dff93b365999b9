"""The clients by which everybody is asked; made in the inventory function alone, which others need not pay for."""

from functools import partial
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from warden.events import Home
from warden.inventory.accounts import Accounts
from warden.lending import connect
from warden.policy import InventorySources
from warden.registry import Registry

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

RETRYING = Config(retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=2, read_timeout=20)
WAITING_LONG = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=300)
"""For a Lambda function that somebody else wrote: a second try would start it again while it still works."""


def connected(home: Home, asked: InventorySources, registry: Registry) -> Accounts:
    """Everybody who can be asked what is in use, in this account and in others."""
    sts: STSClient = boto3.client("sts", region_name=home.region, config=RETRYING)
    return Accounts(
        home,
        asked.roles,
        sts=sts,
        connect=partial(connect, RETRYING),
        connect_once=partial(connect, WAITING_LONG),
        registry=registry,
        app_runner_regions=boto3.Session().get_available_regions("apprunner", home.partition),
    )
