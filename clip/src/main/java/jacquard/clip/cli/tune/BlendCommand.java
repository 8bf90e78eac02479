package jacquard.clip.cli.tune;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.cli.options.DeviceOptions;
import jacquard.clip.cli.options.TemplateOptions;
import jacquard.clip.cli.options.data.DataOptions;
import jacquard.clip.hub.Hub;
import jacquard.clip.hub.Published;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipModel;
import jacquard.clip.settings.Json;
import jacquard.clip.tune.blend.Alphas;
import jacquard.clip.tune.blend.Blend;
import jacquard.clip.tune.blend.Soup;
import jacquard.clip.tune.outcome.Curve;
import jacquard.clip.tune.outcome.CurvePage;
import jacquard.clip.tune.outcome.Guard;
import jacquard.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Makes one model of several that began from the same weights.
@Command(name = "blend", mixinStandardHelpOptions = true, sortOptions = false)
public final class BlendCommand implements Callable<Integer> {
  @Parameters(arity = "2..*", paramLabel = "MODEL",
      description = "Folders of models that began from the same weights: the old one and the new one, or several to "
          + "mix.")
  List<String> models;
  @Option(names = "--alpha", paramLabel = "X|FROM:TO:STEP",
      description = "Of two models: how far from the first (0) to the second (1) (default: ${DEFAULT-VALUE}).")
  String alpha = "0.5";
  @Option(names = "--soup", paramLabel = "KIND",
      description = "uniform (the mean of all) or greedy (from the best on those that help, measured on --data and "
          + "--guard), in place of --alpha.")
  String soup;
  @Option(names = "--data", paramLabel = "B", description = "What was learned, to measure by.") String data;
  @Option(names = "--guard", paramLabel = "A", description = "What must stay, to measure by.") String guard;
  @Option(names = "--out", required = true, paramLabel = "FOLDER",
      description = "Where the model is written; with several --alpha, and nothing to measure by, a folder for each.")
  Path out;
  @Mixin DataOptions tables;
  @Mixin TemplateOptions templates;
  @Mixin DeviceOptions device;

  @Override public Integer call() throws IOException {
    if ((data == null) != (guard == null))
      throw new IllegalArgumentException("blend measures by both --data and --guard, or by neither");
    var files = new ArrayList<ModelFiles>();
    for (var m : models) files.add(new Published(Hub.current()).files(m, null));
    var first = files.getFirst().config();
    try (var _ = Scope.open(device.device())) {
      var all = new ArrayList<ClipModel>();
      for (var f : files) all.add(Checkpoint.load(first.model(), f.weights()));
      var measure = data == null ? null : new Guard(tables.source(guard), tables.source(data),
          new Transform(first.preprocess()), first.model().text().input().captions(files.getFirst().tokenizer()),
          templates.templates());
      if (soup != null) return soup(all, files.getFirst(), measure);
      if (all.size() != 2)
        throw new IllegalArgumentException("--alpha is for two models, and " + all.size() + " are given; mix several "
            + "with --soup uniform or greedy");
      var alphas = Alphas.of(alpha);
      if (measure != null) return measured(all, alphas, files.getFirst(), measure);
      for (double a : alphas)
        write(Blend.of(all.get(0), all.get(1), a), files.getFirst(),
            alphas.length == 1 ? out : out.resolve("alpha-" + Alphas.text(a)));
    }
    return 0;
  }

  /// Scores every α on the validation halves and writes the best.
  private int measured(List<ClipModel> both, double[] alphas, ModelFiles files, Guard guard) throws IOException {
    var points = new ArrayList<Curve.Point>();
    System.out.printf("%-8s %8s %8s   (validation halves, top-1)%n", "alpha", "kept", "learned");
    for (double a : alphas)
      try (var _ = Scope.open()) {
        var s = guard.score(Blend.of(both.get(0), both.get(1), a), 0);
        points.add(new Curve.Point(a, s.kept(), s.learned()));
        System.out.printf("%-8s %8.1f %8.1f%n", Alphas.text(a), 100 * s.kept(), 100 * s.learned());
      }
    var curve = new Curve("α", points);
    double chosen = curve.chosen().value();
    var model = Blend.of(both.get(0), both.get(1), chosen);
    var test = guard.score(model, 1);
    System.out.printf("alpha %s has the best mean; on the test halves it keeps %.1f %% and knows %.1f %% of the new%n",
        Alphas.text(chosen), 100 * test.kept(), 100 * test.learned());
    write(model, files, out);
    CurvePage.of(curve, "Between " + models.get(0) + " and " + models.get(1), guard).write(out);
    System.out.printf("The model is in %s; see %s%n", out, out.resolve("report.html"));
    return 0;
  }

  private int soup(List<ClipModel> all, ModelFiles files, Guard guard) throws IOException {
    var taken = switch (soup) {
      case "uniform" -> all;
      case "greedy" -> {
        if (guard == null) throw new IllegalArgumentException("--soup greedy needs --data and --guard to measure by");
        var g = Soup.greedy(all, m -> guard.score(m, 0).mean());
        System.out.printf("taken in: %s; mean of both on the validation halves %.1f %%%n",
            String.join(", ", g.models().stream().map(models::get).toList()), 100 * g.measure());
        yield g.models().stream().map(all::get).toList();
      }
      default -> throw new IllegalArgumentException("--soup " + soup + ", expected uniform or greedy");
    };
    write(Soup.uniform(taken), files, out);
    return 0;
  }

  private static void write(ClipModel model, ModelFiles files, Path to) throws IOException {
    Files.createDirectories(to);
    AtomicFile.write(to.resolve("open_clip_config.json"), Json.text(files.config().toMap()));
    Checkpoint.save(model, to.resolve("open_clip_model.safetensors"));
  }
}
