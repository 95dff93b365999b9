"""What ECR answers instead of a result: a code of its service model, and its message."""

import json


class EcrError(Exception):
    """An error of the ECR API, by its modelled code."""

    def __init__(self, code: str, message: str, **more: int | str) -> None:
        """`more` are the error's other members, as the service model has them."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.more = more

    def body(self) -> bytes:
        """The error as AWS JSON 1.1 has it."""
        return json.dumps({"__type": self.code, "message": self.message, **self.more}).encode()


def invalid(where: str, constraint: str) -> EcrError:
    """ECR's wording for a parameter that breaks a constraint."""
    return EcrError(
        "InvalidParameterException",
        f"Invalid parameter at '{where}' failed to satisfy constraint: '{constraint}'",
    )
