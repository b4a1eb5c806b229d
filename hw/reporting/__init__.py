"""What a build will be, and what it measured, for people and for programs."""
