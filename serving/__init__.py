"""An embedded server with the REST and gRPC API of TensorFlow Serving. See docs/serving.md."""
