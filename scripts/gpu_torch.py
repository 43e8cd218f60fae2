#!/usr/bin/env python3
"""PyTorch's side of `tenon bench gpu`: reads one question a line as JSON from standard input, answers each with one line of JSON.

A network comes as the tree of layers that tenon.benchmarks.gpu.NetworkDescription writes, so that both sides train the same one.
"""

import gc
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

WARM_UP_STEPS = 8
EPOCHS = 3


class Activation(nn.Module):
    def __init__(self, node):
        super().__init__()
        self.kind = node["kind"]
        self.alpha = node["alpha"]

    def forward(self, x):
        kind = self.kind
        if kind == "none":
            return x
        if kind == "relu":
            return F.relu(x, inplace=True)
        if kind == "relu6":
            return F.relu6(x)
        if kind == "leaky_relu":
            return F.leaky_relu(x, self.alpha)
        if kind == "elu":
            return F.elu(x, self.alpha)
        if kind == "sigmoid":
            return torch.sigmoid(x)
        if kind == "tanh":
            return torch.tanh(x)
        raise ValueError("activation " + kind)


class PRelu(nn.Module):
    """Autocast leaves prelu alone, which wants images and slopes in one type."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), 0.25))

    def forward(self, x):
        return F.prelu(x, self.weight.to(x.dtype))


class Concat(nn.Module):
    def __init__(self, branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class Add(nn.Module):
    def __init__(self, main, shortcut, activation):
        super().__init__()
        self.main = main
        self.shortcut = shortcut
        self.activation = activation

    def forward(self, x):
        return self.activation(self.main(x) + (x if self.shortcut is None else self.shortcut(x)))


class PreActivation(nn.Module):
    def __init__(self, first, main, shortcut):
        super().__init__()
        self.first = first
        self.main = main
        self.shortcut = shortcut

    def forward(self, x):
        # The activation inside must not write over x, which the identity adds.
        activated = self.first(x)
        return self.main(activated) + (x if self.shortcut is None else self.shortcut(activated))


class Normalization(nn.BatchNorm2d):
    """Of images or of rows of features."""

    def _check_input_dim(self, x):
        pass


def padded(node, make):
    """A layer of symmetric padding, with what is uneven added in front."""
    top, bottom, left, right = node["padding"]
    if top == bottom and left == right:
        return [make((top, left))]
    value = float("-inf") if node["op"] == "max_pool" else 0.0
    return [nn.ConstantPad2d((left, right, top, bottom), value), make((0, 0))]


def activated(layers, node):
    if node["kind"] != "none":
        layers.append(Activation(node))
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)


def build(node):
    op = node["op"]
    if op == "chain":
        return nn.Sequential(*[build(layer) for layer in node["layers"]])
    if op == "concat":
        return Concat([build(branch) for branch in node["branches"]])
    if op == "add":
        return Add(build(node["main"]), build(node["shortcut"]) if node["shortcut"] else None, build(node["activation"]))
    if op == "pre_activation":
        return PreActivation(build(node["first"]), build(node["main"]), build(node["shortcut"]) if node["shortcut"] else None)
    if op == "conv":
        make = lambda padding: nn.Conv2d(
            node["in"], node["out"], tuple(node["kernel"]), tuple(node["stride"]), padding, tuple(node["dilation"]), node["groups"], node["bias"]
        )
        return activated(padded(node, make), node["activation"])
    if op == "linear":
        return activated([nn.Linear(node["in"], node["out"], node["bias"])], node["activation"])
    if op == "batch_norm":
        if node["scale"] != node["shift"]:
            raise ValueError("batch_norm: torch has scale and shift, or neither")
        return activated([Normalization(node["channels"], node["epsilon"], node["momentum"], node["scale"])], node["activation"])
    if op == "activation":
        return Activation(node)
    if op == "prelu":
        return PRelu(node["channels"])
    if op == "max_pool":
        make = lambda padding: nn.MaxPool2d(tuple(node["kernel"]), tuple(node["stride"]), padding, ceil_mode=node["ceil"])
        return activated(padded(node, make), {"kind": "none"})
    if op == "avg_pool":
        make = lambda padding: nn.AvgPool2d(
            tuple(node["kernel"]), tuple(node["stride"]), padding, ceil_mode=node["ceil"], count_include_pad=node["count_padding"]
        )
        return activated(padded(node, make), {"kind": "none"})
    if op == "global_avg_pool":
        return nn.AdaptiveAvgPool2d(1)
    if op == "dropout":
        return nn.Dropout(node["rate"])
    if op == "flatten":
        return nn.Flatten(1)
    raise ValueError("no layer " + op)


def facts(_):
    answer = {"torch": torch.__version__, "cuda": str(torch.version.cuda)}
    if torch.cuda.is_available():
        answer["gpu"] = torch.cuda.get_device_name()
        answer["cudnn"] = str(torch.backends.cudnn.version())
    return answer


def wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def train(question):
    device = torch.device("cuda", question["device"]) if torch.cuda.is_available() else torch.device("cpu")
    mode = question["mode"]
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = mode == "tf32"
    torch.backends.cudnn.allow_tf32 = mode == "tf32"
    torch.manual_seed(42)
    network = build(question["network"]).to(device=device, memory_format=torch.channels_last).train()
    parameters = sum(parameter.numel() for parameter in network.parameters())
    n, h, w, c = question["input"]
    images = (2 * torch.rand(n, c, h, w, device=device) - 1).to(memory_format=torch.channels_last)
    labels = torch.randint(0, question["classes"], (n,), device=device)
    settings = {"lr": question["rate"], "momentum": question["momentum"], "weight_decay": question["weight_decay"]}
    if device.type == "cuda":
        settings["fused"] = True
    optimizer = torch.optim.SGD(network.parameters(), **settings)
    apply = torch.compile(network) if question["variant"] == "compiled" else network

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=mode == "bf16"):
            loss = F.cross_entropy(apply(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    def epoch(steps):
        wait(device)
        start = time.perf_counter()
        for _ in range(steps):
            loss = step()
        wait(device)
        return (time.perf_counter() - start) / steps, loss

    epoch(WARM_UP_STEPS)
    once, loss = epoch(WARM_UP_STEPS)
    steps = max(2, int(question["seconds"] / EPOCHS / once))
    step_seconds = []
    for _ in range(EPOCHS):
        seconds, loss = epoch(steps)
        step_seconds.append(seconds)
    return {
        "step_seconds": step_seconds,
        "parameters": parameters,
        "loss": float(loss),
        "memory_bytes": torch.cuda.max_memory_reserved(device) if device.type == "cuda" else 0,
    }


def release():
    """The memory of this measurement is the other side's in the next."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    if hasattr(torch, "_dynamo"):
        torch._dynamo.reset()


def main():
    asked = {"facts": facts, "train": train}
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = asked[question["ask"]](question)
        except Exception as error:  # the measurement goes on with the next question
            answer = {"error": "%s: %s" % (type(error).__name__, " ".join(str(error).split("\n")[:3]))}
        release()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
