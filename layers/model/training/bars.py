"""The environment PPO learns in: one decision at one candle of the past, and what the trade then earned."""

from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from layers.model.training.sample import Ints, Mask, Sample, Windows


class Bars(VecEnv):
    """`places` episodes side by side, each one candle long: see a window, act, get the trade's R after costs.

    HOLD earns nothing. The next episode is another candle drawn at random, mirrored with one half; no position is
    carried, because the policy that is served carries none.
    """

    num_envs: int

    def __init__(self, sample: Sample, train: Ints, places: int, seed: int) -> None:
        self._sample, self._train = sample, train
        self._random = np.random.default_rng(seed)
        self._now: Ints = train[:0]
        self._mirrored: Mask = np.zeros(0, dtype=bool)
        self._actions: Ints = train[:0]
        shape = sample.windows(train[:1]).shape[1:]
        super().__init__(places, spaces.Box(-np.inf, np.inf, shape, np.float32), spaces.Discrete(3))
        self.render_mode = None

    def reset(self) -> Windows:
        """Draw a candle for each place."""
        self._now = self._random.choice(self._train, self.num_envs)
        self._mirrored = self._random.random(self.num_envs) < 0.5
        return self._sample.windows(self._now, self._mirrored)

    def step_async(self, actions: Ints) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[Windows, Windows, Mask, list[dict[str, Any]]]:
        """Next windows, rewards, that every episode is over, and nothing else to know."""
        rewards = self._sample.rewards(self._now, self._mirrored)[np.arange(self.num_envs), self._actions]
        over = np.ones(self.num_envs, dtype=bool)
        return self.reset(), rewards.astype(np.float32), over, [{} for _ in range(self.num_envs)]

    def close(self) -> None:
        """Nothing is held."""

    def get_attr(self, attr_name: str, *_: Any, **__: Any) -> list[Any]:
        """The same attribute for each place."""
        return [getattr(self, attr_name)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, *_: Any, **__: Any) -> None:
        """Set it for all places: they are one object."""
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *_: Any, **__: Any) -> list[Any]:
        """Places have no methods of their own."""
        raise AttributeError(method_name)

    def env_is_wrapped(self, *_: Any, **__: Any) -> list[bool]:
        """Places are not wrapped."""
        return [False] * self.num_envs
