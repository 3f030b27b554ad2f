"""Pillow's side of images: answers lines of JSON (see ../external/lineProcess.node.ts).

{"path", "short", "size", "out"}: decodes the file, resizes it to this short side, crops the middle, normalises; times it,
without writing the numbers to `out`, if that is given.
"""

import io
import json
import sys
import time

import numpy as np
from PIL import Image

MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)

files = {}


def transformed(encoded, short, size):
    """As torchvision's Resize, CenterCrop, ToTensor and Normalize, channels last."""
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    width, height = image.size
    long = int(short * max(width, height) / min(width, height))
    image = image.resize((short, long) if width <= height else (long, short), Image.BICUBIC)
    left, top = round((image.size[0] - size) / 2), round((image.size[1] - size) / 2)
    pixels = np.asarray(image.crop((left, top, left + size, top + size)), dtype=np.float32)
    return (pixels / np.float32(255) - MEAN) / STD


def answer(path, short, size, out=None):
    if path not in files:
        with open(path, "rb") as file:
            files[path] = file.read()
    began, used = time.perf_counter(), time.process_time()
    numbers = transformed(files[path], short, size)
    times = {"wallMs": (time.perf_counter() - began) * 1000, "cpuMs": (time.process_time() - used) * 1000}
    if out is not None:
        numbers.tofile(out)
    return times


print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    try:
        result = answer(**json.loads(line))
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(result), flush=True)
