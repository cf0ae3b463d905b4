"""What the page Networks is made of.

What is asked (`ask`), the answer's figures (`figures`), where the time goes (`where`), and devices and batches side by
side (`choice`).
"""

from perfcast.ui.parts.networks._ask import Asked, ask
from perfcast.ui.parts.networks._choice import choice
from perfcast.ui.parts.networks._figures import figures
from perfcast.ui.parts.networks._where import where

__all__ = ["Asked", "ask", "choice", "figures", "where"]
