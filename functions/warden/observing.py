"""Observing a repository: only what its standard asks for is read, since ECR answers for one repository at a time."""

from dataclasses import asdict, dataclass

from warden.names import RepositoryName
from warden.observations import RegistryScanning, RepositoryObservation, RepositorySettings
from warden.policy import Mode, Policy, Standard
from warden.registry import Registry
from warden.standards import standard_of


@dataclass(frozen=True, slots=True)
class Observed:
    """A repository as it is, and the standard that its name and its tags give it."""

    observation: RepositoryObservation
    standard: Standard


def observe(
    registry: Registry,
    policy: Policy,
    name: RepositoryName,
    *,
    settings: RepositorySettings | None = None,
    scanning: RegistryScanning | None = None,
    lifecycle: bool = True,
) -> Observed | None:
    """Read the repository; None where it is gone.

    Without `lifecycle` the lifecycle policy is not read: the sweep leaves that to prune. `settings` and `scanning` are
    what a listing of the registry has said already, and are read where not given.
    """
    settings = settings or registry.settings(name)
    tags = None if settings is None else registry.repository_tags(name, settings.account)
    if settings is None or tags is None:
        return None
    standard = standard_of(policy, name, tags)
    wants_lifecycle = lifecycle and standard.lifecycle.mode is not Mode.OFF and bool(standard.lifecycle.rules)
    observation = RepositoryObservation(
        **asdict(settings),
        tags=tags,
        lifecycle_policy=registry.lifecycle_policy(name) if wants_lifecycle else None,
        access_policy=registry.access_policy(name) if standard.access.asks else None,
        scanning=scanning or registry.scanning(),
    )
    return Observed(observation, standard)
