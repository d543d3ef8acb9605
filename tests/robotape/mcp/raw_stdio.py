"""An MCP server in raw JSON-RPC on stdin and stdout, which misbehaves as its tools are called.

Run as a program, without the SDK and without robotape: what it sends is written here.
"""

import json
import os
import sys
from collections.abc import Callable
from threading import Event
from typing import Any

NEVER = Event()
OBJECT = {"type": "object"}
SCHEMAS: dict[str, dict[str, Any]] = {
    "echo": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    "count": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}},
}
PLAIN = ("failed", "failed_mutely", "error", "silent", "other_id", "die", "noise", "no_content")
ODD = (
    "odd_content",
    "large",
    "twice",
    "string_id",
    "changed",
    "asks",
    "progress",
    "deaf",
    "blocks",
)
STRUCTURED = ("structured", "structured_wrong", "structured_missing")


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def tools() -> list[dict[str, Any]]:
    whole = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    plain = [{"name": name, "inputSchema": schema} for name, schema in SCHEMAS.items()]
    odd = [{"name": name, "inputSchema": {**OBJECT, "properties": {}}} for name in (*PLAIN, *ODD)]
    told = [{"name": name, "inputSchema": OBJECT, "outputSchema": whole} for name in STRUCTURED]
    return [*plain, *odd, *told]


def said(*texts: str, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text} for text in texts], **more}


def call(number: Any, name: str, arguments: dict[str, Any]) -> None:
    """Answer a call, or do what its name says."""
    results: dict[str, Any] = {
        "echo": lambda: said(arguments["text"]),
        "count": lambda: said(*map(str, range(arguments.get("n", 1)))),
        "failed": lambda: said("no such order", isError=True),
        "failed_mutely": lambda: {"content": [], "isError": True},
        "no_content": lambda: {"text": "secret-body"},
        "odd_content": lambda: {"content": [{"type": "hologram", "data": "secret-body"}]},
        "large": lambda: said("x" * 3_000_000),
        "blocks": lambda: {"content": [{"type": "image", "data": "aGk=", "mimeType": "image/png"}]},
        "structured": lambda: said("3", structuredContent={"n": 3}),
        "structured_wrong": lambda: said("x", structuredContent={"n": "secret-body"}),
        "structured_missing": lambda: said("x"),
    }
    if name in results:
        send({"id": number, "result": results[name]()})
    elif name == "error":
        code = int(os.environ.get("CODE", "-32603"))
        send({"id": number, "error": {"code": code, "message": "it went wrong"}})
    else:
        MISBEHAVIOURS[name](number)


def fine(number: Any) -> dict[str, Any]:
    return {"id": number, "result": said("fine")}


def other_id(number: Any) -> None:
    send({**fine(number), "id": 987})


def progress(number: Any) -> None:
    params = {"progressToken": number, "progress": 1}
    while True:
        send({"method": "notifications/progress", "params": params})
        NEVER.wait(0.01)


def noise(number: Any) -> None:
    print("npm WARN deprecated\n\n{not json}")
    send(fine(number))


def twice(number: Any) -> None:
    send(fine(number))
    send({"id": number, "result": said("another")})


def string_id(number: Any) -> None:
    send({**fine(number), "id": str(number)})


def changed(number: Any) -> None:
    send({"method": "notifications/tools/list_changed"})
    send(fine(number))


def asks(number: Any) -> None:
    send({"id": 1, "method": "nobody/knows"})
    send(fine(number))


MISBEHAVIOURS: dict[str, Callable[[Any], object]] = {
    "asks": asks,
    "changed": changed,
    "deaf": lambda number: NEVER.wait(60),
    "die": lambda number: os._exit(3),
    "noise": noise,
    "other_id": other_id,
    "progress": progress,
    "silent": lambda number: None,
    "string_id": string_id,
    "twice": twice,
}


def handle(message: dict[str, Any]) -> None:
    method, number = message.get("method", ""), message.get("id")
    if method == "initialize":
        if os.environ.get("HANDSHAKE") == "silent":
            return
        version = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
        send({"id": number, "result": {**version, "serverInfo": {"name": "raw", "version": "1"}}})
    elif method == "tools/list":
        listed(number, message.get("params") or {})
    elif method == "tools/call":
        call(number, message["params"]["name"], message["params"].get("arguments") or {})
    elif number is not None and method:
        send({"id": number, "error": {"code": -32601, "message": "Method not found"}})


def listed(number: Any, params: dict[str, Any]) -> None:
    how = os.environ.get("LIST", "")
    if how == "silent":
        return
    if how == "endless":
        send({"id": number, "result": {"tools": [], "nextCursor": "more"}})
    elif how == "paged" and "cursor" not in params:
        send({"id": number, "result": {"tools": tools()[:2], "nextCursor": "rest"}})
    elif how == "paged":
        send({"id": number, "result": {"tools": tools()[2:]}})
    elif how == "twins":
        send({"id": number, "result": {"tools": [tools()[0], tools()[0]]}})
    elif how == "no_schema":
        wrong = {
            "name": "x",
            "inputSchema": {"type": "object", "properties": {"n": {"type": "no"}}},
        }
        send({"id": number, "result": {"tools": [wrong]}})
    else:
        send({"id": number, "result": {"tools": tools()}})


if __name__ == "__main__":
    started = os.environ.get("STARTED")
    if started:
        with open(started, "a") as starts:
            starts.write(f"{os.getpid()}\n")
    if os.environ.get("HANDSHAKE") == "exit":
        sys.exit(1)
    for line in sys.stdin:
        handle(json.loads(line))
