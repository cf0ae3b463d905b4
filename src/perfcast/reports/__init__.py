"""What a version is and how far to trust it, for people: a model card in Markdown, a report as one HTML file.

A document is sections of facts, tables and pictures (`_document`). `_described` makes those that the manifest alone
carries, and `card` is nothing else. `write_report` adds what its held-out rows show: `_evidence` asks the graph for
them again, `_measures` sums up, `_pictures` draws. Nothing here learns; a learning curve is handed in.
"""

from perfcast.reports._card import card
from perfcast.reports._evidence import Evidence, NoEvidence, find_evidence
from perfcast.reports._report import LearningCurve, write_report

__all__ = ["Evidence", "LearningCurve", "NoEvidence", "card", "find_evidence", "write_report"]
