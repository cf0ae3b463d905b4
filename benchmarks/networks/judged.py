"""The networks that predictions of whole networks are judged by."""

JUDGED = (
    "vgg13", "resnet26", "densenet169", "squeezenet1_1", "shufflenet_v2_x0_5", "mobilenet_v3_small",
    "efficientnet_b1", "regnet_x_400mf", "inception_v4", "convnext_femto",
)  # fmt: skip
"""Named before anything was measured: no model and no calibration that is judged by them has seen their layers."""
