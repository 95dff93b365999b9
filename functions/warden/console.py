"""Where a notice leads: pages of the AWS console, and the words at its foot."""

from urllib.parse import quote

from warden.events import Home
from warden.names import ImageId, RepositoryName


def page(home: Home, path: str) -> str:
    """A page of ECR's console."""
    hosts = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
    host = hosts.get(home.partition, "console.aws.amazon.com")
    return f"https://{home.region}.{host}/ecr/{path}"


def repository_page(home: Home, repository: RepositoryName) -> str:
    """The page of one repository."""
    return page(home, f"repositories/private/{home.account}/{quote(repository)}?region={home.region}")


def image_page(home: Home, image: ImageId) -> str:
    """The page of one image."""
    path = f"repositories/private/{home.account}/{quote(image.repository)}/_/image/{image.digest}/details"
    return page(home, f"{path}?region={home.region}")


def footer(home: Home, subject: str | None) -> str:
    """Which account and region, and how to ask for more."""
    return f"account {home.account} · {home.region}" + (f" · warden why {subject}" if subject else "")
