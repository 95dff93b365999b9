"""What ECR answers instead of a result: a code of its service model, and its message."""


class EcrError(Exception):
    """An error of the ECR API, by its modelled code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(where: str, constraint: str) -> EcrError:
    """ECR's wording for a parameter that breaks a constraint."""
    return EcrError(
        "InvalidParameterException",
        f"Invalid parameter at '{where}' failed to satisfy constraint: '{constraint}'",
    )
