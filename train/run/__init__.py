"""A training run: its configuration, its epochs, its checkpoints."""
