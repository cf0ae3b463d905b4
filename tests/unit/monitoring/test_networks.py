"""Which networks have a convolution, told by its row."""

from perfcast.monitoring import networks_of


def test_a_layer_is_known_at_any_batch_size_square_or_not() -> None:
    stem = [3, 224, 224, 64, 7, 2, 3, 1, 1, 7, 2, 3, 3, 3]
    assert networks_of([1, *stem]) == networks_of([64, *stem])
    assert "resnet_bottleneck" in networks_of([1, *stem])
    assert networks_of([1, *stem[:-1], 2]) == ()
    assert networks_of([8, 192, 17, 17, 192, 1, 1, 0, 1, 1, 7, 1, 3, 0, 3]) == ("inception_v3",)


def test_rows_of_versions_that_know_no_widths_are_known_too_where_they_are_square() -> None:
    assert "resnet_bottleneck" in networks_of([1, 3, 224, 224, 64, 7, 2, 3, 1, 1])
    assert networks_of([8, 192, 17, 17, 192, 7, 1, 3, 1, 1]) == ()
