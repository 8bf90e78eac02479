"""CLIP_benchmark's recall and linear probe on features of chance, on the CPU; `tests/peer/speed` runs ours beside it."""
import contextlib, io, sys, time
import torch
from clip_benchmark.metrics import linear_probe, zeroshot_retrieval

part = int(sys.argv[1]) if len(sys.argv) > 1 else 1
torch.manual_seed(0)


def timed(what, work):
    for _ in range(3):
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            work()
        print(f"CLIP_benchmark  {what:14} {time.perf_counter() - start:.2f} s", flush=True)


def features(n):
    return torch.nn.functional.normalize(torch.randn(n, 512), dim=-1)


images, texts = features(5000 // part), features(25000 // part)
positive = torch.zeros(len(texts), len(images), dtype=bool)
positive[torch.arange(len(texts)), torch.arange(len(texts)) % len(images)] = True


def retrieval():
    scores = texts @ images.t()
    for k in (1, 5, 10):
        zeroshot_retrieval.batchify(zeroshot_retrieval.recall_at_k, scores, positive, 64, "cpu", k=k)
        zeroshot_retrieval.batchify(zeroshot_retrieval.recall_at_k, scores.T, positive.T, 64, "cpu", k=k)


timed("retrieval", retrieval)
x, y = features(50000 // part), torch.arange(50000 // part) % 100
torch.Tensor.cuda = torch.nn.Module.cuda = lambda self, *a, **k: self            # its code asks for a GPU
torch.nn.DataParallel = lambda model, **k: model
loader = torch.utils.data.DataLoader(linear_probe.FeatureDataset(x, y), batch_size=64, shuffle=True)
timed("linear probe", lambda: linear_probe.train(loader, 512, 100, 1e-4, 0.1, 10, False, "cpu", 0))
