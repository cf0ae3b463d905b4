"""Draw the dashboards from a Prometheus that has scraped Perfcast.

python -m deploy.dashboards.sheet --prometheus http://localhost:9090
python -m deploy.dashboards.sheet --prometheus http://localhost:9090 --minutes 60 --only drift --output /tmp/sheet
"""

import argparse
import json
import time
from pathlib import Path

from deploy.dashboards.sheet import Prometheus, Span, draw

_BOARDS = Path(__file__).parents[2] / "grafana/dashboards"
_NAMES = sorted(path.stem for path in _BOARDS.glob("*.json"))


def main() -> None:
    """Draw each dashboard, and name the panels without data."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", required=True, metavar="URL")
    parser.add_argument("--minutes", type=float, default=60, help="how far to look back (60)")
    parser.add_argument("--at", type=float, help="until when, in Unix seconds (now)")
    parser.add_argument("--scrape", type=float, default=15, help="seconds between two scrapes (15)")
    parser.add_argument("--only", action="append", choices=_NAMES, help="this dashboard; may be given again")
    parser.add_argument("--output", type=Path, default=Path("docs/pictures"), metavar="FOLDER")
    asked = parser.parse_args()
    span = Span.of(asked.at or time.time(), asked.minutes, asked.scrape)
    for name in asked.only or _NAMES:
        path = asked.output / f"dashboards-{name}.png"
        empty = draw(json.loads((_BOARDS / f"{name}.json").read_text()), Prometheus(asked.prometheus), span, path)
        told = f"without data: {', '.join(empty)}" if empty else "all panels have data"
        print(f"{path}: {told}")


if __name__ == "__main__":
    main()
