"""What compiler and hardware agree on: configuration, descriptors, plan, weight image."""
