"""What the page Predict is made of, beside its form and its answers: `why` one is what it is."""

from perfcast.ui.parts.predict._why import why

__all__ = ["why"]
