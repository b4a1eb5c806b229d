"""External tools: where they are, and how they are run."""
