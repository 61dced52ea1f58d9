"""What is measured of each kind of model, on what, and the report and card made of it."""
