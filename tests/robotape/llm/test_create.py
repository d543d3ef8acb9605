"""From a configuration to a client, and what importing costs until then."""

import json
import operator
import subprocess
import sys

import pytest

import robotape.llm
from robotape.llm import AnthropicLLM, HuggingFaceLLM, LLMConfig, OpenAILLM, create_llm

PROBE = """
import json, sys
import robotape, robotape.llm
from robotape.llm import create_llm, LLMConfig
before = "aiohttp" in sys.modules
create_llm(LLMConfig(model="m"))
print(json.dumps([before, "aiohttp" in sys.modules, "OpenAILLM" in dir(robotape.llm)]))
"""


def test_openai_is_the_default() -> None:
    llm = create_llm(LLMConfig(model="gpt-4"))
    assert isinstance(llm, OpenAILLM)
    assert llm.url.host == "api.openai.com"


def test_hugging_face_is_openais_protocol_at_its_router() -> None:
    llm = create_llm(LLMConfig(model="m", provider_name="huggingface"))
    assert isinstance(llm, HuggingFaceLLM)
    assert isinstance(llm, OpenAILLM)
    assert str(llm.url) == "https://router.huggingface.co/v1/chat/completions"
    elsewhere = LLMConfig(model="m", provider_name="huggingface", base_url="http://localhost/v1")
    assert isinstance(moved := create_llm(elsewhere), OpenAILLM)
    assert moved.url.host == "localhost"


def test_anthropic_is_asked_by_its_own_protocol() -> None:
    llm = create_llm(LLMConfig(model="claude", provider_name="anthropic"))
    assert isinstance(llm, AnthropicLLM)
    assert str(llm.url) == "https://api.anthropic.com/v1/messages"


@pytest.mark.parametrize("name", ["Anthropic", "OpenAI", ""])
def test_an_unknown_provider_is_told_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}'; there are: anthropic, huggingface, openai"):
        create_llm(LLMConfig(model="m", provider_name=name))


def test_the_timeout_is_each_attempts() -> None:
    retry = create_llm(LLMConfig(model="m", timeout=5)).retry
    assert (retry.timeout, retry.max_retries) == (5.0, 2)


def test_the_http_library_is_imported_with_the_first_client() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == [False, True, True]


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="NoSuchLLM"):
        operator.attrgetter("NoSuchLLM")(robotape.llm)
