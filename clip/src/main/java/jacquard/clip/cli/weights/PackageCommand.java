package jacquard.clip.cli.weights;

import jacquard.clip.checkpoint.Conversion;
import jacquard.clip.checkpoint.Conversion.Layout;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.checkpoint.files.NewFolder;
import jacquard.clip.cli.train.RunRecord;
import jacquard.clip.hub.ModelCard;
import jacquard.clip.settings.Json;
import jacquard.clip.text.ClipFiles;
import jacquard.clip.text.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Writes a folder that is fit for the hub.
@Command(name = "package", mixinStandardHelpOptions = true)
public final class PackageCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "RUN", description = "A run's folder, as runs/emoji-1; or a folder with a "
      + "model.") Path run;
  @Option(names = "--out", paramLabel = "FOLDER", description = "A folder to be made (default: RUN with -hub behind).")
  Path out;
  @Option(names = "--weights", paramLabel = "WHICH", defaultValue = "last", description = "Of a run: last, best or "
      + "averages (default: ${DEFAULT-VALUE}).") String which;
  @Option(names = "--name", paramLabel = "NAME", description = "The model's (default: that of the run).") String name;
  @Option(names = "--license", paramLabel = "ID", defaultValue = "", description = "As the hub names it: mit, "
      + "apache-2.0, cc-by-4.0 … (default: none is said).") String licence;
  @Option(names = "--dataset", paramLabel = "ORG/NAME", description = "Data on the hub that it was trained on; may be "
      + "repeated.") List<String> datasets = List.of();
  @Option(names = "--data-license", paramLabel = "TEXT", description = "A line on where the data comes from and under "
      + "which licence; may be repeated.") List<String> sources = List.of();
  @Option(names = "--base-model", paramLabel = "ORG/NAME", defaultValue = "", description = "The model on the hub that "
      + "it was tuned from.") String base;
  @Option(names = "--half", description = "Floats of 16 bits (FP16), but for the scale and the bias.") boolean half;

  @Override public Integer call() throws IOException {
    var record = RunRecord.of(run, which);
    var model = ModelFiles.at(record.weights());
    var to = out != null ? out : run.toAbsolutePath().normalize()
        .resolveSibling(run.toAbsolutePath().normalize().getFileName() + "-hub");
    if (Files.exists(to)) throw new IllegalArgumentException(to + " is there already; give a new name with --out");
    var input = model.config().model().text().input();
    if (!input.clip() && (model.tokenizer() == null || !TokenizerFiles.in(model.tokenizer(), input.tokenizer())))
      throw new IOException(record.weights() + " lacks the files of the tokenizer " + input.tokenizer()
          + ", without which nobody can use the model: put them beside the weights");
    NewFolder.write(to, made -> {
      new Conversion(Layout.OPEN_CLIP, half, 0).write(model, made);
      if (input.clip())
        for (var f : ClipFiles.of(input.context()).entrySet())
          AtomicFile.write(made.resolve(f.getKey()), f.getValue() instanceof String s ? s : Json.text(f.getValue()));
      AtomicFile.write(made.resolve("README.md"), card(record, model, to.getFileName().toString()).markdown());
    });
    System.out.println(to);
    if (licence.isEmpty()) System.err.println("jacquard: the card says no licence; --license ID adds it");
    return 0;
  }

  private ModelCard card(RunRecord record, ModelFiles model, String folder) {
    var config = model.config().model();
    var details = new LinkedHashMap<String, String>();
    details.put("Model Type", "Contrastive image-text, zero-shot image classification");
    details.put("Towers", config.family());
    details.put("Embedding", config.embedding() + " channels");
    details.put("Image size", String.valueOf(config.vision().input()));
    details.put("Context", config.text().input().context() + " tokens");
    details.putAll(record.details());
    var usage = new LinkedHashMap<String, String>();
    usage.put("python", """
        import open_clip
        model, _, preprocess = open_clip.create_model_and_transforms("local-dir:%1$s")
        tokenizer = open_clip.get_tokenizer("local-dir:%1$s")
        """.formatted(folder));
    usage.put("bash", "./jacquard classify " + folder + " cat.jpg --labels cat,dog");
    var data = record.data(sources);
    var title = name != null ? name : record.name();
    return new ModelCard(title, title + " was trained with Jacquard and is laid out as OpenCLIP lays models out.",
        licence, base.isEmpty() ? record.base() : base, datasets, details, data, record.metrics(), usage);
  }
}
