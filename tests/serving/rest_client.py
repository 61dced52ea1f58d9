"""An HTTP client made of nothing but the standard library."""

import http.client
import json
from dataclasses import dataclass


@dataclass
class Reply:
    """What came back for an HTTP request."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self) -> str:
        assert list(self.json) == ["error"]
        return self.json["error"]


class Client:
    """Sends one request per connection with nothing but the standard library."""

    def __init__(self, port: int):
        self.port = port

    def __call__(self, method: str, path: str, body=None, headers=None) -> Reply:
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def predict(self, model: str, body) -> Reply:
        return self("POST", f"/v1/models/{model}:predict", body)
