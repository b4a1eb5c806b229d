"""Spike-driven transformers in PyTorch, with the parameter names of their checkpoints."""
