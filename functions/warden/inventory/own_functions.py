"""Lambda functions of the user's own, which answer for anything that nobody else is asked about.

Such a function is invoked with `{"version": 1, "account": "…", "region": "…"}` and answers with every image in use,
`{"images": ["111122223333.dkr.ecr.eu-central-1.amazonaws.com/app:v1", …], "complete": true}`.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from warden.errors import Unavailable
from warden.events import Home
from warden.inventory.asking import Incomplete, named
from warden.text import clean
from warden.usage import Use, read_reference

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

VERSION = 1
"""Of what is asked and answered."""
LARGEST = 6 * 1024 * 1024
"""Bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
LONGEST_WORD = 200


class OwnFunction:
    """One such function."""

    def __init__(self, client: "LambdaClient", name: str) -> None:
        """`client` is a Lambda client that tries once: a function that takes long must not be started twice."""
        self._client = client
        self._name = name

    def uses(self, home: Home) -> Iterator[Use]:
        """The images that it names. Raises Incomplete where it does not answer as agreed, or not for everything."""
        by = named("function", self._name)
        for image in _images(self._answer(home)):
            if use := read_reference(image, home, f"{by} says so"):
                yield use

    def _answer(self, home: Home) -> bytes:
        """Raises Unavailable where the function failed: the next time it may not."""
        asked = {"version": VERSION, "account": home.account, "region": home.region}
        answer = self._client.invoke(
            FunctionName=self._name, InvocationType="RequestResponse", Payload=json.dumps(asked).encode()
        )
        payload = answer["Payload"].read(LARGEST + 1)
        if failed := answer.get("FunctionError"):
            raise Unavailable(f"it failed ({failed}): {_shown(payload)}")
        if len(payload) > LARGEST:
            raise Incomplete(f"it answered more than {LARGEST} bytes")
        return payload


def _images(payload: bytes) -> list[str]:
    """The images in an answer, which may be anything. Raises Incomplete."""
    try:
        answer: Any = json.loads(payload)
    except (ValueError, RecursionError):
        raise Incomplete(f"it did not answer JSON: {_shown(payload)}") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("images"), list):
        raise Incomplete(f'it did not answer {{"images": [...], "complete": true}}: {_shown(payload)}')
    if answer.get("complete") is not True:
        raise Incomplete("it says that it does not know of everything: its answer has no `complete: true`")
    images: list[Any] = answer["images"]
    if not all(isinstance(image, str) for image in images):
        raise Incomplete("it answered with images that are not texts")
    return images


def _shown(payload: bytes) -> str:
    return clean(payload[: 4 * LONGEST_WORD].decode(errors="replace"), LONGEST_WORD)
