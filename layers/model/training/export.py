"""Write a fitted policy as one ONNX file that says what it is. Runs in the training environment, in a fresh process.

`python -m layers.model.training.export RESULT GOLDEN METADATA FILE`: the result of `fitting`, windows whose answers
are to be kept (float32, `.npy`), a JSON object of metadata, and where to write.
"""

import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import nn

from layers.model.training.network import ACTIONS, Served, WindowLstm

OPSET = 20
INPUT, OUTPUTS = "windows", ("action_probs", "policy_probs")


def rebuilt(result: dict[str, NDArray[Any]]) -> Served:
    """The network of these weights."""
    state = {name: torch.from_numpy(values) for name, values in result.items()}
    mean, scale = state["backbone.mean"], state["backbone.scale"]
    hidden = result["head.weight"].shape[1]
    space = spaces.Box(-np.inf, np.inf, (1, len(mean)), np.float32)
    served = Served(
        WindowLstm(space, hidden, mean, scale),
        nn.Linear(hidden, ACTIONS),
        nn.Linear(hidden, ACTIONS),
        float(result["temperature"]),
    )
    parts = {name: values for name, values in state.items() if name.partition(".")[0] in ("backbone", "head", "actor")}
    served.load_state_dict({**parts, "temperature": served.temperature})
    served.eval()
    return served


def graph(served: Served, golden: torch.Tensor) -> onnx.ModelProto:
    """The network as an ONNX graph, without the trace of where and how it was made."""
    program = torch.onnx.export(
        served,
        (golden,),
        input_names=[INPUT],
        output_names=list(OUTPUTS),
        dynamic_shapes={"windows": {0: torch.export.Dim("batch")}},
        opset_version=OPSET,
        external_data=False,
        verbose=False,
    )
    stream = io.BytesIO()
    program.save(stream)
    model = onnx.load_from_string(stream.getvalue())
    strip(model)
    kinds = [node.op_type for node in model.graph.node]
    if kinds.count("LSTM") != 1:
        raise ValueError(f"the graph must hold one LSTM node; its nodes are {kinds}")
    return model


def strip(model: onnx.ModelProto) -> None:
    """Drop comments, traces and intermediate shapes: they hold paths and change from one export to the next."""
    body = model.graph
    del body.value_info[:]
    model.doc_string = body.doc_string = ""
    for part in (model, body, *body.node, *body.initializer, *body.input, *body.output):
        part.doc_string = ""
        del part.metadata_props[:]


def answers(served: Served, golden: torch.Tensor) -> str:
    """The windows and what this framework computes of them, for the check at every load."""
    with torch.no_grad():
        outputs = served(golden)
    return json.dumps(
        {
            "windows": base64.b64encode(golden.numpy().astype("<f4").tobytes()).decode(),
            "shape": list(golden.shape),
            **{name: output.tolist() for name, output in zip(OUTPUTS, outputs, strict=True)},
        }
    )


def main(result: str, golden: str, metadata: str, file: str) -> None:
    """Export on one thread; the same files give the same bytes."""
    torch.set_num_threads(1)
    with np.load(result) as data:
        served = rebuilt(dict(data))
    windows = torch.from_numpy(np.load(golden))
    model = graph(served, windows)
    said = json.loads(Path(metadata).read_text(encoding="utf-8"))
    said |= {"golden": answers(served, windows), "opset": OPSET}
    # A string is itself, anything else its JSON.
    properties = {name: value if isinstance(value, str) else json.dumps(value) for name, value in said.items()}
    onnx.helper.set_model_props(model, dict(sorted(properties.items())))
    onnx.checker.check_model(model, full_check=True)
    Path(file).write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
