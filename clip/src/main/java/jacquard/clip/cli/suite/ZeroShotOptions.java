package jacquard.clip.cli.suite;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.features.Subject;
import jacquard.clip.eval.layouts.Layouts;
import jacquard.clip.eval.protocols.Measured;
import jacquard.clip.eval.protocols.Protocol;
import jacquard.clip.eval.protocols.Protocols;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.Benchmarks;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.suite.BuiltIn;
import jacquard.clip.image.Transform;
import jacquard.clip.settings.Count;
import jacquard.clip.text.Tokenizer;
import jacquard.clip.train.Listener;
import jacquard.clip.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import picocli.CommandLine.Option;

/// Data sets on which a model is measured while it is trained.
public final class ZeroShotOptions {
  @Option(names = "--zeroshot-frequency", paramLabel = "N",
      description = "Epochs between zero-shot evaluations; 0 for none "
      + "(default: ${DEFAULT-VALUE}).") int frequency = 2;
  @Option(names = "--imagenet-val", paramLabel = "FOLDER",
      description = "ImageNet's validation pictures, a folder a WordNet "
      + "id.") Path imagenet;
  @Option(names = "--imagenet-v2", paramLabel = "FOLDER",
      description = "ImageNet V2's pictures, a folder a class.") Path v2;
  @Option(names = "--zeroshot-dataset", paramLabel = "NAME",
      description = "Any data set that eval knows, by name, or the "
      + "folder of your own; may be repeated.") List<String> sets = List.of();
  @Option(names = "--zeroshot-data", paramLabel = "ROOT",
      description = "The folder that holds those data sets' folders.") Path root;

  /// Evaluators of each set, by OpenCLIP's names for ImageNet.
  ///
  /// @param perEpoch steps an epoch
  /// @throws IOException where a set is not there
  public Trainer.Also also(Transform transform, Tokenizer tokenizer, long perEpoch) throws IOException {
    if (frequency < 0) throw new IllegalArgumentException("--zeroshot-frequency " + frequency + ", expected 0 or more");
    var found = new LinkedHashMap<String, TestSet>();
    if (frequency > 0) {
      if (imagenet != null) found.put("imagenet-zeroshot-val", at("--imagenet-val", imagenet, "imagenet1k"));
      if (v2 != null) found.put("imagenetv2-zeroshot-val", at("--imagenet-v2", v2, "imagenetv2"));
      for (var s : sets) {
        var set = Benchmarks.asked(s);
        var name = set.known() ? s : String.valueOf(Path.of(s).toAbsolutePath().normalize().getFileName());
        if (found.put(name + "-zeroshot", named(set)) != null)
          throw new IllegalArgumentException("--zeroshot-dataset: two data sets are called " + name);
      }
    }
    return new Trainer.Also(model -> {
      var subject = Subject.changing(new Embedder(model, transform, 256, () -> tokenizer));
      SequencedMap<String, Listener.Evaluator> r = new LinkedHashMap<>();
      found.forEach((name, set) -> r.put(name, () -> outcome(subject, set)));
      return r;
    }, Math.max(1, frequency * perEpoch));
  }

  private static TestSet at(String option, Path folder, String set) throws IOException {
    if (!Files.isDirectory(folder)) throw new IOException(option + " " + folder + " is no folder");
    return Layouts.find(folder, Benchmarks.of(set), "test", "en", true)
        .orElseThrow(() -> new IOException(option + " " + folder
        + " holds no pictures of ImageNet: expected a folder a class"));
  }

  private TestSet named(Benchmark set) throws IOException {
    if (!set.known()) return Layouts.own(Path.of(set.name()), "test").orElseThrow();
    if (BuiltIn.is(set)) return BuiltIn.of(set, "test", "en", null);
    if (root == null) throw new IllegalArgumentException("--zeroshot-dataset " + set.name()
        + " needs --zeroshot-data ROOT");
    return Layouts.find(root, set, "test", "en", sets.size() == 1)
        .orElseThrow(() -> new IOException("--zeroshot-dataset "
        + set.name() + " is not in " + root + "; looked for " + Layouts.places(root, set).getFirst() + " and others"));
  }

  private static Listener.Outcome outcome(Subject subject, TestSet set) throws IOException {
    Measured m = Protocols.usual(set).of(subject, new Protocol.Parts() {
      @Override public TestSet test() { return set; }

      @Override public TestSet part(String split) { return null; }
    }, Advance.UNHEARD);
    var metrics = new LinkedHashMap<String, Double>();
    m.metrics().forEach((name, v) -> { if (!Double.isNaN(v)) metrics.put(name.replace("acc1", "top1")
        .replace("acc5", "top5"), v); });
    return new Listener.Outcome(metrics, String.join(", ", metrics.entrySet().stream().limit(2)
        .map(e -> "%s %.1f %%".formatted(e.getKey(),
        100 * e.getValue())).toList()) + " of " + Count.of(m.samples(), "picture")
        + (m.missing() == 0 ? "" : "; %,d could not be read".formatted(m.missing())));
  }
}
