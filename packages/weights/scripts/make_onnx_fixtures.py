"""Writes the files of src/fixtures/onnx with the reference library, and what they hold into expected.safetensors.

    python3 packages/weights/scripts/make_onnx_fixtures.py     (pip install onnx)

The committed files come from onnx 1.23.1. An initialiser `name` of `file.onnx` is the tensor `file.onnx/name` of
expected.safetensors; types that safetensors has no name for, and complex numbers, are there as their bytes.
"""
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors_writer import write_safetensors

OUT = Path(__file__).parent.parent / "src" / "fixtures" / "onnx"
CODES = {
    TensorProto.FLOAT: "F32",
    TensorProto.DOUBLE: "F64",
    TensorProto.FLOAT16: "F16",
    TensorProto.BFLOAT16: "BF16",
    TensorProto.INT64: "I64",
    TensorProto.INT32: "I32",
    TensorProto.INT16: "I16",
    TensorProto.INT8: "I8",
    TensorProto.UINT64: "U64",
    TensorProto.UINT32: "U32",
    TensorProto.UINT16: "U16",
    TensorProto.UINT8: "U8",
    TensorProto.BOOL: "BOOL",
    TensorProto.FLOAT8E4M3FN: "F8_E4M3",
    TensorProto.FLOAT8E4M3FNUZ: "F8_E4M3FNUZ",
    TensorProto.FLOAT8E5M2: "F8_E5M2",
    TensorProto.FLOAT8E5M2FNUZ: "F8_E5M2FNUZ",
    TensorProto.FLOAT8E8M0: "F8_E8M0",
}
expected = {}


def samples():
    """Name -> (type, array whose bytes are those of the elements)."""
    def integers(dtype):
        info = np.iinfo(dtype)
        return np.array([[info.min, 0, 1], [info.max, 2, 3]], dtype=dtype)

    floats = np.array([0.1, -1.5, 3.25, 0.0, 2.0, 448.0], dtype=np.float32).reshape(3, 2)
    arrays = {
        "float32": (TensorProto.FLOAT, floats),
        "float64": (TensorProto.DOUBLE, floats.astype(np.float64) / 3),
        "float16": (TensorProto.FLOAT16, np.array([0x7BFF, 0x8001, 0xFC00], dtype=np.uint16).view(np.float16)),
        "bfloat16": (TensorProto.BFLOAT16, floats.astype(ml_dtypes.bfloat16)),
        "float8_e4m3fn": (TensorProto.FLOAT8E4M3FN, floats.astype(ml_dtypes.float8_e4m3fn)),
        "float8_e4m3fnuz": (TensorProto.FLOAT8E4M3FNUZ, floats.astype(ml_dtypes.float8_e4m3fnuz)),
        "float8_e5m2": (TensorProto.FLOAT8E5M2, floats.astype(ml_dtypes.float8_e5m2)),
        "float8_e5m2fnuz": (TensorProto.FLOAT8E5M2FNUZ, floats.astype(ml_dtypes.float8_e5m2fnuz)),
        "bool": (TensorProto.BOOL, np.array([True, False, True])),
        "complex64": (TensorProto.COMPLEX64, np.array([1 + 2j, -0.5j], dtype=np.complex64)),
        "complex128": (TensorProto.COMPLEX128, np.array([1 + 2j, -0.5j])),
        "int4": (TensorProto.INT4, np.array([-8, 7, 1, -1, 3], dtype=ml_dtypes.int4)),
        "uint4": (TensorProto.UINT4, np.array([0, 15, 1, 8, 3], dtype=ml_dtypes.uint4)),
        "scalar": (TensorProto.FLOAT, np.array(2.5, dtype=np.float32)),
        "empty": (TensorProto.FLOAT, np.zeros((0, 3), dtype=np.float32)),
    }
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        arrays[name] = (getattr(TensorProto, name.upper()), integers(name))
    return arrays


def proto(name, array):
    return numpy_helper.from_array(array, name)


def in_fields(name, kind, array):
    """The same in the typed field, not in raw_data."""
    raw = proto(name, array)
    tensor = TensorProto(name=name, data_type=kind, dims=raw.dims)
    data = raw.raw_data
    if kind in (TensorProto.FLOAT, TensorProto.COMPLEX64):
        tensor.float_data.extend(np.frombuffer(data, "<f4").tolist())
    elif kind in (TensorProto.DOUBLE, TensorProto.COMPLEX128):
        tensor.double_data.extend(np.frombuffer(data, "<f8").tolist())
    elif kind == TensorProto.INT64:
        tensor.int64_data.extend(array.ravel().tolist())
    elif kind in (TensorProto.UINT32, TensorProto.UINT64):
        tensor.uint64_data.extend(array.ravel().tolist())
    elif array.dtype.kind == "i" and kind != TensorProto.INT4:
        tensor.int32_data.extend(array.ravel().tolist())
    else:
        # Bit patterns.
        width = 2 if array.dtype.itemsize == 2 else 1
        tensor.int32_data.extend(np.frombuffer(data, f"<u{width}").tolist())
    return tensor


def expect(file, tensors):
    for name, (kind, array) in tensors.items():
        data = proto(name, array).raw_data
        code = CODES.get(kind)
        expected[f"{file}/{name}"] = (code, array.shape, data) if code else ("U8", [len(data)], data)


def model(initializers, sparse=()):
    # Nodes before and after, which a reader of weights passes over, one with a tensor in it.
    constant = helper.make_node("Constant", [], ["c"], value=proto("inside", np.ones(3, dtype=np.float32)))
    nodes = [constant] + [helper.make_node("Identity", ["c"], [f"y{i}"]) for i in range(3)]
    output = helper.make_tensor_value_info("y2", TensorProto.FLOAT, [3])
    graph = helper.make_graph(nodes, "graph", [], [output], initializers, sparse_initializer=list(sparse))
    made = helper.make_model(graph, producer_name="saccade", producer_version="1", ir_version=10)
    helper.set_model_props(made, {"source": "make_onnx_fixtures.py"})
    return made


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    tensors = samples()
    onnx.save(model([proto(name, array) for name, (_, array) in tensors.items()]), OUT / "raw.onnx")
    expect("raw.onnx", tensors)
    onnx.save(model([in_fields(name, *value) for name, value in tensors.items()]), OUT / "fields.onnx")
    expect("fields.onnx", tensors)

    outside = {name: tensors[name] for name in ("float32", "int64", "float16")}
    external = model([proto(name, array) for name, (_, array) in outside.items()])
    (OUT / "external.data").unlink(missing_ok=True)
    onnx.save(external, OUT / "external.onnx", save_as_external_data=True, location="external.data", size_threshold=0)
    expect("external.onnx", outside)

    values = proto("sparse", np.array([1.0, 2.0], dtype=np.float32))
    indices = numpy_helper.from_array(np.array([0, 3]), "indices")
    mixed = model(
        [proto("good", tensors["float32"][1]), helper.make_tensor("text", TensorProto.STRING, [1], [b"abc"])],
        [helper.make_sparse_tensor(values, indices, [5])],
    )
    onnx.save(mixed, OUT / "mixed.onnx")
    write_safetensors(OUT / "expected.safetensors", expected)
    print(f"onnx {onnx.__version__}: {sum(f.stat().st_size for f in OUT.iterdir())} bytes")


main()
