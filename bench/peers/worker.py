"""The real OpenCLIP as a process that works on request, so that Jacquard can take turns with it.

    worker.py THREADS MODEL CHECKPOINT BATCH        each line of the standard input is a command, each answer one line

MODEL and CHECKPOINT are OpenCLIP's name and a safetensors file ("-": no model is needed). BATCH is a safetensors file with `images` [n,3,h,w] and `tokens`
[n,77], or `x` and `y` [n,512] for a loss, or `x`, `w`, `b` and `dy` of a linear layer, or `images`, `prompts` [names,77] and `ctx` for CoOp. Commands: `time SECONDS WORK` (seconds that a call of WORK takes, called for so long), `features WORK FILE` and `gradients FILE` (writes what it
computes), `extra WORK` and `peak` (bytes resident at most), `export FILE` (the image tower as ONNX), `about`.
"""
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one thread, as ours

import torch
import torch.nn.functional as F

import open_clip
from PIL import Image
from open_clip.loss import ClipLoss, SigLipLoss
from safetensors.torch import load_file, save_file

threads, name, checkpoint, batch = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
torch.set_num_threads(threads)
data = load_file(batch) if batch != "-" else {}
model = preprocess = None
if name.startswith("roberta"):  # its config without the hub
    import transformers
    import open_clip.hf_model

    open_clip.hf_model.AutoConfig.from_pretrained = lambda *_, **__: transformers.RobertaConfig(
        vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)
if checkpoint != "-":
    model, _, preprocess = open_clip.create_model_and_transforms(name, pretrained=checkpoint)
    model.eval()
known = {}


def images(n):
    x = data["images"][: int(n)]

    def run():
        with torch.inference_mode():
            return model.encode_image(x, normalize=True)
    return run


def texts(n):
    t = data["tokens"][: int(n)]

    def run():
        with torch.inference_mode():
            return model.encode_text(t, normalize=True)
    return run


def caption(search, length):
    kinds = {"beams": {}, "greedy": {"generation_type": "top_k", "top_k": 1}}
    return lambda: model.generate(data["images"][:1], seq_len=int(length), min_seq_len=int(length) - 1, **kinds[search])


def gradients():
    model.train()
    model.zero_grad(set_to_none=True)
    i, t, scale = model(data["images"], data["tokens"])[:3]
    loss = ClipLoss()(i, t, scale)
    loss.backward()
    return loss


def step():
    exclude = lambda n, p: p.ndim < 2 or "bn" in n or "ln" in n or "bias" in n or "logit_scale" in n
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": [p for n, p in named if exclude(n, p)], "weight_decay": 0.0},
                                   {"params": [p for n, p in named if not exclude(n, p)], "weight_decay": 0.2}], lr=1e-5, betas=(0.9, 0.98), eps=1e-6)

    def run():
        gradients()
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, 4.6052)
    return run


def lora(rank):
    from peft import LoraConfig, get_peft_model
    tuned = get_peft_model(model, LoraConfig(r=int(rank), lora_alpha=16, target_modules=["attn", "c_fc", "c_proj"]))
    tuned.train()
    optimizer = torch.optim.AdamW([p for p in tuned.parameters() if p.requires_grad], lr=1e-5, betas=(0.9, 0.98), eps=1e-6)

    def run():
        optimizer.zero_grad(set_to_none=True)
        i, t, scale = tuned(data["images"], data["tokens"])[:3]
        ClipLoss()(i, t, scale).backward()
        optimizer.step()
    return run


def prompt():
    """CoOp's forward: embeddings of whole captions, the vectors put in behind the start, all 77 positions."""
    for p in model.parameters():
        p.requires_grad_(False)
    ctx, ids = data["ctx"].clone().requires_grad_(), data["prompts"]
    m, words, labels = len(ctx), model.token_embedding(ids), torch.arange(len(data["images"]))

    def forward():
        pictures = model.encode_image(data["images"], normalize=True)
        x = torch.cat([words[:, :1], ctx.expand(len(ids), -1, -1), words[:, 1 + m:]], dim=1) + model.positional_embedding
        x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask))
        texts = F.normalize(x[torch.arange(len(ids)), ids.argmax(dim=-1)] @ model.text_projection, dim=-1)
        return F.cross_entropy(model.logit_scale.exp() * pictures @ texts.t(), labels)
    return ctx, forward


def coop():
    ctx, forward = prompt()
    optimizer = torch.optim.SGD([ctx], lr=1e-5, momentum=0.9)

    def run():
        optimizer.zero_grad(set_to_none=True)
        forward().backward()
        optimizer.step()
    return run


