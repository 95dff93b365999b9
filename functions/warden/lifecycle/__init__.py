"""Lifecycle policies: what ECR's rules mean, and how a standard's rules are said in them."""
