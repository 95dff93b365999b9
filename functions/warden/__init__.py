"""The domain of ECR Warden: pure functions over frozen dataclasses, and the adapters that meet AWS at its edge."""
