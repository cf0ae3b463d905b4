"""What the page of models is made of: all of them at a glance, one model's versions, who answers, speed, uploads."""

from perfcast.ui.parts.models._answering import answering
from perfcast.ui.parts.models._errors import cost_of
from perfcast.ui.parts.models._glance import glance
from perfcast.ui.parts.models._history import history
from perfcast.ui.parts.models._speed import speed
from perfcast.ui.parts.models._upload import upload
from perfcast.ui.parts.models._versions import versions

__all__ = ["answering", "cost_of", "glance", "history", "speed", "upload", "versions"]
