"""Lifecycle policies: what ECR's rules mean, and how a standard's rules are said in them."""

from warden.lifecycle.describing import describe
from warden.lifecycle.rendering import Rendered, render, suspended
from warden.lifecycle.words import in_words, same

__all__ = ["Rendered", "describe", "in_words", "render", "same", "suspended"]
