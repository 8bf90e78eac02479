package jacquard.clip.cli;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.Clip;
import jacquard.clip.data.EmojiSource;
import jacquard.clip.data.Source;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.Presets;
import jacquard.clip.train.Plan;
import jacquard.clip.train.RunPage;
import jacquard.clip.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "train", mixinStandardHelpOptions = true, sortOptions = false, description = {"Trains a model. Without arguments: a small CLIP on 14,000 emoji drawings, evaluated on an artist "
    + "family that it never sees, in a few minutes on two cores.", "",
    "The run's folder holds last/ and best/ (open_clip_config.json and open_clip_model.safetensors, which OpenCLIP loads), metrics.jsonl, TensorBoard events, report.png and report.html."})
final class TrainCommand implements Callable<Integer> {
  @Spec CommandSpec spec;
  @Mixin DataOptions data;
  @Option(names = "--train-data", defaultValue = "emoji", description = "emoji, emoji-concepts (without 192 concepts), a table of paths and captions (.csv, .tsv), or a folder of pictures with .txt captions (default: ${DEFAULT-VALUE}).") String trainData;
  @Option(names = "--val-data", description = "The same for the held-out pairs (default with emoji: the Twemoji family; with emoji-concepts: the 192 concepts).") String valData;
  @Option(names = "--model", defaultValue = "emoji", description = "A preset (./jacquard models), or a JSON file in OpenCLIP's form (default: ${DEFAULT-VALUE}).") String model;
  @Option(names = "--batch-size", defaultValue = "256", description = "Pairs a step (default: ${DEFAULT-VALUE}).") int batch;
  @Option(names = "--accum-freq", defaultValue = "1", description = "Micro-batches a step; the batch is divided, the gradient is that of the whole.") int accumulate;
  @Option(names = "--steps", description = "Steps in all (default: of --epochs).") Long steps;
  @Option(names = "--epochs", defaultValue = "10", description = "Passes over the data (default: ${DEFAULT-VALUE}).") int epochs;
  @Option(names = "--lr", defaultValue = "1.2e-3", description = "Largest learning rate (default: ${DEFAULT-VALUE}).") double rate;
  @Option(names = "--warmup", defaultValue = "50", description = "Steps of warm-up (default: ${DEFAULT-VALUE}).") long warmup;
  @Option(names = "--lr-scheduler", defaultValue = "cosine", description = "cosine, const or const-cooldown.") String scheduler;
  @Option(names = "--lr-cooldown-end", defaultValue = "0", description = "Last rate of const-cooldown.") double cooldownEnd;
  @Option(names = "--lr-cooldown-power", defaultValue = "1", description = "Power of const-cooldown.") double cooldownPower;
  @Option(names = "--epochs-cooldown", defaultValue = "1", description = "Length of the cooldown of const-cooldown, in epochs.") int cooldown;
  @Option(names = "--wd", defaultValue = "0.2", description = "Weight decay (default: ${DEFAULT-VALUE}).") double decay;
  @Option(names = "--opt", defaultValue = "adamw", description = "adamw, nadamw, or sgd with Nesterov momentum (default: ${DEFAULT-VALUE}).") String optimizer;
  @Option(names = "--momentum", defaultValue = "0.9", description = "Of --opt sgd; 0 for plain descent (default: ${DEFAULT-VALUE}).") double momentum;
  @Option(names = "--beta1", defaultValue = "0.9") double beta1;
  @Option(names = "--beta2", defaultValue = "0.98") double beta2;
  @Option(names = "--eps", defaultValue = "1e-6") double epsilon;
  @Option(names = "--grad-clip-norm", defaultValue = "1.0", description = "Limit of the gradient norm, 0 for none (default: ${DEFAULT-VALUE}).") double clip;
  @Option(names = "--siglip", description = "The sigmoid loss in place of the softmax loss; the model needs init_logit_bias.") boolean sigmoid;
  @Option(names = "--seed", defaultValue = "0", description = "The same seed gives the same bits (default: ${DEFAULT-VALUE}).") long seed;
  @Option(names = "--crop", defaultValue = "0.7", description = "Smallest area of a random crop (default: ${DEFAULT-VALUE}; OpenCLIP: 0.9).") double crop;
  @Option(names = "--color-jitter", defaultValue = "0.4", description = "Brightness, contrast and saturation of the colour jitter, 0 for none.") double jitter;
  @Option(names = "--gray-scale-prob", defaultValue = "0.2", description = "How often a picture loses its colours.") double grey;
  @Option(names = "--lock-image", description = "Freezes the image tower.") boolean lockImage;
  @Option(names = "--lock-text", description = "Freezes the text tower.") boolean lockText;
  @Option(names = "--val-frequency", defaultValue = "100", description = "Steps between evaluations (default: ${DEFAULT-VALUE}).") long evaluate;
  @Option(names = "--save-frequency", defaultValue = "100", description = "Steps between checkpoints (default: ${DEFAULT-VALUE}).") long save;
  @Option(names = "--logs", defaultValue = "runs", description = "Folder of all runs (default: ${DEFAULT-VALUE}).") Path logs;
  @Option(names = "--name", description = "The run's folder within --logs (default: of model and data, the first number that is free).") String name;
  @Option(names = "--resume", description = "Goes on with the run --name from its last checkpoint, to the same bits as without the interruption.") boolean resume;

