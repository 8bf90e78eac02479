"""Trains the preset `emoji` with OpenCLIP's own trainer and with ours, and tells the curves and the mean on the family held out.

    tests/peer/train [--seeds 0,1,2] [--work FOLDER] [--only jacquard|openclip] [--tars] [OPTION=VALUE…]

Both read the same table of the same PNG files, or with --tars the same shards of them, and get the same options; every number is of `jacquard eval`. Minutes and memory (resident, at most) are
of the whole process, evaluations after our epochs among them.
"""
import argparse, csv, json, math, os, pathlib, re, shutil, statistics, subprocess, sys, time
import open_clip, torch
from PIL import Image
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent
HOME = HERE.parent.parent
JACQUARD = HOME / "jacquard"
CORPUS = HOME / "emoji/src/main/resources/jacquard/emoji"
PRESETS = HOME / "clip/src/main/resources/jacquard/clip/model/presets.json"
SIZE, COLUMNS, HELD_OUT = 32, 64, "twemoji"
OPTIONS = {"epochs": 10, "batch": 256, "lr": 1.2e-3, "warmup": 50, "wd": 0.2, "beta1": 0.9, "beta2": 0.98, "eps": 1e-6, "clip": 1.0, "crop": 0.7, "jitter": 0.4, "jittered": 0.8, "grey": 0.2}
SHARED = "--batch-size {batch:g} --epochs {epochs:g} --lr {lr} --warmup {warmup:g} --wd {wd} --beta1 {beta1} --beta2 {beta2} --eps {eps} --grad-clip-norm {clip}"
OURS = SHARED + " --crop {crop} --color-jitter {jitter} --color-jitter-prob {jittered} --gray-scale-prob {grey} --val-frequency 1"
THEIRS = SHARED + " --precision fp32 --workers 0 --log-every-n-steps 1 --aug-cfg scale=({crop},1.0) color_jitter=({jitter},{jitter},{jitter},0.0) color_jitter_prob={jittered} gray_scale_prob={grey}"


def write_files(work):
    """A PNG a drawing, and two tables in OpenCLIP's form: all families but one, and that one."""
    if (work / "held.tsv").exists():
        return
    sheets, rows = {}, {True: [], False: []}
    for line in csv.DictReader(open(CORPUS / "captions.tsv", encoding="utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE):
        name, at = line["set"], int(line["index"])
        if name not in sheets:
            sheets[name] = Image.open(CORPUS / f"{name}.png").convert("RGB")
            (work / "drawings" / name).mkdir(parents=True, exist_ok=True)
        x, y = at % COLUMNS * SIZE, at // COLUMNS * SIZE
        file = work / "drawings" / name / f"{at}.png"
        sheets[name].crop((x, y, x + SIZE, y + SIZE)).save(file)
        rows[line["family"] == HELD_OUT].append((file, line["caption"]))
    for held, name in [(False, "train.tsv"), (True, "held.tsv")]:
        with open(work / name, "w", encoding="utf-8", newline="") as out:
            csv.writer(out, delimiter="\t", lineterminator="\n").writerows([("filepath", "title"), *rows[held]])


def write_shards(work):
    if not (work / "shards").exists():
        subprocess.run([JACQUARD, "shards", f"{work}/train.tsv", f"{work}/shards"], check=True)


def data(work, options):
    """The table, or the shards; OpenCLIP fills up the last batch of an epoch from them, we leave out what is no batch: so an epoch is a number of whole batches."""
    if not (work / "shards").exists():
        return ["--train-data", f"{work}/train.tsv"]
    count = sum(1 for _ in open(work / "train.tsv", encoding="utf-8")) - 1
    last = len(list((work / "shards").glob("*.tar"))) - 1
    return ["--train-data", f"{work}/shards/{{00..{last:02}}}.tar", "--dataset-type", "webdataset", "--train-num-samples", str(count // options["batch"] * options["batch"])]


def measured(*arguments, **how):
    """Runs a process; its minutes and the most megabytes that were resident."""
    start = time.time()
    process = subprocess.Popen(*arguments, **how)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), *arguments)
    return (time.time() - start) / 60, usage.ru_maxrss / 1024


def openclip(work, seed, options):
    """OpenCLIP's trainer in a process of its own, its checkpoint of every epoch as a folder that `eval` reads."""
    run = work / f"openclip-{seed}"
    if not (run / "curve.json").exists():
        shutil.rmtree(run, ignore_errors=True)
        config = json.loads(PRESETS.read_text(encoding="utf-8"))["emoji"]
        (work / "configs").mkdir(exist_ok=True)
        (work / "configs/emoji.json").write_text(json.dumps(config))
        arguments = ["--seed", str(seed), "--model", "emoji", *data(work, options), "--logs", str(work), "--name", run.name, *THEIRS.format(**options).split()]
        program = "import sys, open_clip; open_clip.add_model_config(sys.argv[1]); from open_clip_train.main import main; main(sys.argv[2:])"
        with open(work / f"{run.name}.log", "w") as said:
            minutes, memory = measured([sys.executable, "-c", program, work / "configs", *arguments], stderr=said)
        model = open_clip.CLIP(**config, output_dict=True)
        preprocess = {"size": SIZE, "mode": "RGB", "mean": open_clip.OPENAI_DATASET_MEAN, "std": open_clip.OPENAI_DATASET_STD, "interpolation": "bicubic", "resize_mode": "shortest"}
        curve = []
        for epoch in range(1, options["epochs"] + 1):
            checkpoint = run / f"checkpoints/epoch_{epoch}.pt"
            model.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"])
            folder = run / f"epoch-{epoch}"
            folder.mkdir(exist_ok=True)
            (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocess}))
            save_file(model.state_dict(), folder / "open_clip_model.safetensors", metadata={"format": "pt"})
            checkpoint.unlink()
            curve.append(evaluate(folder, work))
        losses = [float(x) for x in re.findall(r"Train Epoch: .* Loss: ([\d.]+) ", (run / "out.log").read_text())]
        write_curve(run, minutes, memory, curve, losses)
    return json.loads((run / "curve.json").read_text())


