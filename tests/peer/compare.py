"""Loads what Jacquard trained with the real OpenCLIP and compares features of pictures and texts, and zero-shot probabilities under the 80 templates.

    tests/peer/run [MODEL_FOLDER]        makes the environment, trains a small model if none is given, runs this
"""
import pathlib, re, subprocess, sys, tempfile
import numpy, open_clip, torch
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
JACQUARD = HERE.parent.parent / "jacquard"
TEXTS = ["a cat face", "grinning face", "a red car, seen from the side!", "déjà vu — naïve café", "1,000,000 €", "x " * 200]
LABELS = ["cat face", "red heart", "pizza"]


def pictures(folder):
    """Colours, noise and shapes, of sizes that are resized up and down."""
    rng = numpy.random.default_rng(0)
    for i, (w, h) in enumerate([(32, 32), (100, 60), (33, 200), (640, 480), (17, 16)]):
        a = rng.integers(0, 256, (h, w, 3), dtype=numpy.uint8)
        a[h // 4:h // 2, w // 3:] = [250, 40 * i, 30]
        Image.fromarray(a).save(folder / f"p{i}.png")
    return sorted(folder.glob("*.png"))


def main(model):
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        files = pictures(work)
        (work / "texts.txt").write_text("\n".join(TEXTS) + "\n")
        subprocess.run([JACQUARD, "embed", model, *files, work / "texts.txt", "--out", work / "ours"], check=True, stdout=subprocess.DEVNULL)
        ours = numpy.load(work / "ours.npy")
        printed = subprocess.run([JACQUARD, "classify", model, *files, "--labels", ",".join(LABELS), "--template", "openai_imagenet"], check=True, capture_output=True, text=True).stdout

        clip, _, transform = open_clip.create_model_and_transforms(f"local-dir:{model}")
        tokenizer = open_clip.get_tokenizer(f"local-dir:{model}")
        clip.eval()
        with torch.no_grad():
            images = clip.encode_image(torch.stack([transform(Image.open(f)) for f in files]), normalize=True)
            texts = clip.encode_text(tokenizer(TEXTS), normalize=True)
            classifier = open_clip.build_zero_shot_classifier(clip, tokenizer, LABELS, open_clip.OPENAI_IMAGENET_TEMPLATES)
            probabilities = (clip.logit_scale.exp() * images @ classifier).softmax(-1).numpy()
        theirs = numpy.concatenate([images.numpy(), texts.numpy()])

    found = re.findall(r"^ +([\d.]+) %  (.+)$", printed, re.M)
    shown = numpy.array([[dict((n, float(p)) for p, n in found[k:k + 3])[label] for label in LABELS] for k in range(0, len(found), 3)]) / 100
    print(f"OpenCLIP {open_clip.__version__}, torch {torch.__version__}; {model}: {sum(p.numel() for p in clip.parameters()):,} parameters")
    ok = True
    for name, error, limit in [("image features", abs(ours[:len(files)] - theirs[:len(files)]).max(), 1e-5), ("text features", abs(ours[len(files):] - theirs[len(files):]).max(), 1e-5),
                               ("probabilities under 80 templates, as printed", abs(shown - probabilities).max(), 6e-5)]:
        ok &= bool(error <= limit)
        print(f"{'passed' if error <= limit else 'FAILED'}  {name:46} {error:.2g}  (at most {limit:.0e})")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
