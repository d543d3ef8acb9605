"""Where the harness attaches to other people's HTTP clients, so that it sees every exchange.

Handlers of one interface stand between a client and the network; what they do there is for
the rooms above. Importing the room imports no client.
"""

from robotape_harness.seams.body import Body, BodySpentError, ExchangeError, Failure
from robotape_harness.seams.clients import UnsupportedClientError
from robotape_harness.seams.exchange import (
    Forward,
    Handler,
    Headers,
    Request,
    Response,
    SuspendedError,
    pause,
)
from robotape_harness.seams.guard import Guard, NetworkEscapeError, guard
from robotape_harness.seams.passage import NoAnswerError
from robotape_harness.seams.scope import NothingInterceptedError, Scope, use

__all__ = [
    "Body",
    "BodySpentError",
    "ExchangeError",
    "Failure",
    "Forward",
    "Guard",
    "Handler",
    "Headers",
    "NetworkEscapeError",
    "NoAnswerError",
    "NothingInterceptedError",
    "Request",
    "Response",
    "Scope",
    "SuspendedError",
    "UnsupportedClientError",
    "guard",
    "pause",
    "use",
]
