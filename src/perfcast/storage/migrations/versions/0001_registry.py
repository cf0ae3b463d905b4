"""The first tables; a new database gets today's at once, and each that began here has them."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing is left to do."""
