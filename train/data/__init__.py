"""Pictures to learn from: data sets, random changes, the normalisation of the input."""
