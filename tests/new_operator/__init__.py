"""An operator that no release has, in one file per package, as CONTRIBUTING.md says."""
