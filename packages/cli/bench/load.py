"""PyTorch's side of load.ts: `rewrite FILE` saves it again by torch.save, `load FILE` measures loading it into a model.

The model is a tree of modules that holds parameters of the names and shapes of the file, which is all that load_state_dict
sees of one.
"""

import json
import os
import resource
import sys
import time

import torch


class Tree(torch.nn.Module):
    """A module with the weights of a state dict, as random numbers, in modules named as in its keys."""

    def __init__(self, shapes):
        super().__init__()
        children = {}
        for key, (shape, dtype) in shapes.items():
            name, _, rest = key.partition(".")
            if rest:
                children.setdefault(name, {})[rest] = (shape, dtype)
            elif dtype.is_floating_point:
                self.register_parameter(name, torch.nn.Parameter(torch.rand(shape, dtype=dtype)))
            else:
                self.register_buffer(name, torch.zeros(shape, dtype=dtype))
        for name, part in children.items():
            self.add_module(name, Tree(part))


def peak_bytes():
    """ru_maxrss is in KiB on Linux and in bytes on macOS."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def shapes_of(path):
    """Read in another process, so that this one's peak of memory is not that of reading."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        state = torch.load(path, map_location="cpu")
        text = json.dumps({key: (list(value.shape), str(value.dtype)) for key, value in state.items()})
        with os.fdopen(writer, "w") as out:
            out.write(text)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as text:
        shapes = json.load(text)
    os.wait()
    return {key: (shape, getattr(torch, dtype.split(".")[1])) for key, (shape, dtype) in shapes.items()}


def load(path):
    model = Tree(shapes_of(path))
    bytes_before = peak_bytes()
    began = time.perf_counter()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    milliseconds = (time.perf_counter() - began) * 1000
    peak = peak_bytes()
    checksum = sum(float(value.double().abs().sum()) for value in model.state_dict().values() if value.is_floating_point())
    return {
        "fileBytes": os.path.getsize(path),
        "milliseconds": milliseconds,
        "peakBytes": peak,
        "bytesBefore": bytes_before,
        "checksum": checksum,
    }


command, file = sys.argv[1:]
if command == "rewrite":
    torch.save(torch.load(file, map_location="cpu"), file + ".new")
    os.replace(file + ".new", file)
else:
    print(json.dumps(load(file)))
