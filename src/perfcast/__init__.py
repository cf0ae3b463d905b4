"""Perfcast learns what a workload will cost before it runs, and serves that knowledge."""


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("perfcast")
        except PackageNotFoundError:  # a bare checkout
            return "0.0.0"
    raise AttributeError(name)
