"""The local cloud: the same stack on this machine, with no AWS account and no Docker."""
