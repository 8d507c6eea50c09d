"""The server of a page: who gets an answer, and that nobody else does."""

import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from compiler.diagnostics.limits import Limits
from layergraph.overrides import compile_chosen
from layergraph.preview.live_page import LivePage
from layergraph.preview.page_server import PageServer

NET = "name: Net\ninputs: {x: 'float[B, 8]'}\nlayers:\n  a: relu\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "net {line}.yaml"
    file.write_text(NET)
    return file


@pytest.fixture
def server(spec: Path, tmp_path: Path) -> Iterator[PageServer]:
    limits = Limits()
    compiled = partial(compile_chosen, spec, "", (), limits=limits, strict=False)
    write = "import sys; open(sys.argv[1], 'w').write('\\n'.join(sys.argv[2:]))"
    note = str(tmp_path / "note")
    editor = [sys.executable, "-c", write, note, "{file}", "at:{line}"]
    with PageServer(LivePage(spec, compiled, limits), 0, editor) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        made.live.end()
        made.shutdown()


def ask(
    server: PageServer,
    name: str = "",
    method: str = "GET",
    body: str | None = None,
    path: str = "",
    **headers: str,
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    own = {key.replace("_", "-"): value for key, value in headers.items()}
    connection.request(method, path or f"/{server.token}/{name}", body, own)
    answer = connection.getresponse()
    found = answer.status, answer.read(), dict(answer.getheaders())
    connection.close()
    return found


def test_answers_who_has_the_address(server: PageServer) -> None:
    status, body, headers = ask(server)
    assert status == 200
    assert b"connect-src 'self'" in body
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    status, body, _ = ask(server, "data")
    assert status == 200
    assert json.loads(body)["title"] == "Net"
    assert ask(server, Origin=server.origin)[0] == 200


def test_listens_on_this_machine_alone(server: PageServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.address.startswith("http://127.0.0.1:")
    assert len(server.token) >= 43


def refused(server: PageServer, *arguments: str, **options: str) -> int:
    status, body, _ = ask(server, *arguments, **options)
    assert body == b""
    return status


@pytest.mark.parametrize("name", ["", "data", "changes"])
def test_refuses_other_hosts_and_origins(server: PageServer, name: str) -> None:
    port = server.server_port
    for host in (
        f"evil.example:{port}",
        "127.0.0.1",
        f"localhost:{port}",
        "",
        f"127.0.0.1:{port + 1}",
    ):
        assert refused(server, name, Host=host) == 403
    for origin in (
        "http://evil.example",
        "null",
        f"https://127.0.0.1:{port}",
        f"http://localhost:{port}",
    ):
        assert refused(server, name, Origin=origin) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_refuses_what_another_site_asks_for(server: PageServer, site: str) -> None:
    assert refused(server, "data", Sec_Fetch_Site=site) == 403
    assert refused(server, "changes", Sec_Fetch_Site=site) == 403


def test_refuses_who_does_not_know_the_token(server: PageServer) -> None:
    token = server.token
    for path in (
        "/",
        "/data",
        "//data",
        f"/{token}",
        f"/{token[:-1]}/",
        f"/{token}x/data",
        f"/{token.swapcase()}/",
        f"/x/../{token}/",
        f"/%00{token}/",
        f"/?{token}/",
        f"/caf%C3%A9/{token}/",
    ):
        assert refused(server, path=path) == 403, path


def test_has_no_other_files(server: PageServer) -> None:
    for name in (
        "../data",
        "data/",
        "..%2f..%2fetc/passwd",
        "page.css",
        "net.yaml",
        "open",
    ):
        assert refused(server, name) == 404, name


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"]
)
def test_knows_two_methods(server: PageServer, method: str) -> None:
    assert refused(server, "data", method) == 501


def test_opens_a_line_in_the_editor(
    server: PageServer, tmp_path: Path, spec: Path
) -> None:
    place = json.dumps({"file": 0, "line": 3})
    assert ask(server, "open", "POST", place, Origin=server.origin)[0] == 200
    note = tmp_path / "note"
    for _ in range(100):
        if note.exists() and note.read_text():
            break
        time.sleep(0.05)
    assert note.read_text() == f"{spec}\nat:3"


@pytest.mark.parametrize(
    "place",
    [
        "",
        "[]",
        "{}",
        '{"file": 1, "line": 1}',
        '{"file": -1, "line": 1}',
        '{"file": 0, "line": 0}',
        '{"file": 0, "line": "1; rm"}',
        '{"file": "/etc/passwd", "line": 1}',
        '{"file": 0, "line": 1e3}',
        "[" * 199,
        "x" * 1000,
    ],
)
def test_opens_nothing_else(server: PageServer, tmp_path: Path, place: str) -> None:
    assert ask(server, "open", "POST", place, Origin=server.origin)[0] == 400
    assert not (tmp_path / "note").exists()


def test_opens_for_its_own_page_alone(server: PageServer, tmp_path: Path) -> None:
    place = json.dumps({"file": 0, "line": 3})
    assert refused(server, "open", "POST", place) == 403
    assert refused(server, "open", "POST", place, Origin="http://evil.example") == 403
    server.editor = ()
    assert refused(server, "open", "POST", place, Origin=server.origin) == 404
    assert not (tmp_path / "note").exists()


def test_reads_no_more_than_a_place(server: PageServer) -> None:
    for length in ("201", "000000000000999999999", "-1", "1e2", "٣"):
        head = f"POST /{server.token}/open HTTP/1.1\r\nHost: {server.origin[7:]}\r\n"
        head += f"Origin: {server.origin}\r\nContent-Length: {length}\r\n\r\n"
        assert b" 400 " in raw(server, head.encode()).partition(b"\r\n")[0]


def raw(server: PageServer, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.server_port), 5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while part := connection.recv(4096):
            found += part
        return found


def test_survives_what_is_no_request(server: PageServer) -> None:
    host = server.origin.removeprefix("http://").encode()
    token = server.token.encode()
    for request in (
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /\xff\xfe/ HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
        b"GET /" + token + b"/ HTTP/1.1\r\nHost: " + host + b"\r\nHost: evil\r\n\r\n",
        b"GET /" + token + b"/ HTTP/1.1\r\n\r\n",
    ):
        answer = raw(server, request)
        assert b"<title>" not in answer
        assert b" 200 " not in answer.partition(b"\r\n")[0]
    assert ask(server)[0] == 200


def test_tells_of_changes(server: PageServer, spec: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request("GET", f"/{server.token}/changes")
    answer = connection.getresponse()
    assert answer.getheader("Content-Type") == "text/event-stream"
    assert answer.readline() == b"data: 1\n"
    spec.write_text(NET + "  b: tanh\n")
    server.live.look()
    assert answer.readline() == b"\n"
    assert answer.readline() == b"data: 2\n"
    threading.Thread(target=server.live.end).start()
    assert answer.readline() == b"\n"
    assert answer.readline() == b"data: end\n"
    connection.close()
