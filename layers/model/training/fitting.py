"""Fit one policy: warm start, PPO, the head refitted to frequencies, a temperature. Runs in the training environment.

`python -m layers.model.training.fitting EXAMPLES JOB RESULT`: files of arrays. A job holds the indices `train`, `val`,
`cal` and `test`, the `seed`, the `steps` of PPO and the most `rounds` of the warm start; the result the weights and
what each model says of the test part.
"""

import copy
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from stable_baselines3 import PPO
from torch import nn

from layers.model.training.bars import Bars
from layers.model.training.network import ACTIONS, WindowLstm
from layers.model.training.sample import Floats, Ints, Mask, Sample, Windows

HIDDEN = 32
PATIENCE = 4
"""Rounds of the warm start without a better validation that end it."""

ROUND = 64
"""Steps of the optimiser in a round."""

BATCH = 256
LEARNING_RATE = 1e-3
VALIDATION_STRIDE = 3
HEAD_EXAMPLES = 40_000
"""Labels overlap: the refitted head learns no more from every candle than from every few."""

PLACES = 128
PPO_SETTINGS: dict[str, Any] = {
    "n_steps": 32,
    "batch_size": 512,
    "n_epochs": 4,
    "gamma": 0.0,
    "gae_lambda": 1.0,
    "ent_coef": 0.01,
    "learning_rate": 3e-4,
}
TEMPERATURES = np.geomspace(1.0, 20.0, 400)
"""Never below 1: a calibration span holds few independent outcomes, and must not sharpen."""


@dataclass(frozen=True)
class Job:
    """Which examples to learn from, to stop by, to calibrate on, to be judged on."""

    train: Ints
    val: Ints
    cal: Ints
    test: Ints
    seed: int
    steps: int
    rounds: int

    @classmethod
    def load(cls, path: Path) -> "Job":
        """Read what `walkforward` wrote."""
        with np.load(path) as data:
            parts = {name: data[name] for name in ("train", "val", "cal", "test")}
            return cls(**parts, seed=int(data["seed"]), steps=int(data["steps"]), rounds=int(data["rounds"]))


def fit(sample: Sample, job: Job) -> dict[str, NDArray[Any]]:
    """The weights, and the probabilities (n, 3) of each model on the test part."""
    np.random.seed(job.seed)  # the libraries below draw from it
    torch.manual_seed(job.seed)
    backbone, actor = warm_start(sample, job)
    supervised = _Model(backbone, actor).calibrated(sample, job.cal)
    learned, policy = reinforced(sample, job, backbone, actor)
    served = _Model(learned, refitted(sample, job, learned)).calibrated(sample, job.cal)
    return {
        **_weights(served, policy),
        "action_probs": served.probabilities(sample, job.test),
        "policy_probs": _Model(learned, policy).probabilities(sample, job.test),
        "supervised": supervised.probabilities(sample, job.test),
        "logistic": logistic(sample, job),
    }


def warm_start(sample: Sample, job: Job) -> tuple[WindowLstm, nn.Linear]:
    """Clone the behaviour of one who knew the outcome: cross-entropy on the labels, stopped by the validation part."""
    random = np.random.default_rng(job.seed)
    mean, scale = (torch.from_numpy(values) for values in sample.moments(job.train))
    space = Bars(sample, job.train, 1, job.seed).observation_space
    model = _Model(WindowLstm(space, HIDDEN, mean, scale), nn.Linear(HIDDEN, ACTIONS))
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    best, kept, without = np.inf, model, 0
    for _ in range(job.rounds):
        for _ in range(ROUND):
            some, mirrored = random.choice(job.train, BATCH), random.random(BATCH) < 0.5
            logits = model(torch.from_numpy(sample.windows(some, mirrored)))
            loss = nn.functional.cross_entropy(logits, torch.from_numpy(sample.labels(some, mirrored)))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        score = model.log_loss(sample, job.val[::VALIDATION_STRIDE])
        best, kept, without = (score, copy.deepcopy(model), 0) if score < best else (best, kept, without + 1)
        if without == PATIENCE:
            break
    return kept.backbone, kept.head


