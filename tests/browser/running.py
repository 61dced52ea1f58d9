"""A server whose playground a browser can open."""

from contextlib import contextmanager

from zoo.serving.lifecycle.config import ModelConfig
from zoo.serving.server import Options, Server


@contextmanager
def playground(base_paths):
    """Serves models, given by name, for the length of a `with` block; yields the page's URL."""
    models = {name: ModelConfig(name, base_path) for name, base_path in base_paths.items()}
    with Server(models, Options(port=None, rest_api_port=0, playground=True)) as server:
        yield f"http://127.0.0.1:{server.rest_api_port}/"
