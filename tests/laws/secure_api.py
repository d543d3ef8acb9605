"""The documented `SecureAPITool` in a process of its own, against an HTTPS server on loopback.

The server's certificate is signed by an authority made for the occasion, which the process
trusts by SSL_CERT_FILE: the tool is as documented but for the address.
"""

import json
import os
import ssl
import subprocess
import sys
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import trustme

__all__ = ["Visit", "visit"]

PROGRAM = '''
import asyncio
import logging
import os
import sys
from typing import Any

import aiohttp

from robotape import BaseAgent, LLMAgent, Retry, Tape
from robotape.log import get_logger, setup_logging
from robotape.tools import RunContext, Tool
from robotape_harness import ScriptedLLM, call, say

class SecureAPITool(Tool):
    def __init__(self):
        self.api_key = os.getenv("VARIABLE")
        super().__init__(self._call_secure_api, max_retries=0)

    async def _call_secure_api(self, ctx: RunContext[str], query: str) -> dict[str, Any]:
        """Search."""
        import aiohttp
        async with aiohttp.ClientSession() as session:
            async with session.get(
                "ORIGIN/search",
                params={"q": query},
                headers={"Authorization": f"Bearer {self.api_key}"}
            ) as response:
                return await response.json()

setup_logging(debug=True, arguments=True)
get_logger("robotape.wire")
tool = SecureAPITool()
name = tool.name
print("--- repr ---", repr(tool), vars(BaseAgent("a", tools=[tool])))

def run(query: str, path: str) -> None:
    tape = Tape.journaled(path)
    model = ScriptedLLM(call(name, query=query), say("Done."))
    desk = LLMAgent("desk", model, tools=[tool])
    try:
        result = asyncio.run(desk.run("search", tape=tape))
        print("--- result ---", result)
        print([step.content for step in tape.get_steps_by_type("observation")])
    except Exception as error:
        get_logger("robotape.mine").error("failed: %s, %r", error, error, exc_info=error)
        print("--- error in words ---", tape.get_steps_by_type("error")[0].content)
    print("--- tape ---", tape.to_bytes().decode())
    print("--- journal ---", open(path).read())

run("tapes", "plain.jsonl")
run("echo", "echo.jsonl")
run("html", "html.jsonl")
print("--- log ---", file=sys.stderr)
'''


@dataclass(frozen=True)
class Visit:
    """What a server and a terminal saw of one process.

    Attributes:
        exit_code: Of the process.
        authorizations: Of every request, in order.
        queries: Likewise.
        said: All it printed, errors included.
        files: All it wrote.
    """

    exit_code: int
    authorizations: list[str]
    queries: list[str]
    said: str
    files: str


def visit(folder: Path, *, key: str, variable: str = "API_KEY") -> Visit:
    """Run the documented tool once for each kind of answer: data, an echo of all, no JSON."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    server = _Server(authority)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    work = folder / "work"
    work.mkdir()
    program = PROGRAM.replace("VARIABLE", variable)
    program = program.replace("ORIGIN", f"https://localhost:{server.server_port}")
    plain = {k: v for k, v in os.environ.items() if k not in ("API_KEY", "BADGE")}
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=work,
            env={**plain, variable: key, "SSL_CERT_FILE": str(folder / "ca.pem")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    files = "".join(path.read_text() for path in sorted(work.iterdir()))
    said = done.stdout + done.stderr
    return Visit(done.returncode, server.authorizations, server.queries, said, files)


class _Server(ThreadingHTTPServer):
    """Answers searches over HTTPS, and remembers who asked."""

    def __init__(self, authority: trustme.CA) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.authorizations: list[str] = []
        self.queries: list[str] = []


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer; `echo` gives the headers back, `html` is no JSON."""
        server = self.server
        assert isinstance(server, _Server)
        query = parse_qs(urlsplit(self.path).query)["q"][0]
        server.queries.append(query)
        server.authorizations.append(self.headers["Authorization"])
        told = {"results": [f"Result for {query}"]}
        if query == "echo":
            told["headers"] = [f"{name}: {value}" for name, value in self.headers.items()]
        body = json.dumps(told).encode()
        self.send_response(200)
        kind = "text/html" if query == "html" else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
