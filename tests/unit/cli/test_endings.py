"""How a command ends when something is wrong, and what a terminal is shown."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError, ReadTimeoutError
from click.testing import CliRunner, Result

from cli.aws import asking
from cli.main import TRACEBACK, Commands
from warden.errors import Refused, Unavailable

PROJECT = Path(__file__).parents[3]


def _ending(command: Callable[[], None], **environment: str) -> Result:
    """What becomes of a command that does this."""

    class One(Commands):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
            return click.Command(cmd_name, callback=command)

    return CliRunner().invoke(One("warden", modules={}), ["anything"], env=environment)


def _raise(error: BaseException) -> Callable[[], None]:
    def callback() -> None:
        raise error

    return callback


def test_a_refusal_is_told_in_its_own_words() -> None:
    result = _ending(_raise(Refused("it would break a promise: \x1b[31m")))

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: it would break a promise: \ufffd[31m\n"


def test_a_mistake_of_ours_is_told_without_a_traceback() -> None:
    result = _ending(_raise(KeyError("imageDetails")))

    assert result.exit_code == 1
    assert "this should not happen: KeyError: 'imageDetails'" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_mistake_of_ours_is_shown_whole_where_that_is_asked_for() -> None:
    assert isinstance(_ending(_raise(KeyError("x")), **{TRACEBACK: "1"}).exception, KeyError)


def test_an_interrupted_command_ends_with_1() -> None:
    result = _ending(_raise(KeyboardInterrupt()))

    assert (result.exit_code, result.stderr.strip()) == (1, "stopped")


def _refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "said by AWS"}}, "Query")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoCredentialsError(), "there are no AWS credentials; sign in"),
        (NoRegionError(), "no region is chosen; set AWS_REGION"),
        (_refused("ExpiredTokenException"), "the credentials have expired; sign in"),
        (_refused("UnrecognizedClientException"), "AWS does not know these credentials; sign in"),
        (_refused("AccessDeniedException"), "these credentials have no right to: said by AWS"),
        (_refused("ThrottlingException"), "ThrottlingException: said by AWS"),
        (ReadTimeoutError(endpoint_url="https://ecr"), "Read timeout"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_aws_refuses_is_told_with_what_to_do(error: Exception, said: str) -> None:
    with pytest.raises(Unavailable, match="can't read the ledger: ") as trouble, asking("read the ledger"):
        raise error

    assert said in str(trouble.value)


def test_a_terminal_gets_colours_of_ours_and_no_markup_of_others() -> None:
    program = "from cli.printing import print_table; print_table(('', 'WHAT'), [('fail', '[red]x[/red] \\x1b[32my')])"
    ours, theirs = os.openpty()
    subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        stdout=theirs,
        check=True,
        env={"PYTHONPATH": f"{PROJECT}:{PROJECT / 'functions'}", "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)

    assert "\x1b[1;31mfail" in shown
    assert "[red]x[/red] \ufffd[32my" in shown
