"""The stack: what is deployed, and with which permissions."""
