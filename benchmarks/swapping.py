"""What callers see while versions change under load: activations, rollbacks, and a version whose bytes are corrupt.

    .venv/bin/python benchmarks/swapping.py [--changes 200] [--processes 1]

wrk asks at 16 connections and looks at every answer: its version must fit its cost. Meanwhile versions are activated
and rolled back over HTTP. Then a third version, whose graph was overwritten on disk, is activated: it must be refused,
and the load must not notice.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from statistics import median

import serving
import serving_model
from serving import FLAT, VALUES, Server, running

from perfcast.registry import Registry
from perfcast.settings import load_settings
from perfcast.storage import Blobs, Database

MODEL = serving_model.MODEL
BODY = FLAT % VALUES
LUA = """
wrk.method = "POST"
wrk.body = [==[%(body)s]==]
wrk.headers["Content-Type"] = "application/json"
local costs = {%(costs)s}
local threads = {}
mixed, failed = 0, 0
function setup(thread) table.insert(threads, thread) end
function response(status, headers, body)
  if status ~= 200 then failed = failed + 1 return end
  local version = body:match('"model_version":(%%d+)')
  if costs[version] ~= body:match('"cpu_utilization":([^,]+),') then mixed = mixed + 1 end
end
function done()
  for _, thread in ipairs(threads) do
    print("failed " .. thread:get("failed") .. " mixed " .. thread:get("mixed"))
  end
end
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=30, help="of load; the changes are spread over them")
    parser.add_argument("--processes", default="1", help="API_PROCESSES of the server")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perfcast-swapping-") as temporary:
        folder = Path(temporary)
        serving_model.make(folder, rounds=(300, 100, 30))
        corrupt(folder)
        state = {"DATA_DIR": str(folder / "var"), "LOG_LEVEL": "ERROR", "API_PROCESSES": options.processes}
        with running(Server(serving.perfcast, state, BODY, {})) as url:
            print("\n".join(measure(url, folder, options)))


def measure(url: str, folder: Path, options: argparse.Namespace) -> list[str]:
    """The findings as lines of Markdown."""
    costs = {version: cost_of(url, f"{MODEL}:{version}") for version in ("1", "2")}
    script = folder / "ask.lua"
    pairs = ", ".join(f'["{version}"] = "{cost}"' for version, cost in costs.items())
    script.write_text(LUA % {"body": BODY.decode(), "costs": pairs})
    command = ["wrk", "-t1", "-c16", f"-d{options.seconds}s", "--latency", "-s", str(script), f"{url}/predict"]
    load = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    took, pause = [], (options.seconds - 4) / options.changes
    for number in range(options.changes):
        begun = time.monotonic()
        where = f"{MODEL}:2/activate" if number % 2 == 0 else f"{MODEL}/deactivate"
        status, answer = post(f"{url}/models/{where}")
        assert (status, answer["after"]) == (200, 2 - number % 2), answer
        took.append(time.monotonic() - begun)
        time.sleep(max(0.0, pause - took[-1]))
    status, answer = post(f"{url}/models/{MODEL}:3/activate")
    text, _ = load.communicate()
    found = re.search(r"failed (\d+) mixed (\d+)", text)
    asked = re.search(r"(\d+) requests in", text)
    assert found is not None, text
    assert asked is not None, text
    after = post(f"{url}/predict", BODY)[1]["model_version"]
    return [
        "| what | figure |",
        "|---|---|",
        f"| activations and rollbacks, all 200 | {len(took)} |",
        f"| … median and worst ms | {median(took) * 1000:.0f}, {max(took) * 1000:.0f} |",
        f"| requests meanwhile | {int(asked[1]):,} |",
        f"| … not 200 | {found[1]} |",
        f"| … whose version does not fit their cost | {found[2]} |",
        f"| … p50 and p99 ms | {serving.latency(text, 50) / 1000:.2f}, {serving.latency(text, 99) / 1000:.2f} |",
        f"| a corrupt version activated | {status}: {answer['detail']} |",
        f"| version that answers after it | {after} |",
    ]


def corrupt(folder: Path) -> None:
    """Overwrite the bytes of the third version."""
    settings = load_settings(data_dir=folder / "var")
    database = Database(settings.database_address)
    version = Registry(database, Blobs(settings.artifacts_address)).version(MODEL, 3)
    database.close()
    (blob,) = (folder / "var" / "artifacts").rglob(version.manifest.graph.sha256)
    blob.chmod(0o644)
    blob.write_bytes(b"\0" * 1000)


def cost_of(url: str, reference: str) -> str:
    """The cost as a version writes it."""
    body = json.dumps({"model_name": reference, "features": json.loads(BODY)}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/predict", body)) as answer:
        found = re.search(rb'"cpu_utilization":([^,]+),', answer.read())
    assert found is not None
    return found[1].decode()


def post(url: str, body: bytes = b"") -> tuple[int, dict[str, object]]:
    """Status and answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, method="POST")) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


if __name__ == "__main__":
    sys.exit(main())
