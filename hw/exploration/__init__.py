"""The search for a core that fits a model and a device."""
