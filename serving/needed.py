"""What a server needs beside what runs the models; imported first, to say what is missing."""

import importlib.util

MODULES = ("aiohttp", "grpc", "prometheus_client", "rapidjson", "tensorflow_serving")

missing = [module for module in MODULES if importlib.util.find_spec(module) is None]
if missing:
    raise ModuleNotFoundError(
        f"The server needs packages that are missing here ({', '.join(missing)}): "
        'pip install "rnn-zoo[serving]"',
        name=missing[0],
    )
