"""Random legal models: golden and the hardware, held against a second executor."""
