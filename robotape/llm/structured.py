"""An answer as an instance of a model: what to ask for, how to read it, what to say if it is wrong.

It asks nobody. It is imported when an output is first asked for: it needs more of pydantic
than all the rest.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError

from robotape.llm.exchange import OutputFormat
from robotape.models.messages import Message
from robotape.validation.faults import faults_of
from robotape.validation.text import Bounds, Fault, Inspector

__all__ = ["Output"]

_BOUNDS = Bounds()


class Output:
    """A pydantic model as the form of an answer.

    Attributes:
        format: What the provider is told.

    Example:
        >>> class City(BaseModel):
        ...     name: str
        ...     inhabitants: int
        >>> Output.of(City).read('{"name": "Rome", "inhabitants": "many"}')
        (None, (('$.inhabitants', 'Input should be a valid integer'),))
    """

    def __init__(self, model: type[BaseModel]) -> None:
        """Read a model's schema; use `of`, which does so once.

        Raises:
            TypeError: It is no pydantic model, or its root is no object.
        """
        if not hasattr(model, "model_json_schema"):
            raise TypeError(f"output must be a pydantic model, not {model!r}")
        schema = model.model_json_schema()
        root = schema
        if "$ref" in schema:  # a model that holds itself
            root = schema["$defs"][schema["$ref"].rpartition("/")[2]]
        if root.get("type") != "object":
            raise TypeError(f"{model.__name__}: an output must be a JSON object; give it a field")
        name = re.sub(r"[^a-zA-Z0-9_-]", "_", model.__name__)[:64]
        self.format = OutputFormat(name, schema)
        self._inspector = Inspector(_BOUNDS)
        self._model = model

    @staticmethod
    def of(model: type[BaseModel]) -> "Output":
        """The form a model stands for."""
        return _made(model)

    def read(self, text: str) -> tuple[BaseModel | None, tuple[Fault, ...]]:
        """Read what a model said, in pydantic's strict JSON mode.

        Refused besides what pydantic refuses: what breaks the bounds of a tool's arguments, a
        key given twice, NaN, lone surrogates.

        Returns:
            The instance and no faults, or None and at least one, as (JSON path, words that
            repeat no value).
        """
        tree, faults = self._inspector.read(text)
        if faults:
            return None, tuple(faults)
        try:
            return self._model.model_validate_json(text, strict=True), ()
        except ValidationError as error:
            details: Any = error.errors(include_url=False, include_input=False)
        return None, faults_of(details, tree, self.format.schema)

    @staticmethod
    def correction(faults: Sequence[Fault]) -> Message:
        """What the model is told of its faults."""
        told = "\n".join(f"{path}: {words}" for path, words in faults)
        return Message(
            "user",
            "Your answer is not valid. Send it again as one JSON object that fits the schema, and "
            f"nothing else. What is wrong:\n{told}",
        )


@lru_cache(maxsize=256)
def _made(model: type[BaseModel]) -> Output:
    return Output(model)