  @Override public Integer call() throws IOException {
    var config = model.endsWith(".json") ? ClipConfig.read(Path.of(model)) : Presets.of(model);
    config.unsupported().ifPresent(why -> { throw new IllegalArgumentException("--model " + model + " is not built yet: " + why); });
    if (!config.text().tokenizer().equals("clip")) throw new IllegalArgumentException("--model " + model + " needs the tokenizer " + config.text().tokenizer() + ", which is not built yet");
    var training = data.source(trainData);
    var held = valData != null ? data.source(valData) : EmojiSource.SPLITS.contains(trainData + "-heldout") ? data.source(trainData + "-heldout") : null;
    long perEpoch = Math.max(1, training.size() / batch), total = steps != null ? steps : epochs * perEpoch;
    if (warmup >= total) throw new IllegalArgumentException("--warmup " + warmup + " is no less than the " + total + " steps of the run: the learning rate would never arrive");
    var plan = new Plan(batch, accumulate, total, schedule(total, perEpoch), rule(), decay, clip, sigmoid, seed,
        Augmentation.DEFAULT.scale(crop, 1).colours(new Augmentation.Jitter(jitter, jitter, jitter, 0), jitter > 0 ? 0.8 : 0, grey), evaluate, save, frozen());
    var folder = folder();
    System.err.printf("%s on %s (%,d pairs%s), %,d steps of %d; into %s%n", model, training.name(), training.size(), held == null ? "" : "; held out: " + held.name() + ", " + held.size(), total, batch, folder);
    var transform = new Transform(Clip.preprocess(config));
    long start = System.nanoTime();
    var evaluation = new Trainer(config, plan, transform, training, held, folder).run(resume);
    double minutes = (System.nanoTime() - start) / 6e10;
    RunPage.write(folder, model, config, plan, training, held, evaluation, minutes, "./jacquard " + String.join(" ", spec.commandLine().getParseResult().originalArgs().isEmpty() ? List.of("train") : spec.root().commandLine().getParseResult().originalArgs()));
    if (evaluation != null) {
      System.out.printf("held out, %,d images over %,d names (chance %.2f %%):%n", evaluation.labels().length, evaluation.names().size(), 100 * evaluation.chance());
      evaluation.metrics().forEach((k, v) -> System.out.printf("  %-20s %5.1f %%%n", k, 100 * v));
    }
    System.out.printf("%.1f minutes; see %s%n", minutes, folder.resolve("report.html"));
    return 0;
  }

  private Optimizer.Rule rule() {
    return switch (optimizer) {
      case "adamw" -> new Optimizer.AdamW(beta1, beta2, epsilon);
      case "nadamw" -> new Optimizer.NAdamW(beta1, beta2, epsilon, 4e-3);
      case "sgd" -> new Optimizer.Sgd(momentum, momentum > 0);
      default -> throw new IllegalArgumentException("--opt " + optimizer + ", expected adamw, nadamw or sgd");
    };
  }

  private Schedule schedule(long total, long perEpoch) {
    return switch (scheduler) {
      case "cosine" -> new Schedule.Cosine(rate, warmup, total);
      case "const" -> new Schedule.Constant(rate, warmup);
      case "const-cooldown" -> new Schedule.Cooldown(rate, warmup, total, cooldown * perEpoch, cooldownPower, cooldownEnd);
      default -> throw new IllegalArgumentException("--lr-scheduler " + scheduler + ", expected cosine, const or const-cooldown");
    };
  }

  private List<String> frozen() {
    var f = new ArrayList<String>();
    if (lockImage) f.add("visual.**");
    if (lockText) f.add("text.**");
    return f;
  }

  private Path folder() {
    if (name != null) return logs.resolve(name);
    if (resume) throw new IllegalArgumentException("--resume needs the --name of the run");
    var base = Path.of(model).getFileName().toString().replace(".json", "");
    for (int i = 1; ; i++) if (!Files.exists(logs.resolve(base + "-" + i))) return logs.resolve(base + "-" + i);
  }
}
