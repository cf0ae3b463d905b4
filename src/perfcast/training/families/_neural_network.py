"""A multilayer perceptron that answers the time of the quickest of several algorithms, trained on relative error.

Where errors are relative, a time is that of whichever algorithm is quickest, and what calling it takes: the last layer
gives logarithms of eight times and of an overhead, and the answer is the logarithm of their soft minimum plus the
overhead. Else the last layer gives the cost. Inputs reach the last layer directly too, and stated features also as
cosines of random frequencies (Rahimi and Recht 2007, "Random Features for Large-Scale Kernel Machines"), since times
depend on remainders of whole numbers.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from perfcast.training.families._family import Family, Fitted, Lesson, Report, Settings, Space, Stop, Trial, never
from perfcast.training.families._network import FittedNetwork

FEW_ROWS = 6000
"""Up to so many rows a fit takes more epochs."""


class NeuralNetwork(Family):
    """The mean of a few networks; on a GPU where torch sees one."""

    name = "neural_network"
    members = 4

    def join(self, members: Sequence[Fitted]) -> FittedNetwork:
        """All in one graph, which scales the inputs once."""
        networks = cast("Sequence[FittedNetwork]", members)
        return replace(networks[0], members=sum((network.members for network in networks), ()))

    def start(self, lesson: Lesson) -> Settings:
        """Three layers of 128, without dropout."""
        start = {
            "width": 128,
            "epochs": 100 if len(lesson.target) <= FEW_ROWS else 60,
            "learning_rate": 3e-3,
            "weight_decay": 0.1,
            "dropout": 0.0,
        }
        return start if lesson.relative else {**start, "beta": 0.02}

    def space(self, trial: Trial, lesson: Lesson) -> Settings:
        """Size (wider ones are no better), schedule, regularisation; where the loss of absolute costs turns linear."""
        space = Space(trial, self.name)
        space.whole("width", 96, 128, log=True)
        space.whole("epochs", 32, 240, log=True)
        space.number("learning_rate", 1e-3, 6e-3, log=True)
        space.number("weight_decay", 0.01, 0.4, log=True)
        space.choice("dropout", [0.0, 0.1])
        if not lesson.relative:
            space.number("beta", 0.01, 1.0, log=True)
        return space.settings

    def fit(
        self, lesson: Lesson, settings: Settings, *, stop: Stop = never, report: Report | None = None
    ) -> FittedNetwork:
        """Train on the whole schedule; where the lesson's seconds are too few for it, it is shortened on the way."""
        deadline = time.monotonic() + lesson.seconds
        from perfcast.training.families._network_fit import fit  # imports torch, which takes a while

        return fit(lesson, settings, deadline, stop, report)
