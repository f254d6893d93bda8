"""The network: one LSTM over the window, a head for the actions. Runs in the training environment."""

import torch
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

LIMIT = 8.0
"""Inputs are cut here inside the graph too: the policy is the same function whoever feeds it."""

ACTIONS = 3


class WindowLstm(BaseFeaturesExtractor):
    """Last hidden state (batch, hidden) of an LSTM over a window (batch, candles, features).

    The normaliser is part of it: mean and scale of the examples it learned from.
    """

    def __init__(self, observation_space, hidden: int, mean: Tensor, scale: Tensor) -> None:  # type: ignore[no-untyped-def]  # gymnasium's, untyped where this is checked
        super().__init__(observation_space, hidden)
        self.register_buffer("mean", mean.clone())
        self.register_buffer("scale", scale.clone())
        self.lstm = nn.LSTM(len(mean), hidden, batch_first=True)

    def forward(self, windows: Tensor) -> Tensor:
        """Hidden state at the window's last candle."""
        normal = (windows.clamp(-LIMIT, LIMIT) - self.mean) / self.scale
        _, (hidden, _) = self.lstm(normal)
        state: Tensor = hidden[-1]
        return state


class Served(nn.Module):
    """What the file computes: the backbone, the calibrated head and the policy's own."""

    def __init__(self, backbone: WindowLstm, head: nn.Linear, actor: nn.Linear, temperature: float) -> None:
        super().__init__()
        self.backbone, self.head, self.actor = backbone, head, actor
        self.register_buffer("temperature", torch.tensor(temperature, dtype=torch.float32))

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """`action_probs` and `policy_probs`, each (batch, 3); NaN where any input is not a finite number."""
        state = self.backbone(windows)
        # onnxruntime's LSTM answers ordinary numbers to NaN, and the cut hides an infinity: 0 × either is NaN.
        broken = (windows * 0).sum((1, 2))[:, None]
        calibrated = torch.softmax(self.head(state) / self.temperature, dim=1)
        raw = torch.softmax(self.actor(state), dim=1)
        return calibrated + broken, raw + broken
