from pathlib import Path

import pytest

from perfcast.errors import InvalidDeclaration
from perfcast.workloads import Workload, load_workload

HEAD = """
name: packing
cost: {name: seconds, minimum: 0, relative: true}
features: [{name: width, minimum: 1}, {name: height, minimum: 1}]
derived:
"""


def loaded(folder: Path, derived: str) -> Workload:
    path = folder / "packing.yaml"
    path.write_text(HEAD + derived)
    return load_workload(path)


def test_every_combination_of_words_is_a_quantity(tmp_path: Path) -> None:
    workload = loaded(
        tmp_path,
        """
  - name: '{side}_in_{block}s'
    each: {side: [width, height], block: [4, 8]}
    expression: ceil({side} / {block}) * {block}
    trend: increasing
    meaning: '{side} in blocks of {block}'
""",
    )
    assert workload.input_names[2:] == ("width_in_4s", "width_in_8s", "height_in_4s", "height_in_8s")
    last = workload.declaration.derived[-1]
    assert (last.expression, last.meaning, last.trend) == (
        "ceil(height / 8) * 8",
        "height in blocks of 8",
        "increasing",
    )


def test_a_list_of_combinations_is_taken_as_it_stands(tmp_path: Path) -> None:
    workload = loaded(
        tmp_path,
        """
  - name: 'tiles_{rows}x{columns}'
    each: [{rows: 4, columns: 8}, {rows: 16, columns: 2}]
    expression: ceil(height / {rows}) * ceil(width / {columns})
""",
    )
    assert workload.input_names[2:] == ("tiles_4x8", "tiles_16x2")


@pytest.mark.parametrize(
    ("derived", "message"),
    [
        ("  - {name: 'w_{size}', each: {block: [4]}, expression: width}", r"'\{size\}' stands for nothing; .* block"),
        ("  - {name: 'w_{size}', expression: width}", "'each' has nothing"),
        ("  - {name: 'w_{size}', each: {size: [0.5]}, expression: width}", "'w_0.5' is no name"),
        ("  - {name: same, each: {size: [1, 2]}, expression: 'width * {size}'}", "'same' is declared twice"),
        ("  - {name: 'w_{size}', each: {size: []}, expression: width}", "'size' .* no values"),
        ("  - {name: 'w_{size}', each: {size: [[1]]}, expression: width}", "derived"),
    ],
)
def test_what_can_not_be_written_out_is_refused(tmp_path: Path, derived: str, message: str) -> None:
    with pytest.raises(InvalidDeclaration, match=message):
        loaded(tmp_path, derived)


def test_too_many_combinations_are_refused(tmp_path: Path) -> None:
    values = f"[{', '.join(map(str, range(40)))}]"
    derived = f"  - {{name: 'w_{{a}}_{{b}}', each: {{a: {values}, b: {values}}}, expression: 'width * {{a}}'}}"
    with pytest.raises(InvalidDeclaration, match="1,600 combinations"):
        loaded(tmp_path, derived)
