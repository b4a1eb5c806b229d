"""The dense engine that a core is compared with, bare and in the shell that it needs."""
