"""Values of the real OpenCLIP 4.2 for tests: which parameters stay trained in locked towers, and resized positions.

    python recorded.py        writes locks.json and positions.json beside this file
"""
import json, pathlib, tempfile
import torch, open_clip
from open_clip.model import CLIP, CustomTextCLIP, resize_pos_embed, resize_text_pos_embed

HERE = pathlib.Path(__file__).parent
TEXT = dict(context_length=8, vocab_size=100, width=16, heads=2, layers=2)
VIT = dict(image_size=32, patch_size=8, width=16, head_width=8, layers=3)
CONFIGS = {
    "vit": dict(embed_dim=16, vision_cfg=VIT, text_cfg=TEXT),
    "no_pre_norm": dict(embed_dim=16, vision_cfg=dict(VIT, no_ln_pre=True), text_cfg=dict(TEXT, proj_bias=True), custom=True),
    "resnet": dict(embed_dim=16, vision_cfg=dict(image_size=64, layers=[1, 2, 1, 1], width=8, head_width=32), text_cfg=TEXT),
    "class_token": dict(embed_dim=16, vision_cfg=VIT, text_cfg=dict(TEXT, embed_cls=True), custom=True),
}

def build(config):
    config = dict(config)
    return (CustomTextCLIP if config.pop("custom", False) else CLIP)(**config)

def locks():
    cases = []
    for name, config in CONFIGS.items():
        for tower in "image", "text":
            for unlocked in range(0, 7):
                model = build(config)
                if tower == "image": model.lock_image_tower(unlocked_groups=unlocked)
                else: model.lock_text_tower(unlocked_layers=unlocked)
                groups = (6 if name == "resnet" else 5) if tower == "image" else 4
                if unlocked > groups: continue
                cases.append(dict(config=name, tower=tower, unlocked=unlocked, trained=sorted(n for n, p in model.named_parameters() if p.requires_grad)))
    configs = {n: {("custom_text" if k == "custom" else k): v for k, v in c.items()} for n, c in CONFIGS.items()}
    return dict(configs=configs, cases=cases)

def positions():
    torch.manual_seed(0)
    cases = []
    for size in 16, 24, 64:
        small, large = build(CONFIGS["vit"]), build(dict(CONFIGS["vit"], vision_cfg=dict(VIT, image_size=size)))
        state = small.state_dict()
        before = state["visual.positional_embedding"].clone()
        resize_pos_embed(state, large)
        cases.append(dict(kind="image", size=size, before=before.flatten().tolist(), after=state["visual.positional_embedding"].flatten().tolist()))
    for context in 5, 13:
        small, large = build(CONFIGS["vit"]), build(dict(CONFIGS["vit"], text_cfg=dict(TEXT, context_length=context)))
        state = small.state_dict()
        before = state["positional_embedding"].clone()
        resize_text_pos_embed(state, large)
        cases.append(dict(kind="text", size=context, before=before.flatten().tolist(), after=state["positional_embedding"].flatten().tolist()))
    return cases

if __name__ == "__main__":
    (HERE / "locks.json").write_text(json.dumps(locks()) + "\n")
    (HERE / "positions.json").write_text(json.dumps(positions()) + "\n")
