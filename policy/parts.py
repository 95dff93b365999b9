"""What every part of a policy is made of: keys that it knows, fields that need not be written, and words to choose."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from policy.values import read_word
from warden import policy
from warden.names import Severity as Severities

NOT_WRITTEN: Any = None


class Presets(StrEnum):
    """The defaults that can be had by one word."""

    BASELINE = "baseline"
    STRICT = "strict"


Preset = Annotated[Presets, BeforeValidator(lambda value: read_word(value, Presets))]
Mode = Annotated[policy.Mode, BeforeValidator(lambda value: read_word(value, policy.Mode))]
Immutability = Annotated[policy.Immutability, BeforeValidator(lambda value: read_word(value, policy.Immutability))]
Action = Annotated[policy.LifecycleAction, BeforeValidator(lambda value: read_word(value, policy.LifecycleAction))]
Moves = Annotated[policy.Moves, BeforeValidator(lambda value: read_word(value, policy.Moves))]
EncryptionType = Annotated[policy.Encryption, BeforeValidator(lambda value: read_word(value, policy.Encryption))]
ChannelType = Annotated[policy.ChannelType, BeforeValidator(lambda value: read_word(value, policy.ChannelType))]
Severity = Annotated[Severities, BeforeValidator(lambda value: read_word(value, Severities))]
PerWord = Annotated[policy.Per, BeforeValidator(lambda value: read_word(value, policy.Per))]
QuarantineWord = Annotated[policy.QuarantineBy, BeforeValidator(lambda value: read_word(value, policy.QuarantineBy))]
SourceWord = Annotated[policy.Source, BeforeValidator(lambda value: read_word(value, policy.Source))]


class Part(BaseModel):
    """A mapping of the file: it knows its keys and takes no other."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=True)
