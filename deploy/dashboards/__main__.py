"""Write Grafana's dashboards and Prometheus' rules.

    python -m deploy.dashboards
    python -m deploy.dashboards --runbooks https://docs.example.com/perfcast/runbooks

The second form is for where you serve the docs yourself: alerts then lead there.
"""

import argparse

from deploy.dashboards._files import RUNBOOKS, write


def main() -> None:
    """Write the files that differ, and name them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--runbooks", default=RUNBOOKS, metavar="URL", help=f"the page that alerts lead to ({RUNBOOKS})"
    )
    changed = write(parser.parse_args().runbooks)
    print("\n".join(f"deploy/{path}" for path in changed) or "all up to date")


if __name__ == "__main__":
    main()
