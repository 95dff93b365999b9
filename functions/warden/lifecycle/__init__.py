"""Lifecycle policies: what ECR's rules mean, and how a standard's rules are said in them."""

from warden.lifecycle.words import describe, in_words, render, same

__all__ = ["describe", "in_words", "render", "same"]