def context():
    ctx, forward = prompt()

    def run():
        ctx.grad = None
        forward().backward()
        return ctx.grad
    return run


def loss(kind, n, width="512"):
    g = torch.Generator().manual_seed(0)
    x, y = ((data[name] if name in data else F.normalize(torch.randn(int(n), int(width), generator=g), dim=-1)).requires_grad_() for name in ("x", "y"))
    scale, bias = torch.tensor(14.3, requires_grad=True), torch.tensor(-10.0, requires_grad=True)

    def run():
        x.grad = y.grad = None
        (ClipLoss()(x, y, scale) if kind == "softmax" else SigLipLoss()(x, y, scale, bias)).backward()
        return x.grad
    return run


def picture(file):
    t = preprocess or open_clip.image_transform(224, is_train=False)
    return lambda: t(Image.open(file))


def decode(file):
    return lambda: Image.open(file).convert("RGB")


def transform(file):
    t, pixels = preprocess or open_clip.image_transform(224, is_train=False), Image.open(file).convert("RGB")
    return lambda: t(pixels)


def augment(file, side, operation, *arguments):
    from timm.data.auto_augment import NAME_TO_OP
    pixels, numbers = Image.open(file).convert("RGB").resize((int(side), int(side)), Image.Resampling.BICUBIC), [float(a) if "." in a else int(a) for a in arguments]
    return lambda: NAME_TO_OP[operation](pixels, *numbers, fillcolor=(0, 0, 0), resample=Image.Resampling.BICUBIC)


def tokens(folder, captions):
    import tokenizers
    library, lines = tokenizers.Tokenizer.from_file(folder + "/tokenizer.json"), open(captions, encoding="utf-8").read().splitlines()
    return lambda: library.encode_batch(lines, add_special_tokens=False)


def ids(folder, captions):
    run = tokens(folder, captions)
    return lambda: torch.tensor([float(i) for e in run() for i in e.ids])


def matmul(product):
    x, w, b, dy = (data[name] for name in ("x", "w", "b", "dy"))
    f = {"forward": lambda: F.linear(x, w, b), "dX": lambda: dy @ w, "dW": lambda: dy.t() @ x}[product]

    def run():
        with torch.inference_mode():
            return f()
    return run


def peak():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))


def export(file):
    class Tower(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.visual = model.visual

        def forward(self, x):
            return F.normalize(self.visual(x), dim=-1)
    torch.backends.mha.set_fastpath_enabled(False)
    x = data["images"][:2]
    torch.onnx.export(Tower().eval(), (x,), file, input_names=["images"], output_names=["features"], opset_version=18,
                      dynamic_shapes={"x": {0: torch.export.Dim("batch")}}, dynamo=True, external_data=False)
    return "done"


def work(words):
    key = " ".join(words)
    if key not in known:
        known[key] = {"images": images, "texts": texts, "caption": caption, "step": step, "lora": lora, "coop": coop, "context": context, "loss": loss, "picture": picture, "decode": decode, "transform": transform, "augment": augment, "tokens": tokens, "ids": ids, "matmul": matmul}[words[0]](*words[1:])
    return known[key]


def answer(words):
    if words[0] == "time":
        run, window = work(words[2:]), float(words[1])
        calls, start = 0, time.perf_counter()
        while True:
            run()
            calls += 1
            elapsed = time.perf_counter() - start
            if elapsed >= window:
                return elapsed / calls
    if words[0] == "features":
        save_file({"features": work(words[1:-1])().float().contiguous()}, words[-1])
        return "done"
    if words[0] == "gradients":
        value = gradients()
        save_file({n: p.grad.contiguous() for n, p in model.named_parameters() if p.grad is not None} | {"loss": value.detach()}, words[1])
        return "done"
    if words[0] == "extra":                       # bytes that one call of a loss adds to the process, its gradients aside
        before = peak()
        run = work(words[1:])
        prepared = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmRSS"))
        run()
        n, width = int(words[3]), 512
        return max(before, peak()) - prepared - 2 * 4 * n * width
    if words[0] == "peak":
        return peak()
    if words[0] == "export":
        return export(words[1])
    if words[0] == "about":
        return f"OpenCLIP {open_clip.__version__} on PyTorch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()}, MKL {torch.backends.mkl.is_available()})"
    raise ValueError(f"no command {words[0]}")


answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
print("ready", file=answers, flush=True)
for line in sys.stdin:
    try:
        print(answer(line.split()), file=answers, flush=True)
    except Exception as e:
        print("error", repr(e).replace("\n", " "), file=answers, flush=True)
