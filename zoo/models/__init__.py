"""The models: one file each, from the paper to the signatures.

A class registered in one of these modules is an attribute of the package too:
`from zoo.models import NER`. Nothing lists them.
"""

from zoo.layers import backend  # noqa: F401 (first: it refuses other backends of Keras)


def __getattr__(name: str) -> type:
    from zoo import registry

    if not name.startswith("_"):
        for known in registry.model_names():
            cls = registry.model_class(known)
            if cls.__name__ == name and cls.__module__.startswith(f"{__name__}."):
                return cls
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
