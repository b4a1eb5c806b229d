"""What the command lines share: options, progress, the way in and out."""
