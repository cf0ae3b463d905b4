"""What can be left out of an installation, and how to tell that it was."""

EXTRAS = {
    "serve": ("fastapi", "uvicorn", "onnxruntime", "prometheus_client", "psutil"),
    "cluster": ("dask", "distributed"),
    "train": ("onnx", "spox", "xgboost", "sklearn", "torch", "optuna", "pyarrow"),
}
"""The modules that each extra brings."""


def how_to_install(module: str) -> str | None:
    """What to tell a user whose installation lacks a module.

    Args:
        module: As in `ModuleNotFoundError.name`.

    Returns:
        None where no extra brings it: then something is broken rather than left out.
    """
    package = module.split(".", maxsplit=1)[0]
    for extra, modules in EXTRAS.items():
        if package in modules:
            return f"this needs '{package}', which is not installed: pip install 'perfcast[{extra}]'"
    return None
