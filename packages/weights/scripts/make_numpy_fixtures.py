"""Writes the files of src/fixtures/numpy with NumPy, and what they hold into expected.safetensors.

    python3 packages/weights/scripts/make_numpy_fixtures.py     (Debian: apt-get install python3-numpy)

The committed files come from NumPy 2.4.6. An array `name` of `file.npz` is the tensor `file.npz/name` of
expected.safetensors; the array of `file.npy` is `file.npy/arr_0`. Complex numbers are there as their bytes.
"""
import io
import sys
from pathlib import Path

import numpy as np
from safetensors_writer import write_safetensors

OUT = Path(__file__).parent.parent / "src" / "fixtures" / "numpy"
CODES = {"b1": "BOOL", "f2": "F16", "f4": "F32", "f8": "F64"}
CODES |= {f"{kind}{width}": f"{kind.upper()}{8 * width}" for kind in "iu" for width in (1, 2, 4, 8)}
expected = {}


def expect(file, **arrays):
    for name, array in arrays.items():
        array = np.asarray(array)
        little = array.astype(array.dtype.newbyteorder("<"))
        code = CODES.get(array.dtype.str[1:])
        data = little.tobytes(order="C")
        expected[f"{file}/{name}"] = (code, array.shape, data) if code else ("U8", [len(data)], data)


def save(file, array, version=None):
    with open(OUT / file, "wb") as out:
        np.lib.format.write_array(out, np.asanyarray(array), version=version, allow_pickle=True)


def numbers():
    bits = lambda dtype, values: np.array(values, dtype=f"<u{np.dtype(dtype).itemsize}").view(dtype)
    arrays = {
        "b1": np.array([True, False, True]),
        # Zeros, subnormals, the border to normal numbers, the largest finite values, infinities, a NaN.
        "f2": bits("<f2", [0, 0x8000, 1, 0x3FF, 0x400, 0x3C00, 0x7BFF, 0x7C00, 0xFC00, 0x7E01]),
        "f4": np.array([0.1, -1e-45, 3.4e38, -np.inf, np.nan], dtype="<f4"),
        "f8": np.array([0.1, -5e-324, 1.7e308, np.inf, -0.0]),
        "c8": np.array([1 + 2j, -0.5j], dtype="<c8"),
        "c16": np.array([1 + 2j, -0.5j]),
    }
    for width in (1, 2, 4, 8):
        for kind in "iu":
            info = np.iinfo(f"{kind}{width}")
            arrays[f"{kind}{width}"] = np.array([info.min, 0, 1, info.max], dtype=f"<{kind}{width}")
    big = {f"big_{name}": array.astype(array.dtype.newbyteorder(">")) for name, array in arrays.items()}
    return arrays | {name: array for name, array in big.items() if array.dtype.itemsize > 1}


def layouts():
    cube = np.arange(24, dtype="<i2").reshape(2, 3, 4)
    return {
        "scalar": np.array(2.5, dtype="<f4"),
        "empty": np.zeros((0, 3), dtype="<f4"),
        "row": cube,
        "fortran": np.asfortranarray(cube),
        "fortran_big": np.asfortranarray(cube.astype(">f8")),
        "fortran_complex": np.asfortranarray((cube[0] * (1 + 1j)).astype(">c8")),
        "fortran_column": np.asfortranarray(np.arange(5, dtype="<f4").reshape(5, 1)),
        "encoder/layer.0/weight": np.ones((2, 2), dtype="<f4"),
        "poids_\N{LATIN SMALL LETTER E WITH ACUTE}": np.array([1], dtype="|u1"),
    }


class Unseekable(io.RawIOBase):
    """Output that cannot go back, as to a pipe: the archive states sizes and checksums after the data."""

    def __init__(self):
        self.parts = []

    def writable(self):
        return True

    def write(self, part):
        self.parts.append(bytes(part))
        return len(part)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    np.savez(OUT / "stored.npz", **numbers(), **layouts())
    expect("stored.npz", **numbers(), **layouts())
    # Numbers that do not shrink, and 80 kB of zeros that become some hundred bytes, which need no expectation.
    random = np.random.default_rng(7).standard_normal(500).astype("<f4")
    packed = numbers() | layouts() | {"random": random}
    np.savez_compressed(OUT / "deflated.npz", **packed, zeros=np.zeros((100, 200), dtype="<f4"))
    expect("deflated.npz", **packed)
    pipe = Unseekable()
    np.savez_compressed(pipe, random)
    (OUT / "streamed.npz").write_bytes(b"".join(pipe.parts))
    expect("streamed.npz", arr_0=random)

    cube = layouts()["fortran_big"]
    for major in (1, 2, 3):
        save(f"version_{major}.npy", cube, (major, 0))
        expect(f"version_{major}.npy", arr_0=cube)

    records = np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f4")])
    refused = {
        "objects": np.array([{"a": 1}, None], dtype=object),
        "records": records,
        "text": np.array(["a", "bc"]),
        "bytes": np.array([b"a", b"bc"]),
        "dates": np.array(["2020-01-01"], dtype="<M8[D]"),
        "spans": np.array([3], dtype="<m8[s]"),
        "void": np.array([b"ab"], dtype="V2"),
        "long_double": np.array([1], dtype=np.longdouble),
    }
    for name, array in refused.items():
        save(f"refused_{name}.npy", array)
    np.savez(OUT / "mixed.npz", good=random[:3], **refused)
    expect("mixed.npz", good=random[:3])
    write_safetensors(OUT / "expected.safetensors", expected)
    print(f"NumPy {np.__version__}, Python {sys.version.split()[0]}: {sum(f.stat().st_size for f in OUT.iterdir())} bytes")


main()
