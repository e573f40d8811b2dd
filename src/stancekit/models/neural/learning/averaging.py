"""The mean of a network's weights over the last steps of training (Izmailov et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

State = dict[str, torch.Tensor]


def trainable(net: nn.Module) -> State:
    """Return the weights that training changes, by name."""
    return {name: p.data for name, p in net.named_parameters() if p.requires_grad}


def copied(net: nn.Module) -> State:
    """Return a copy of the weights that training changes, in main memory."""
    return {name: value.detach().to("cpu", copy=True) for name, value in trainable(net).items()}


def whole(net: nn.Module) -> State:
    """Return all weights by name; one that goes by several names (tied to another) under the first of them."""
    found: State = {}
    places: set[tuple[int, torch.Size]] = set()
    for name, value in net.state_dict().items():
        place = (value.data_ptr(), value.shape)
        if not value.numel() or place not in places:
            found[name] = value.contiguous()
        places.add(place)
    return found


def put(net: nn.Module, state: State) -> None:
    """Set the weights that training changes."""
    with torch.no_grad():
        for name, value in trainable(net).items():
            value.copy_(state[name])


def is_finite(net: nn.Module) -> bool:
    """Say whether all weights that training changes are numbers."""
    return all(bool(torch.isfinite(value).all()) for value in trainable(net).values())


class Average:
    """A running mean of weights."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: State = {}

    def add(self, net: nn.Module) -> None:
        """Take the weights as they are now into the mean."""
        self.count += 1
        for name, value in trainable(net).items():
            if self.count == 1:
                self.mean[name] = value.detach().clone()
            else:
                self.mean[name].lerp_(value, 1 / self.count)

    @contextmanager
    def applied(self, net: nn.Module) -> Iterator[None]:
        """Let the network have the mean weights inside, where there are some."""
        if not self.count:
            yield
            return
        own = {name: value.detach().clone() for name, value in trainable(net).items()}
        put(net, self.mean)
        try:
            yield
        finally:
            put(net, own)


def write(path: Path, state: State) -> None:
    """Write weights as safetensors."""
    save_file({name: value.contiguous() for name, value in state.items()}, path)


def read(path: Path) -> State:
    """Read what `write` wrote."""
    return load_file(path)