def reinforced(sample: Sample, job: Job, backbone: WindowLstm, actor: nn.Linear) -> tuple[WindowLstm, nn.Linear]:
    """PPO from there on: rewards are the trades' R after costs, each candle is a decision of its own."""
    extractor = {"hidden": HIDDEN, "mean": backbone.mean, "scale": backbone.scale}
    architecture = {"features_extractor_class": WindowLstm, "features_extractor_kwargs": extractor, "net_arch": []}
    places = Bars(sample, job.train, PLACES, job.seed)
    ppo = PPO("MlpPolicy", places, policy_kwargs=architecture, seed=job.seed, device="cpu", **PPO_SETTINGS)
    ppo.policy.features_extractor.load_state_dict(backbone.state_dict())
    ppo.policy.action_net.load_state_dict(actor.state_dict())
    ppo.learn(job.steps)
    return ppo.policy.features_extractor.eval(), ppo.policy.action_net


def refitted(sample: Sample, job: Job, backbone: WindowLstm) -> nn.Linear:
    """A new last layer on the frozen backbone, by cross-entropy on the labels, either way round.

    PPO's own answers say how much an action is worth trying, not how often it pays; the layer below has learned what
    matters, the layer above is fitted to frequencies.
    """
    every = max(1, len(job.train) // HEAD_EXAMPLES)
    some, mirrored = sample.both_ways(job.train[::every])
    states = _in_batches(backbone, sample, some, mirrored)
    regression = LogisticRegression(C=1.0, max_iter=1_000).fit(states, sample.labels(some, mirrored))
    head = nn.Linear(HIDDEN, ACTIONS)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(regression.coef_))
        head.bias.copy_(torch.from_numpy(regression.intercept_))
    return head


def logistic(sample: Sample, job: Job) -> Floats:
    """The simplest learner: logistic regression on the last candle's features, with a temperature of its own."""

    def last(some: Ints, mirrored: Mask | bool = False) -> Windows:
        return sample.windows(some, mirrored)[:, -1]

    every = max(1, len(job.train) // HEAD_EXAMPLES)
    some, mirrored = sample.both_ways(job.train[::every])
    regression = LogisticRegression(C=1.0, max_iter=1_000).fit(last(some, mirrored), sample.labels(some, mirrored))
    some, mirrored = sample.both_ways(job.cal)
    cooler = temperature(regression.decision_function(last(some, mirrored)), sample.labels(some, mirrored))
    if not len(job.test):
        return np.empty((0, ACTIONS))
    return softmax(regression.decision_function(last(job.test)) / cooler)


def temperature(logits: Floats, labels: Ints) -> float:
    """The temperature of least log-loss on these examples, at least 1."""
    losses = [-np.log(softmax(logits / t)[np.arange(len(labels)), labels]).mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def softmax(logits: Floats) -> Floats:
    """Probabilities (n, 3)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


class _Model(nn.Module):
    """A backbone with one head and its temperature."""

    def __init__(self, backbone: WindowLstm, head: nn.Linear, temperature: float = 1.0) -> None:
        super().__init__()
        self.backbone, self.head, self.temperature = backbone, head, temperature

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.backbone(windows)) / self.temperature
        return logits

    def calibrated(self, sample: Sample, cal: Ints) -> "_Model":
        some, mirrored = sample.both_ways(cal)
        logits = _in_batches(self, sample, some, mirrored)
        return _Model(self.backbone, self.head, temperature(logits, sample.labels(some, mirrored)))

    def probabilities(self, sample: Sample, some: Ints) -> Floats:
        return softmax(_in_batches(self, sample, some)) if len(some) else np.empty((0, ACTIONS))

    def log_loss(self, sample: Sample, some: Ints) -> float:
        given = self.probabilities(sample, some)[np.arange(len(some)), sample.label[some]]
        return float(-np.log(given).mean())


def _in_batches(model: nn.Module, sample: Sample, some: Ints, mirrored: Mask | None = None) -> Floats:
    turned = np.zeros(len(some), dtype=bool) if mirrored is None else mirrored
    with torch.no_grad():
        outputs = [
            model(torch.from_numpy(sample.windows(some[k : k + 4_096], turned[k : k + 4_096])))
            for k in range(0, len(some), 4_096)
        ]
    joined: Floats = torch.cat(outputs).double().numpy()
    return joined


def _weights(served: _Model, policy: nn.Linear) -> dict[str, NDArray[Any]]:
    parts = {"backbone": served.backbone, "head": served.head, "actor": policy}
    return {
        "temperature": np.array(served.temperature),
        **{f"{name}.{key}": value.numpy() for name, part in parts.items() for key, value in part.state_dict().items()},
    }


def main(examples: str, job: str, result: str) -> None:
    """Fit on one thread: the same files give the same bytes."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    np.savez(result, allow_pickle=False, **fit(Sample.load(Path(examples)), Job.load(Path(job))))


if __name__ == "__main__":
    main(*sys.argv[1:])
