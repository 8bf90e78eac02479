"""The real CLIP_benchmark beside ours: each writes webdataset folders, both read all of them, and the metrics must be equal.

    tests/peer/benchmark [MODEL_FOLDER]        makes the environment, trains a small model if none is given, runs this
"""
import contextlib, io, json, math, pathlib, subprocess, sys, warnings
import numpy, open_clip, torch
from PIL import Image
warnings.filterwarnings("ignore")
import clip_benchmark
from clip_benchmark.datasets.builder import build_wds_dataset, get_dataset_collate_fn
from clip_benchmark.metrics import zeroshot_classification, zeroshot_retrieval
from clip_benchmark.webdataset_builder import convert_dataset, convert_retrieval_dataset

JACQUARD = pathlib.Path(__file__).resolve().parent.parent.parent / "jacquard"
COLOURS = {"red": (220, 30, 30), "green": (30, 180, 60), "blue": (30, 60, 220), "yellow": (230, 210, 40), "black": (20, 20, 20), "white": (240, 240, 240)}


def shape(rng, colour):
    """A patch of a colour on noise, of some size."""
    w, h = rng.integers(40, 200, 2)
    a = rng.integers(0, 256, (h, w, 3), dtype=numpy.uint8)
    a[h // 5: 4 * h // 5, w // 5: 4 * w // 5] = COLOURS[colour]
    return Image.fromarray(a)


def png(image):
    out = io.BytesIO()
    image.save(out, "webp", lossless=True)
    return out.getvalue()


class Made(list):
    """What convert_dataset takes."""


def write(folder):
    """Three folders by CLIP_benchmark's own writer: classes, several classes, captions."""
    rng = numpy.random.default_rng(1)
    names = list(COLOURS)
    one = Made((png(shape(rng, names[i % 6])), i % 6) for i in range(240))
    one.classes, one.templates = names, ["a {c} square", "something {c}"]
    convert_dataset(one, "test", str(folder / "one"), verbose=False, max_count=100)
    several = Made()
    for i in range(120):
        row = numpy.zeros(6, dtype=numpy.uint8)
        row[[i % 6, (i // 6) % 6]] = 1
        several.append((png(shape(rng, names[i % 6])), torch.tensor(row)))
    several.classes, several.templates = names, ["a {c} square"]
    convert_dataset(several, "test", str(folder / "several"), multilabel=True, verbose=False)
    captions = Made((png(shape(rng, names[i % 6])), [f"a {names[i % 6]} square, number {i}", f"patch {i} is {names[i % 6]}"][:1 + i % 2]) for i in range(150))
    convert_retrieval_dataset(captions, "test", str(folder / "captions"), verbose=False, max_count=70)


def theirs(folder, clip, transform, tokenizer):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        set_ = build_wds_dataset("wds", transform, split="test", data_dir=str(folder))
        retrieval = (folder / "dataset_type.txt").exists() and (folder / "dataset_type.txt").read_text().strip() == "retrieval"
        if retrieval:
            data = torch.utils.data.DataLoader(set_.batched(32, collation_fn=get_dataset_collate_fn("mscoco_captions")), batch_size=None)
            return zeroshot_retrieval.evaluate(clip, data, tokenizer, "cpu", amp=False, recall_k_list=[1, 5, 10])
        data = torch.utils.data.DataLoader(set_.batched(32), batch_size=None)
        return zeroshot_classification.evaluate(clip, data, tokenizer, set_.classes, set_.templates, "cpu", amp=False)


def ours(folder, model, work):
    subprocess.run([JACQUARD, "eval", model, "--dataset", folder, "--results", work / "results", "--cache", "none"], check=True, stdout=subprocess.DEVNULL)
    newest = max((work / "results").glob("*.json"), key=lambda f: f.stat().st_mtime_ns)
    return json.loads(newest.read_text())["metrics"]


def main(model, work):
    write(work / "theirs")
    subprocess.run([JACQUARD, "eval", "--dataset", "emoji-concepts-heldout", work / "theirs" / "several", work / "theirs" / "captions", "--export", work / "ours"], check=True, stdout=subprocess.DEVNULL)
    clip, _, transform = open_clip.create_model_and_transforms(f"local-dir:{model}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{model}")
    clip.eval()
    print(f"OpenCLIP {open_clip.__version__}, torch {torch.__version__}, CLIP_benchmark {getattr(clip_benchmark, '__version__', '?')}")
    ok = True
    for folder in sorted((work / "theirs").iterdir()) + sorted((work / "ours").iterdir()):
        a, b = theirs(folder, clip, transform, tokenizer), ours(folder, model, work)
        for metric, value in a.items():
            value = float(value)
            same = metric in b and (b[metric] is None if math.isnan(value) else abs(b[metric] - value) <= 1e-6)
            ok &= same
            print(f"{'passed' if same else 'FAILED'}  written by {'us' if folder.parent.name == 'ours' else 'CLIP_benchmark'}: {folder.name.split('-')[-1]:10} {metric:28} {value:.6f}  {b.get(metric)}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
