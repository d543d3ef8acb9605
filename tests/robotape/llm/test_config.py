"""A configuration is validated, frozen, and silent about its key."""

import math
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from robotape.llm import LLMConfig
from robotape.secrets import Secret, keep_secret, redact

KEY = "sk-canary-abcdefghij"


@pytest.mark.parametrize("key", [KEY, Secret(KEY), SecretStr(KEY)])
def test_a_key_comes_in_and_never_shows(key: Any) -> None:
    config = LLMConfig(model="m", api_key=key)
    assert isinstance(config.api_key, SecretStr)
    assert config.reveal_key() == KEY
    shown = f"{config}{config!r}{config.model_dump()}{config.model_dump_json()}"
    assert KEY not in shown


def test_a_key_is_redacted_from_then_on() -> None:
    LLMConfig(model="m", api_key="sk-another-canary")
    assert redact("with sk-another-canary inside") == "with [redacted:api_key] inside"


@pytest.mark.parametrize("key", ["sk-canary 01234567", "sk-canary-012345\n", "sk-cänary-0123456"])
def test_a_key_that_fits_no_header_is_refused_without_a_word_of_it(key: str) -> None:
    with pytest.raises(ValidationError, match="printable ASCII") as caught:
        LLMConfig(model="m", api_key=key)
    assert key not in str(caught.value) + repr(caught.value)
    assert redact(key) == "[redacted:api_key]"


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": ""},
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"max_tokens": 0},
        {"timeout": 0},
        {"timeout": math.inf},
        {"base_url": "localhost:8000"},
        {"base_url": "ftp://localhost"},
        {"base_url": "https://"},
        {"base_url": "https://user:pass@host/v1"},
        {"additional_params": {"stream": True}},
        {"additional_params": {"messages": []}},
        {"tempratur": 0.5},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LLMConfig(**{"model": "m", **wrong})


def test_no_key_is_none() -> None:
    assert LLMConfig(model="m").api_key is None
    assert LLMConfig(model="m", api_key=SecretStr("")).api_key is None


def test_it_cannot_be_changed() -> None:
    config = LLMConfig(model="m")
    with pytest.raises(ValidationError):
        config.__setattr__("model", "n")


def test_it_shows_no_secret_known_from_elsewhere() -> None:
    canary = "kanarie-config-4711"
    config = LLMConfig(model="m", base_url=f"https://host/v1?key={canary}")
    assert canary in repr(config)
    assert canary in str(config)
    keep_secret("CANARY", canary)
    assert canary not in repr(config)
    assert canary not in str(config)
