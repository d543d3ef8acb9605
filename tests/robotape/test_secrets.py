"""Secrets: read from the environment, never shown, and out of everything that leaves."""

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape import secrets
from robotape.errors import SecretError
from robotape.models.record import encode
from robotape.secrets import Redactor, env_secret, redact, scan_environment

CANARY = "kanarie-0451-vogel"
values = st.text(min_size=8, max_size=20)


def test_a_secret_does_not_show_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_API_KEY", CANARY)
    secret = env_secret("SHOP_API_KEY")
    assert secret == CANARY
    assert CANARY not in repr(secret)
    assert CANARY not in repr({"key": secret})
    assert redact(f"Bearer {CANARY}!") == "Bearer [redacted:SHOP_API_KEY]!"


def test_control_what_nobody_called_secret_is_left_alone() -> None:
    assert redact("Bearer ordinary-text-here") == "Bearer ordinary-text-here"


@pytest.mark.parametrize(("value", "word"), [("", "not set"), ("short", "shorter than 8")])
def test_what_cannot_be_kept_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str, word: str
) -> None:
    monkeypatch.setenv("SHOP_API_KEY", value)
    with pytest.raises(SecretError, match=word) as raised:
        env_secret("SHOP_API_KEY")
    assert raised.value.name == "SHOP_API_KEY"
    assert value == "" or value not in str(raised.value).replace("shorter", "")


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "db_password", "TOKEN", "AWS_SECRET_ACCESS_KEY"]
)
def test_names_that_look_secret_are_known_unasked(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    value = f"value-of-{name.lower()}-123"
    monkeypatch.setenv(name, value)
    scan_environment()
    assert redact(value) == f"[redacted:{name}]"


@pytest.mark.parametrize("name", ["KEYBOARD", "MONKEY", "TOKENIZERS_PARALLELISM", "PATHS"])
def test_control_other_names_are_not(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    value = f"plain-value-of-{name.lower()}"
    monkeypatch.setenv(name, value)
    scan_environment()
    assert redact(value) == value


@given(st.text(max_size=20), values, st.text(max_size=20))
def test_no_known_value_remains_in_text(before: str, value: str, after: str) -> None:
    told = Redactor([("NAME", value)]).text(before + value + after)
    assert value not in told.replace("[redacted:NAME]", "")


@given(st.text(max_size=20), values, st.text(max_size=20))
def test_no_known_value_remains_in_json(before: str, value: str, after: str) -> None:
    data = Redactor([("NAME", value)]).data(encode({"said": [before + value + after]}))
    assert value not in json.loads(data)["said"][0].replace("[redacted:NAME]", "")


@given(st.text("abc", max_size=20), values)
def test_json_in_json_is_searched_too(before: str, value: str) -> None:
    arguments = json.dumps({"note": before + value})
    data = Redactor([("NAME", value)]).data(encode({"arguments": arguments}))
    assert value not in json.loads(json.loads(data)["arguments"])["note"].replace(
        "[redacted:NAME]", ""
    )


# What looks like the value only because of the backslash before it.
@given(st.sampled_from(["\n", "\t", '"', "\\", "\x01"]), st.sampled_from(["n", "t", "u0001", ""]))
def test_json_stays_json(odd: str, begin: str) -> None:
    value = begin + "opqrstuvw"
    text = odd + "opqrstuvw" + odd
    data = Redactor([("NAME", value)]).data(encode({"said": text}))
    told = json.loads(data)["said"]
    assert told == text.replace(value, "[redacted:NAME]")


def test_the_longest_value_goes_first() -> None:
    known = Redactor([("SHORT", "abcdefgh"), ("LONG", "abcdefgh-ijklmnop")])
    assert known.text("abcdefgh-ijklmnop abcdefgh") == "[redacted:LONG] [redacted:SHORT]"


def test_values_too_short_to_be_secrets_are_left_out() -> None:
    known = Redactor([("PIN", "1234567")])
    assert known.is_empty
    assert known.text("1234567") == "1234567"
    assert known.data(b"1234567") == b"1234567"


def test_a_value_that_is_no_unicode_breaks_nothing() -> None:
    # As the environment gives bytes that are not UTF-8.
    odd = b"pass\xffword-1".decode("utf-8", "surrogateescape")
    known = Redactor([("ODD_KEY", odd)])
    assert odd not in known.text(f"it is {odd}")
    assert b"word-1" not in known.data(encode({"said": odd}))


@pytest.mark.parametrize(
    "value", ["plus/and+slash", "blank in it", 'quote"and\\back', "ünïcødé-key"]
)
def test_a_value_is_found_in_a_url(value: str) -> None:
    known = Redactor([("NAME", value)])
    for spelt in (quote(value), quote(value, safe=""), quote_plus(value)):
        url = f"https://host/?key={spelt}&q=1"
        assert known.text(url) == "https://host/?key=[redacted:NAME]&q=1"
        assert spelt not in known.data(encode({"url": url})).decode()


def test_the_environment_is_known_whatever_was_learned_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = type(vars(secrets)["_known"])()
    monkeypatch.setattr(secrets, "_known", known)
    monkeypatch.setenv("SHOP_API_KEY", CANARY)
    secrets.keep_secret("vault", "another-secret")
    assert secrets.redact(f"{CANARY} another-secret") == "[redacted:SHOP_API_KEY] [redacted:vault]"
