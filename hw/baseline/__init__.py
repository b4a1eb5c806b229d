"""The dense engine that a core is compared with."""
