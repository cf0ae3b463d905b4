"""What a build of the images gets to see: all that git has, so that `--target test` can test it, and nothing else."""

import pytest
from tests.unit.deploy.checkout import ROOT, is_let_in, tracked


def test_all_that_git_has_is_let_into_a_build() -> None:
    kept_out = {name for path in tracked() if not is_let_in(name := path.relative_to(ROOT).parts[0])}

    assert not kept_out, "name it in .dockerignore: tests may read it"


@pytest.mark.parametrize("name", [".env", ".git", ".venv", "CNN_Algorithms", "data", "secrets", "var"])
def test_secrets_data_and_environments_are_not(name: str) -> None:
    assert not is_let_in(name)
