"""What Jacquard converts, PyTorch, OpenCLIP and transformers read, with the features that were recorded.

    python tests/peer/checkpoints.py FIXTURES        # a folder laid out as tests/src/main/resources/fixtures

Needs torch, open_clip, transformers and safetensors. Prints a line a case; exit status 1 if one fails.
"""
import json, pathlib, subprocess, sys, tempfile, torch, open_clip
from safetensors.torch import load_file

fixtures = pathlib.Path(sys.argv[1]) / "checkpoints"
jacquard = pathlib.Path(__file__).resolve().parents[2] / "jacquard"
work = pathlib.Path(tempfile.mkdtemp())
failed = 0


def convert(source, name, *options):
    subprocess.run([jacquard, "convert", source, work / name, *options], check=True, stdout=subprocess.DEVNULL)
    return work / name


def check(name, found, expected, tolerance):
    global failed
    error = max(float((f.float() - e).abs().max() / e.abs().max()) for f, e in zip(found, expected))
    failed += not error <= tolerance
    print(f"{'passed' if error <= tolerance else 'FAILED'}  {name:44s} error {error:.2e}  tolerance {tolerance:.0e}")


def features(config, state, io):
    (work / "configs").mkdir(exist_ok=True)
    (work / "configs" / "peer.json").write_text(json.dumps(config))
    open_clip.add_model_config(work / "configs")
    model = open_clip.create_model("peer", pretrained=None).eval()
    model.load_state_dict({k: v.float() for k, v in state.items()})
    with torch.no_grad():
        return model.encode_image(io["images"]), model.encode_text(io["tokens"])


def normal(x):
    return x / x.norm(dim=-1, keepdim=True)


config = json.loads((fixtures / "config.json").read_text())
io = load_file(fixtures / "io.safetensors")
expected = io["image_features"], io["text_features"]
hub = fixtures / "hub"
check("pt: torch.load, open_clip", features(config, torch.load(convert(hub, "a.pt", "--format", "pt"), weights_only=True), io), expected, 1e-5)
check("pt --half", features(config, torch.load(convert(hub, "h.pt", "--format", "pt", "--half"), weights_only=True), io), expected, 5e-3)
folder = convert(fixtures / "legacy_pickle.pt", "oc", "--format", "open_clip")
model, _ = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
with torch.no_grad():
    check("open_clip: local-dir", (model.eval().encode_image(io["images"]), model.encode_text(io["tokens"])), expected, 1e-5)
folder = convert(hub, "shards", "--format", "open_clip", "--shard-size", "300KB")
state = {}
for shard in folder.glob("*.safetensors"):
    state |= load_file(shard)
check(f"open_clip in {len(list(folder.glob('*.safetensors')))} shards", features(config, state, io), expected, 1e-5)

from transformers import AutoModel
for name in "hf_clip", "hf_siglip":
    their = load_file(fixtures / name / "io.safetensors")
    want = their["image_embeds"], their["text_embeds"]
    for step, options in ("there and back", ()), ("in shards", ("--shard-size", "300KB")):
        model = AutoModel.from_pretrained(convert(fixtures / name, f"{name}-{step}", "--format", "hf", *options)).eval()
        with torch.no_grad():
            out = model(input_ids=their["tokens"], pixel_values=their["images"])
        check(f"{name}: transformers, {step}", (out.image_embeds, out.text_embeds), want, 1e-5)
model = AutoModel.from_pretrained(convert(hub, "to-hf", "--format", "hf")).eval()
with torch.no_grad():
    out = model(input_ids=io["tokens"], pixel_values=io["images"])
check("hf of an OpenCLIP model: transformers", (out.image_embeds, out.text_embeds), tuple(map(normal, expected)), 1e-5)
sys.exit(failed > 0)
