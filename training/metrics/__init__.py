"""What models are measured by, thin over the libraries of the field."""
