"""Certificates for a Dask cluster: an authority of its own, and one certificate for each part that a machine plays.

Dask takes whoever has a certificate of the authority; it compares no host names. So the authority is for one cluster
alone, certificates are short-lived, and what a certificate may be used for is written into it: a client's can't pass
for a scheduler or a worker. Apart from `perfcast.cluster`, because only this needs the library that makes them.
"""

from perfcast.cluster.certificates._issue import AUTHORITY_DAYS, ROLES, issue

__all__ = ["AUTHORITY_DAYS", "ROLES", "issue"]
