"""What has to be known to reach a model: validated, frozen, and silent about its key."""

from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, SecretStr, field_validator

from robotape.cache import Caching
from robotape.secrets import keep_secret, redact

__all__ = ["LLMConfig"]

# What a request consists of anyway; `stream` would make the reply something else altogether.
_RESERVED = frozenset({"messages", "model", "stream", "tools"})


class LLMConfig(BaseModel):
    """How to reach a model, and how to ask it.

    Guarantee: the key shows in no repr, dump or error of this object, and is taken out
    of everything that leaves the framework.

    Attributes:
        model: The model's name at its provider.
        api_key: Held as a `SecretStr`, however it was given; None, or an empty one, sends none.
        provider_name: Whose protocol and address; `create_llm` knows the names.
        base_url: Absolute, up to and without `/chat/completions` or `/messages`; None takes the
            provider's.
        temperature: >= 0; None leaves it to the provider.
        max_tokens: Tokens an answer may have, >= 1; None leaves it to the provider.
        timeout: Seconds for one attempt; > 0.
        additional_params: Further fields of each request, by the provider's names.
        cache: How answers are given again; None asks every time.

    Raises:
        pydantic.ValidationError: A value is out of its range. The text repeats none.

    Example:
        >>> from robotape import LLMConfig
        >>> LLMConfig(model="gpt-4", api_key="sk-0123456789").api_key
        SecretStr('**********')
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    model: str = Field(min_length=1)
    api_key: str | SecretStr | None = None
    provider_name: str = "openai"
    base_url: str | None = None
    temperature: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_tokens: int | None = Field(default=None, ge=1)
    timeout: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    additional_params: dict[str, Any] = Field(default_factory=dict)
    cache: InstanceOf[Caching] | None = Field(default=None, exclude=True, repr=False)

    @field_validator("api_key")
    @classmethod
    def _is_header_value(cls, key: str | SecretStr | None) -> SecretStr | None:
        text = key.get_secret_value() if isinstance(key, SecretStr) else key
        if not text:
            return None
        # Kept even if it is refused: a mistyped key is a secret, too.
        keep_secret("api_key", text)
        if not (text.isascii() and text.isprintable() and " " not in text):
            raise ValueError("an API key is printable ASCII without blanks or line ends")
        return SecretStr(text)

    @field_validator("base_url")
    @classmethod
    def _is_absolute(cls, base_url: str | None) -> str | None:
        if base_url is not None:
            url = urlsplit(base_url)
            if url.scheme not in {"http", "https"} or not url.hostname:
                raise ValueError("want an absolute http(s) URL, such as https://host/v1")
            if "@" in url.netloc:
                raise ValueError("the URL holds credentials: give them as api_key")
        return base_url

    @field_validator("additional_params")
    @classmethod
    def _are_additional(cls, params: dict[str, Any]) -> dict[str, Any]:
        taken = sorted(_RESERVED & params.keys())
        if taken:
            raise ValueError(f"the client itself sets {', '.join(taken)}")
        return params

    # What a URL or an additional parameter holds may be a secret known from elsewhere.
    def __repr__(self) -> str:
        return redact(super().__repr__())

    def __str__(self) -> str:
        return redact(super().__str__())

    def reveal_key(self) -> str:
        """The key itself, for the header it goes into; empty if there is none."""
        return self.api_key.get_secret_value() if isinstance(self.api_key, SecretStr) else ""
