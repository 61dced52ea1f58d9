"""An embedded server with the REST and gRPC API of TensorFlow Serving. See docs/serving.md."""

if __name__ == "serving":  # at the top of a checkout: each class would be there twice
    raise ImportError("`serving` is imported as `zoo.serving`, and run as `zoo-serve`")
