"""PyTorch's side of torch.node.ts: `torchPeer.py FOLDER THREADS`.

Says `"ready"`, then answers each line of JSON with one, until its input ends; then it removes FOLDER. Numbers travel as
files of float32 in FOLDER, weights as files that torch.load reads with weights_only=True; a request names files, and sizes,
never code. Work is timed here, so that neither the files nor the pipes are part of it.
"""

import ctypes
import json
import math
import os
import shutil
import sys
import time

THREADS = sys.argv[2]
ENVIRONMENT = {
    # torch.set_num_threads does not reach every BLAS.
    "OMP_NUM_THREADS": THREADS,
    "OPENBLAS_NUM_THREADS": THREADS,
    "MKL_NUM_THREADS": THREADS,
    # Threads that wait must not spin: whoever has the next turn needs the processor.
    "OMP_WAIT_POLICY": "PASSIVE",
    "OPENBLAS_THREAD_TIMEOUT": "4",
    # Memory that was freed is kept, always: else glibc decides by what it saw so far, and in some runs each large result
    # is made of pages that are new to the process, at twice the time.
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
}
if any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
    # They are read before Python begins, so it begins again.
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ENVIRONMENT})

import torch  # noqa: E402
from torch import nn
from torch.nn import functional as F

MOST_NUMBERS = 2**31
FUSED = hasattr(F, "scaled_dot_product_attention")


def attend(q, k, v):
    """softmax(q k^T / sqrt(d)) v on [B, h, N, d]."""
    if FUSED:
        return F.scaled_dot_product_attention(q, k, v)
    weights = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-2, -1)).softmax(-1)
    return torch.matmul(weights, v)


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        batch, tokens, dim = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(attend(*qkv.unbind(0)).transpose(1, 2).reshape(batch, tokens, dim))


class Mlp(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, hidden)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, dim, channels, patch):
        super().__init__()
        self.proj = nn.Conv2d(channels, dim, patch, stride=patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """DeiT, under the names of its public files; without class token, the classifier reads the mean of the tokens."""

    def __init__(self, channels, patch, dim, depth, heads, hidden, tokens, classToken, classes):
        super().__init__()
        self.patch_embed = PatchEmbed(dim, channels, patch)
        if classToken:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens, dim))
        self.blocks = nn.ModuleList(Block(dim, heads, hidden) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch_embed(x)
        classes = hasattr(self, "cls_token")
        if classes:
            x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1)
        x = x + self.pos_embed
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return self.head(x[:, 0] if classes else x.mean(1))


class Bottleneck(nn.Module):
    """Version 1.5: the 3x3 convolution strides."""

    def __init__(self, inputs, planes, stride):
        super().__init__()
        outputs = 4 * planes
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            convolution = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(convolution, nn.BatchNorm2d(outputs))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + shortcut)


