"""Five steps of timm's and PyTorch's optimizers with keywords of their own, made as OpenCLIP makes them for --opt-kwargs.

    python keywords.py        writes keywords.json beside this file: start, gradients, and of each case the end
"""
import ast, json, pathlib
import torch
from timm.optim import create_optimizer_v2

CASES = {
    "adamw": ["betas=(0.8,0.9)", "eps=1e-3"],
    "nadamw": ["momentum_decay=0.05"],
    "timm/adamw": ["betas=[0.8,0.9]", "eps=1e-3"],
    "timm/nadamw": ["betas=0.7,0.9"],
    "timm/lamb": ["max_grad_norm=0.5", "trust_clip=True", "always_adapt=True"],
    "timm/lamb ": ["max_grad_norm=None", "eps=1e-3"],
    "timm/lion": ["betas=(0.5,0.6)"],
    "timm/adafactor": ["decay_rate=-0.6", "clip_threshold=0.5", "min_dim_size_to_factor=4"],
    "timm/adafactorbv": ["decay_rate=0.6", "beta2_cap=0.5", "min_dim_size_to_factor=5", "momentum=0.5"],
    "timm/muon": ["fallback_lr_scale=0.25", "nesterov=True", "momentum=0.8"],
    "timm/nmuon": ["nesterov=False", "betas=(0.7,0.8)"],
}
SHAPES = dict(w=(6, 5), b=(7,), k=(8, 3, 2, 2))
STEPS, RATE, DECAY = 5, 2e-3, 0.1

g = torch.Generator().manual_seed(11)
draw = lambda: {n: torch.randn(*s, generator=g).double() for n, s in SHAPES.items()}
flat = lambda tensors: {n: [float(f"{v:.9g}") for v in t.flatten().tolist()] for n, t in tensors.items()}
start, gradients = draw(), [draw() for _ in range(STEPS)]
out = dict(rate=RATE, decay=DECAY, shapes=SHAPES, start=flat(start), gradients=[flat(x) for x in gradients], cases=[])

def value(text):
    try: return ast.literal_eval(text)
    except ValueError: return text

for name, words in CASES.items():
    name = name.strip()
    keywords = {k: value(v) for k, v in (w.split("=") for w in words)}
    p = {n: torch.nn.Parameter(t.clone()) for n, t in start.items()}
    groups = [dict(params=[p["w"], p["k"]], weight_decay=DECAY), dict(params=[p["b"]], weight_decay=0.0)]
    usual = {} if "adafactor" in name else dict(betas=(0.9, 0.98))
    if "adafactor" not in name and "lion" not in name: usual["eps"] = 1e-6
    if "muon" in name: usual["momentum"] = 0.9
    if name.startswith("timm/"): o = create_optimizer_v2(groups, name[5:], lr=RATE, weight_decay=DECAY, **{**usual, **keywords})
    elif name == "adamw": o = torch.optim.AdamW(groups, lr=RATE, **{**usual, **keywords})
    else: o = torch.optim.NAdam(groups, lr=RATE, decoupled_weight_decay=True, **{**usual, **keywords})
    for step in gradients:
        for n in p: p[n].grad = step[n].clone()
        o.step()
    out["cases"].append(dict(opt=name, keywords=words, end=flat({n: t.detach() for n, t in p.items()})))

pathlib.Path(__file__).with_name("keywords.json").write_text(json.dumps(out).replace('{"opt"', '\n{"opt"') + "\n")
