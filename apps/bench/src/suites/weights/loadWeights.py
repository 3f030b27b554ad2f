"""PyTorch's side of loading weights: answers lines of JSON (see ../external/lineProcess.node.ts).

{"do": "rewrite", "path"}  saves the file again by torch.save
{"do": "build", "path"}    makes a model for the file (of whatever name): a tree of modules that holds parameters of its names and shapes,
                           which is all that load_state_dict sees of one
{"do": "load", "path"}     torch.load and load_state_dict, timed
{"do": "checksum"}         of the model's weights
{"do": "parse", "path"}    torch.load alone from bytes in memory, timed, and the checksum of what came out
"""

import io
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


def checksum(state):
    """The sum over all tensors of |v_i| (1 + i mod 7): of the same numbers in another order, another one."""
    total = 0.0
    for value in state.values():
        if value.is_floating_point():
            numbers = value.detach().double().abs().flatten()
            total += float((numbers * (torch.arange(len(numbers)) % 7 + 1)).sum())
    return total


def timed(work):
    began, used = time.perf_counter(), time.process_time()
    result = work()
    return {"wallMs": (time.perf_counter() - began) * 1000, "cpuMs": (time.process_time() - used) * 1000}, result


class Server:
    model = None
    bytes_of = {}

    def rewrite(self, path):
        torch.save(torch.load(path, map_location="cpu"), path + ".new")
        os.replace(path + ".new", path)
        return None

    def build(self, path, model=None):
        self.model = Tree(shapes_of(path))
        return {"threads": torch.get_num_threads()}

    def load(self, path):
        before = peak_bytes()
        times, _ = timed(
            lambda: self.model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        )
        return {**times, "peakBytes": peak_bytes(), "bytesBefore": before}

    def checksum(self):
        return checksum(self.model.state_dict())

    def parse(self, path):
        if path not in self.bytes_of:
            with open(path, "rb") as file:
                self.bytes_of[path] = file.read()
        times, state = timed(lambda: torch.load(io.BytesIO(self.bytes_of[path]), map_location="cpu", weights_only=True))
        return {**times, "checksum": checksum(state)}


server = Server()
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = getattr(server, question.pop("do"))(**question)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
