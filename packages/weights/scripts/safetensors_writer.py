"""Writes the expectations of the other scripts here: as plainly as the format allows, and without a library."""
import json
import struct


def write_safetensors(path, tensors):
    """`tensors`: name -> (dtype code of safetensors, shape, bytes). Wider types come first, as alignment asks for."""
    width = lambda code: {"F64": 8, "I64": 8, "U64": 8, "C64": 8, "F32": 4, "I32": 4, "U32": 4}.get(code, 1)
    header, parts, offset = {}, [], 0
    for name, (code, shape, data) in sorted(tensors.items(), key=lambda item: (-width(item[1][0]), item[0])):
        header[name] = {"dtype": code, "shape": list(shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))
