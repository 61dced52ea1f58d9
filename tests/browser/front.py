"""A server for the tests of the playground: the page in front of the REST API."""

import contextlib
import http.client
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from serving.playground import playground_response


@contextlib.contextmanager
def playground_in_front_of(rest_port: int, model_names: Sequence[str]) -> Iterator[str]:
    """Yields the URL of a server that has both."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            page = playground_response(self.path, model_names)
            if page is None:
                self.forward()
            else:
                self.reply(page.status, dict(page.headers), page.body)

        def do_POST(self):
            self.forward()

        def forward(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = http.client.HTTPConnection("127.0.0.1", rest_port, timeout=60)
            with contextlib.closing(connection):
                connection.request(self.command, self.path, body)
                answer = connection.getresponse()
                headers = {"Content-Type": answer.headers["Content-Type"]}
                self.reply(answer.status, headers, answer.read())

        def reply(self, status, headers, body):
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
