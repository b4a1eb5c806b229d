"""Training of spike-driven transformers, and their export as integer models."""
