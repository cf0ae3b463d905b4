"""Commands of the documentation that its tests don't run as written, each with its reason."""

import re

LEFT_OUT = {
    r"make (run|test|setup|lock)\b": "sets up a whole checkout; CI and tests/integration/test_first_minute.py begin so",
    r"python docs/(build|check)\.py": "test_site.py does it, and must be the only one",
    r"pip install 'perfcast\[": "asks a package index",
    r"(sudo |openssl s_client)": "needs your own machine, with root",
    r"perfcast doctor --production": "finds much wrong with a test's server; tests/unit/cli/test_doctor_production.py",
    r"make audit": "asks a package index",
    r"prometheus --config": "never ends; tests/integration/test_monitoring_files.py runs it with these files",
    r"(deploy/kubernetes/release|kubectl) ": "needs a Kubernetes cluster; tests/unit/deploy judges what would be sent",
    r"aws ": "needs an AWS account; tests/unit/deploy/test_aws.py makes the stack in moto",
    r"(docker|docker-compose) |(DEPLOY_TAG=\S+ )?\./deploy\.sh": "needs containers; make test-stack starts them",
    r"tests/stack/run ": "the same",
    r"open http|cp fullchain|chmod 644 secrets|curl -H .*cat secrets": "the same: what they need is made there",
    r"perfcast collect (check|backfill|follow)": "needs your service in Prometheus; test_shop.py has one",
    r"perfcast train --dataset cpu-torch": "follows hours of measuring; the starter model is trained on these rows",
    r"perfcast profile --configurations (300$|[23]000|9500)": "measures for hours; the page's short run stands for it",
    r"perfcast profile --what operators": "measures for minutes; tests/unit/workloads/test_operator_runners.py does it",
    r"perfcast (devices join|train --dataset gpus|predict --model convolution-across|calibrate)": (
        "needs measured rows of other devices; tests/unit/cli/test_devices.py and test_calibrate.py have some"
    ),
    r"perfcast ui --api": "asks a server elsewhere, and never ends; tests/integration/test_ui_process.py runs it",
    r"(export )?DASK_(SCHEDULER_ADDRESS|CONFIG)=": "needs that cluster",
    r"export DATABASE_URL=": "needs your PostgreSQL, S3 and Redis; tests/integration runs on real ones",
    r"uvx ": "fetches a tool from a package index, and never ends",
    r"\.venv/bin/python benchmarks/": "measures for minutes",
}
"""Pattern of a command's beginning → why it isn't run."""

QUICK = "--trials 2 --families xgboost,polynomial"
"""Of a search: two of its families, which take little time."""

REWRITTEN = {
    r"(perfcast train --dataset \S+|perfcast jobs submit)( --trials \d+)?( --timeout \d+)?": rf"\1 {QUICK}",
    r'"n_trials": \d+': '"n_trials": 2, "families": ["xgboost", "polynomial"]',
    r"/app/CNN_Algorithms": "CNN_Algorithms",
    r"--since 2026-03-01 --until 2026-04-01": "--since 1d",
}
"""Pattern → what stands in its place: searches are short, folders lie here, records are of today."""

ENDLESS = ("up", "serve", "worker")
"""Commands of Perfcast that run until Ctrl-C: started, waited for until they are ready, and ended by it."""


def left_out(command: str) -> bool:
    """Whether a command isn't run."""
    return any(re.match(pattern, command) for pattern in LEFT_OUT)
