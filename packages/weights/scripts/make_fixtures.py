"""Writes the files of src/fixtures/torch with PyTorch, and what they hold into expected.safetensors.

    /usr/bin/python3 packages/weights/scripts/make_fixtures.py     (Debian: apt-get install python3-torch)

The committed files come from PyTorch 1.13 and NumPy 1.24. A tensor `name` of `file.pth` is the tensor `file/name` of
expected.safetensors, contiguous; types that safetensors has no name for are there as their bytes.
"""
import argparse
import collections
import json
import pickle
import struct
from pathlib import Path

import numpy as np
import torch
from torch import nn

OUT = Path(__file__).parent.parent / "src" / "fixtures" / "torch"
CODES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
expected = {}


def raw(tensor):
    """The elements as bytes, row-major, through PyTorch's own view as bytes."""
    tensor = tensor.detach()
    if tensor.is_quantized:
        tensor = tensor.int_repr()
    flat = tensor.contiguous().reshape(-1)
    if flat.is_complex():
        flat = torch.view_as_real(flat).reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def expect(file, tensors):
    for name, tensor in tensors.items():
        data = raw(tensor)
        if tensor.dtype in CODES:
            expected[f"{file}/{name}"] = (CODES[tensor.dtype], list(tensor.shape), data)
        else:
            expected[f"{file}/{name}"] = ("U8", [len(data)], data)


def save(name, value, tensors, legacy=True):
    """Saves `value` in both forms; `tensors` are those a reader should find."""
    torch.save(value, OUT / f"{name}.pth")
    expect(f"{name}.pth", tensors)
    if legacy:
        torch.save(value, OUT / f"{name}.legacy.pth", _use_new_zipfile_serialization=False)
        expect(f"{name}.legacy.pth", tensors)


def bits(dtype, values, view):
    return torch.tensor(values, dtype=view).view(dtype)


def dtypes():
    tensors = collections.OrderedDict(
        float64=torch.tensor([0.1, -5e-324, float("inf"), float("nan")], dtype=torch.float64),
        float32=torch.tensor([[0.1, -1e-45], [3.4e38, float("-inf")]]),
        # Zeros, subnormals, the border to normal numbers, the largest finite values, infinities.
        float16=bits(torch.float16, [0, -(2**15), 1, 0x3FF, 0x400, 0x3C00, 0x7BFF, 0x7C00], torch.int16),
        bfloat16=bits(torch.bfloat16, [0, -(2**15), 1, 0x7F, 0x80, 0x3F80, 0x7F7F, 0x7F80], torch.int16),
        int64=torch.tensor([-(2**63), 2**63 - 1]),
        int32=torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
        int16=torch.tensor([-(2**15), 2**15 - 1], dtype=torch.int16),
        int8=torch.tensor([-128, 127], dtype=torch.int8),
        uint8=torch.tensor([0, 1, 255], dtype=torch.uint8),
        bool=torch.tensor([True, False, True]),
        complex64=torch.tensor([1 - 2j, 0.5j], dtype=torch.complex64),
        complex128=torch.tensor([1 - 2j], dtype=torch.complex128),
        complex_transposed=torch.arange(8, dtype=torch.float64).to(torch.complex128).reshape(2, 4).t(),
    )
    save("dtypes", tensors, tensors)


def views():
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    long = torch.arange(12).reshape(3, 4)
    half = torch.arange(30, dtype=torch.float16).reshape(5, 6)
    tied = torch.arange(6, dtype=torch.float32)
    with_attribute = torch.tensor([1.0, 2.0])
    with_attribute.note = "kept by PyTorch, dropped here"
    tensors = {
        "transposed": base.permute(2, 0, 1),
        "sliced": base[:, 1:, 2:],
        "stepped": base[:, ::2, 1::2],
        "one_row": base[1, 2],
        "one_number": base[1, 2, 3],
        "long_transposed": long.t(),
        "half_column": half[:, 3],
        "byte_transposed": torch.arange(10, dtype=torch.uint8).reshape(2, 5).t(),
        "diagonal": torch.arange(16, dtype=torch.float32).reshape(4, 4).diagonal(),
        "overlapping": torch.arange(10, dtype=torch.int32).unfold(0, 4, 2),
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 3),
        "channels_last": torch.arange(48, dtype=torch.float32).reshape(2, 3, 2, 4).to(memory_format=torch.channels_last),
        "empty": torch.empty(2, 0, 3),
        "empty_of_storage": base[:, 3:],
        "scalar": torch.tensor(0.5),
        "tied.a": tied,
        "tied.b": tied,
        "tied.part": tied[2:5],
        "parameter": nn.Parameter(torch.tensor([3.0, 4.0])),
        "frozen": nn.Parameter(torch.tensor([5]), requires_grad=False),
        "with_attribute": with_attribute,
    }
    save("views", tensors, tensors)


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        collections.OrderedDict(conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4), head=nn.Linear(4, 2, bias=False))
    )