def jacquard(work, seed, options):
    run = work / f"jacquard-{seed}"
    if not (run / "curve.json").exists():
        shutil.rmtree(run, ignore_errors=True)
        arguments = ["--seed", str(seed), *data(work, options), "--val-data", f"{work}/held.tsv", "--logs", str(work), "--name", run.name, *OURS.format(**options).split()]
        minutes, memory = measured([JACQUARD, "train", *arguments], stdout=subprocess.DEVNULL)
        steps = [json.loads(line) for line in open(run / "metrics.jsonl")]
        write_curve(run, minutes, memory, [(100 * s["held_out/top1"], 100 * s["held_out/top5"]) for s in steps if "held_out/top1" in s], [s["loss"] for s in steps])
    return json.loads((run / "curve.json").read_text())


def evaluate(folder, work):
    said = subprocess.run([JACQUARD, "eval", folder, "--val-data", work / "held.tsv"], check=True, capture_output=True, text=True).stdout
    return [float(re.search(rf"{name} +([\d.]+) %", said)[1]) for name in ("top1", "top5")]


def write_curve(run, minutes, memory, curve, losses):
    (run / "curve.json").write_text(json.dumps({"minutes": minutes, "memory": memory, "curve": curve, "losses": losses}))


def tell(name, runs):
    """A row an epoch: loss, top-1 and top-5 of each seed; then mean and deviation over seeds."""
    print(f"\n{name}\n\n| epoch | {' | '.join(f'seed {s}: loss, top-1 / top-5' for s in runs)} |\n| --- |{' --- |' * len(runs)}")
    epochs = len(next(iter(runs.values()))["curve"])
    for e in range(epochs):
        cells = []
        for r in runs.values():
            per = len(r["losses"]) // epochs
            cells.append(f"{statistics.mean(r['losses'][e * per:(e + 1) * per]):.3f}, {r['curve'][e][0]:.1f} / {r['curve'][e][1]:.1f}")
        print(f"| {e + 1} | {' | '.join(cells)} |")
    for k, metric in enumerate(["top-1", "top-5"]):
        last = [r["curve"][-1][k] for r in runs.values()]
        spread = f" ± {statistics.stdev(last):.1f} (deviation over seeds; of the mean ± {statistics.stdev(last) / math.sqrt(len(last)):.1f})" if len(last) > 1 else ""
        print(f"{metric}: {statistics.mean(last):.1f} %{spread}")
    print("minutes:", ", ".join(f"{r['minutes']:.1f}" for r in runs.values()))
    print("resident MB at most:", ", ".join(f"{r.get('memory', math.nan):,.0f}" for r in runs.values()))


def option(text):
    name, value = text.split("=")
    return name, type(OPTIONS[name])(value)


def main():
    line = argparse.ArgumentParser(prog="tests/peer/train", description=__doc__.split("\n")[0])
    line.add_argument("--seeds", default="0,1,2")
    line.add_argument("--work", type=pathlib.Path, default=HOME / "runs/peer", help="where files and runs lie; one folder for one set of options")
    line.add_argument("--only", choices=["jacquard", "openclip"])
    line.add_argument("--tars", action="store_true", help="train from shards in place of the table")
    line.add_argument("change", nargs="*", help="an option of both trainers: " + " ".join(f"{k}={v}" for k, v in OPTIONS.items()))
    given = line.parse_args()
    options = OPTIONS | dict(option(o) for o in given.change)
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    told = work / "options.json"
    if told.exists() and json.loads(told.read_text()) != options:
        sys.exit(f"{work} holds runs with other options; choose another --work")
    told.write_text(json.dumps(options))
    write_files(work)
    if given.tars:
        write_shards(work)
    elif (work / "shards").exists():
        sys.exit(f"{work} holds runs with --tars; choose another --work")
    seeds = [int(s) for s in given.seeds.split(",")]
    print(f"OpenCLIP {open_clip.__version__}, torch {torch.__version__}, {os.cpu_count()} cores; {options}", flush=True)
    if given.only != "openclip":
        tell("Jacquard", {s: jacquard(work, s, options) for s in seeds})
    if given.only != "jacquard":
        tell("OpenCLIP", {s: openclip(work, s, options) for s in seeds})


if __name__ == "__main__":
    main()
