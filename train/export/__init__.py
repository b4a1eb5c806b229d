"""From a trained network to an integer model, and what that is compared with."""