class ResNet(nn.Module):
    """ResNets of bottlenecks, under torchvision's names."""

    def __init__(self, channels, width, depths, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.stages = len(depths)
        inputs = width
        for s, depth in enumerate(depths):
            planes = width * 2**s
            blocks = []
            for i in range(depth):
                blocks.append(Bottleneck(inputs, planes, 2 if s > 0 and i == 0 else 1))
                inputs = 4 * planes
            self.add_module(f"layer{s + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        for s in range(self.stages):
            x = getattr(self, f"layer{s + 1}")(x)
        return self.fc(x.mean((2, 3)))


class Server:
    """What was prepared, under the numbers by which requests mean it."""

    def __init__(self, folder):
        self.folder = folder
        self.works = {}
        self.made = 0

    def answer(self, request):
        handlers = {
            "attention": self.attention,
            "matMul": self.mat_mul,
            "network": self.network,
            "run": self.run,
            "result": self.result,
            "forget": self.forget,
        }
        handler = handlers.get(request.get("do"))
        if handler is None:
            raise ValueError(f"do: expected one of {', '.join(handlers)}, got {request.get('do')!r}")
        return handler(request)

    def attention(self, request):
        q, k, v = (self.read(name, request["shape"]) for name in request["files"])
        return self.keep(lambda: attend(q, k, v), attends=True)

    def mat_mul(self, request):
        m, k, n = request["sizes"]
        first, second = request["files"]
        a, b = self.read(first, [m, k]), self.read(second, [k, n])
        return self.keep(lambda: torch.matmul(a, b))

    def network(self, request):
        plan = dict(request["plan"])
        kind = plan.pop("kind")
        model = {"vit": VisionTransformer, "resnet": ResNet}[kind](**plan).eval()
        state = torch.load(self.path(request["weights"]), map_location="cpu", weights_only=True)
        # Counts batches of the training, which the other side leaves out.
        counters = {key: value for key, value in model.state_dict().items() if key.endswith("num_batches_tracked")}
        model.load_state_dict({**counters, **state})
        x = self.read(request["input"], request["shape"])
        return self.keep(lambda: model(x), attends=kind == "vit")

    def run(self, request):
        work = self.work(request)
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        work()
        return {"wallMs": (time.perf_counter_ns() - wall) / 1e6, "cpuMs": (time.process_time_ns() - cpu) / 1e6}

    def result(self, request):
        result = self.work(request)().contiguous()
        with open(self.path(request["file"]), "wb") as file:
            file.write(ctypes.string_at(result.data_ptr(), 4 * result.numel()))
        return {"numbers": result.numel()}

    def forget(self, request):
        self.works.pop(request["work"], None)
        return {}

    def keep(self, work, attends=False):
        self.made += 1
        self.works[self.made] = work
        attention = "scaled_dot_product_attention" if FUSED else "matmul, softmax, matmul"
        library = blas()
        return {
            "work": self.made,
            **({"attention": attention} if attends else {}),
            **({"blas": library} if library else {}),
        }

    def work(self, request):
        return self.works[request["work"]]

    def path(self, name):
        """Of a file in the folder, and nowhere else."""
        if name != os.path.basename(name) or name in ("", ".", ".."):
            raise ValueError(f"expected the name of a file, got {name!r}")
        return os.path.join(self.folder, name)

    def read(self, name, shape):
        """Numbers that the other side wrote; the file is removed."""
        if not all(isinstance(size, int) and size > 0 for size in shape) or math.prod(shape) > MOST_NUMBERS:
            raise ValueError(f"shape: expected positive integers, of at most {MOST_NUMBERS} numbers, got {shape}")
        path = self.path(name)
        if os.path.getsize(path) != 4 * math.prod(shape):
            raise ValueError(f"{name} has {os.path.getsize(path)} bytes, {shape} needs {4 * math.prod(shape)}")
        with open(path, "rb") as file:
            numbers = bytearray(file.read())
        os.remove(path)
        return torch.frombuffer(numbers, dtype=torch.float32).reshape(shape)


def blas():
    """Which library multiplies matrices, where the system tells: Debian's reference is ten times slower than OpenBLAS."""
    try:
        with open("/proc/self/maps", encoding="utf-8") as maps:
            loaded = maps.read()
    except OSError:
        return None
    names = {"mkl_": "MKL", "openblas": "OpenBLAS", "libblis": "BLIS", "libblas": "reference BLAS"}
    return next((name for part, name in names.items() if part in loaded), None)


def main():
    folder, threads = sys.argv[1], int(sys.argv[2])
    # Answers go where stdout went; whatever a library prints does not.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    server = Server(folder)
    try:
        print('"ready"', file=answers, flush=True)
        with torch.no_grad():
            for line in sys.stdin:
                try:
                    answer = server.answer(json.loads(line))
                except Exception as error:
                    answer = {"error": f"{type(error).__name__}: {str(error)[:500]}"}
                print(json.dumps(answer), file=answers, flush=True)
    finally:
        # Whoever started this may have been killed.
        shutil.rmtree(folder, ignore_errors=True)


main()
