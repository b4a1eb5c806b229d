"""What a model costs: spikes, additions, energy, and pictures of them."""