def training():
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4])
    model.head(model.norm(model.conv(torch.randn(2, 3, 5, 5))).mean((2, 3))).sum().backward()
    optimizer.step()
    # The state dict of a module is an OrderedDict with an attribute `_metadata`.
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    checkpoint = {
        "epoch": 300,
        "arch": "résnet",
        "best_acc1": 76.13,
        "big": 2**70,
        "negative": -(2**40),
        "model": nn.DataParallel(model).state_dict(),
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": scheduler.state_dict(),
        "args": argparse.Namespace(lr=1e-3, data="/data/imagenet", crop=(224, 224), resume=None, amp=True),
        "loss": np.float64(0.25),
        "step": np.int64(2**40),
        "flag": np.bool_(True),
        "history": np.arange(6, dtype=np.float32).reshape(2, 3),
        "column_major": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
        "other_endian": np.arange(3, dtype=">i4"),
        "classes": {"cat", "dog"},
        "mixed": [None, True, (1, 2.5), {3: "three"}, [], (), {}],
        "device": torch.device("cuda", 1),
        "dtype": torch.bfloat16,
        "size": torch.Size([2, 3]),
        "layout": torch.strided,
        "rng": torch.get_rng_state()[:16].clone(),
    }
    save("training", checkpoint, weights)


def containers():
    weights = {"a.weight": torch.tensor([1.0]), "a.bias": torch.tensor([2.0])}
    last = {key: value + 10 for key, value in weights.items()}
    averaged = {"n_averaged": torch.tensor(7), **{f"module.{key}": value for key, value in weights.items()}}
    compiled = {f"module._orig_mod.{key}": value for key, value in weights.items()}
    for name, value, found in [
        ("state_dict_ema", {"state_dict": last, "state_dict_ema": weights}, weights),
        ("model_ema", {"model": last, "model_ema": averaged}, {"n_averaged": torch.tensor(7), **weights}),
        ("state_dict", {"state_dict": compiled, "model": "resnet50"}, weights),
        ("model_state", {"epoch": 3, "model_state": weights}, weights),
        ("nested", {"state_dict": {"model": weights}}, weights),
        ("two_parts", {"generator": weights, "discriminator": last}, weights),
    ]:
        save(f"container_{name}", value, found, legacy=False)


def others():
    """What is listed but not decoded, and what is refused."""
    quantised = torch.quantize_per_tensor(torch.tensor([[0.0, 0.5], [1.0, -1.0]]), 0.5, 3, torch.quint8)
    per_channel = torch.quantize_per_channel(
        torch.tensor([[0.0, 0.5], [1.0, -1.0]]), torch.tensor([0.5, 0.25]), torch.tensor([1, 2]), 0, torch.qint8
    )
    tensors = {"quint8": quantised, "qint8_per_channel": per_channel}
    save("quantised", tensors, tensors)
    save("single_tensor", torch.tensor([1.0, 2.0]), {"tensor": torch.tensor([1.0, 2.0])})
    save("whole_module", network(), {})
    save("sparse", {"a": torch.eye(3).to_sparse()}, {}, legacy=False)
    save("no_tensors", {"epoch": 3}, {}, legacy=False)
    torch.jit.save(torch.jit.script(network()), OUT / "torchscript.pt")
    torch.save({"a": torch.tensor([1.0])}, OUT / "protocol_4.pth", pickle_protocol=4)
    (OUT / "plain_pickle.pkl").write_bytes(pickle.dumps({"a": np.arange(3)}, protocol=2))
    np.savez(OUT / "arrays.npz", a=np.arange(3))


def write_expected():
    header, position = {}, 0
    for name, (code, shape, data) in expected.items():
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [position, position + len(data)]}
        position += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(OUT / "expected.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(data for _, _, data in expected.values())


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    for make in (dtypes, views, training, containers, others):
        make()
    write_expected()
