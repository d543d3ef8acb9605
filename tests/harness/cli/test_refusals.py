"""What the user can mend is refused in a line; everything else is left to the front."""

import pytest

from robotape_harness.campaign.store import FindingNotFound
from robotape_harness.cli.exits import Exit, Refused
from robotape_harness.cli.refusals import refusing
from robotape_harness.target import MissingModuleError

MENDABLE = [MissingModuleError("x:y", "x"), FindingNotFound("ab", "findings", ())]


@pytest.mark.parametrize("error", MENDABLE, ids=lambda error: type(error).__name__)
def test_what_the_user_can_mend_is_a_usage_error(error: Exception) -> None:
    with pytest.raises(Refused) as caught, refusing():
        raise error
    assert caught.value.format_message() == str(error)
    assert caught.value.exit_code == Exit.USAGE
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt])
def test_control_other_errors_pass(kind: type[BaseException]) -> None:
    with pytest.raises(kind), refusing():
        raise kind
