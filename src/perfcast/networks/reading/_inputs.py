"""What a network is given: shapes that a file leaves open, and the batch that it is made for."""

import math
from collections.abc import Mapping
from functools import partial

import onnx

from perfcast.errors import InvalidInput
from perfcast.networks._graph import Shape
from perfcast.networks.reading._file import LARGEST_TENSOR, MOST_AXES, File, wrong

_wrong_shape = partial(InvalidInput.of, "input_shape")
_Sizes = tuple[int | str, ...]


def input_types(file: File, input_shape: Shape | None) -> tuple[Mapping[str, onnx.TypeProto], int]:
    """The type of each input, known in every dimension, and the batch that those are of.

    An open batch becomes one; a fixed one stays, since nodes may rely on it.

    Args:
        file: What was read.
        input_shape: Instead of what the file says of its input, batch first.

    Raises:
        InvalidInput: A size is open, or `input_shape` fits no input; the field is `network` or `input_shape`.
    """
    if not file.inputs:
        raise wrong("must have an input, but its graph has none")
    sizes = {name: _sizes(name, kind) for name, kind in file.inputs.items()}
    if input_shape is not None:
        sizes = {name: _given(name, item, input_shape) for name, item in _only(sizes).items()}
    for name, item in sizes.items():
        if any(not isinstance(size, int) for size in item[1:]):
            raise _wrong_shape(
                f"needed, since the input '{name}' has sizes that the file leaves open: {_told(item)}; "
                "give its shape, batch first, such as 1, 3, 224, 224"
            )
    whole = {name: tuple(size if isinstance(size, int) else 1 for size in item) for name, item in sizes.items()}
    if any(math.prod(shape) > LARGEST_TENSOR or len(shape) > MOST_AXES for shape in whole.values()):
        raise _wrong_shape("must be of tensors that fit into memory")
    batches = {shape[0] for shape in whole.values() if len(shape) > 1}
    if len(batches) > 1:
        raise wrong(f"must have one batch for all inputs, but has {', '.join(map(str, sorted(batches)))}")
    kinds = {name: kind.tensor_type.elem_type for name, kind in file.inputs.items()}
    types = {name: onnx.helper.make_tensor_type_proto(kinds[name], shape) for name, shape in whole.items()}
    return types, next(iter(batches), 1)


def _sizes(name: str, kind: onnx.TypeProto) -> _Sizes:
    if not kind.HasField("tensor_type"):
        raise wrong(f"must take tensors, but its input '{name}' is none")
    if not kind.tensor_type.HasField("shape"):
        return ("batch", "…")
    found = kind.tensor_type.shape.dim
    return tuple(item.dim_value if item.dim_value > 0 else item.dim_param or "?" for item in found)


def _only(sizes: Mapping[str, _Sizes]) -> Mapping[str, _Sizes]:
    if len(sizes) > 1:
        raise _wrong_shape(f"must be left out for a network of several inputs: {', '.join(list(sizes)[:5])}")
    return sizes


def _given(name: str, stated: _Sizes, shape: Shape) -> _Sizes:
    """The sizes that a caller gives; a batch that the file fixes stays, since nodes may rely on it."""
    if not shape or any(size < 1 for size in shape):
        raise _wrong_shape(f"must be sizes of 1 or more, batch first, is {_told(shape)}")
    if "…" in stated:
        return (1, *shape[1:])
    if len(shape) != len(stated):
        raise _wrong_shape(
            f"must have {len(stated)} sizes as the input '{name}' has, {_told(stated)}; is {_told(shape)}"
        )
    return (stated[0] if isinstance(stated[0], int) else 1, *shape[1:])


def _told(sizes: _Sizes) -> str:
    return f"[{', '.join(str(size)[:40] for size in sizes)}]"
