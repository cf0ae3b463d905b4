"""Monitoring."""

from perfcast.ui.parts import head


def page() -> None:
    """The whole page."""
    head("Monitoring", "…")


if __name__ == "__main__":  # Streamlit runs it; tests import it
    page()
