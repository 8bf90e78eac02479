package jacquard.clip.cli;

import jacquard.clip.Clip;
import jacquard.clip.cli.options.ModelOptions;
import jacquard.clip.data.source.FolderSource;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Failures;
import jacquard.clip.eval.FeatureFile;
import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import jacquard.clip.report.log.Progress;
import jacquard.clip.settings.Count;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "embed", mixinStandardHelpOptions = true, sortOptions = false,
    customSynopsis = "jacquard embed MODEL [OPTION]… INPUT…")
final class EmbedCommand implements Callable<Integer> {
  private static final int BATCH = 64;

  @Mixin ModelOptions model;
  @Parameters(index = "1..*", paramLabel = "INPUT", description =
      "Pictures and folders of pictures; .txt files hold a text a line, a blank line too is one.")
  List<Path> inputs = List.of();
  @Option(names = "--text", description = "A text; may be repeated.") List<String> texts = List.of();
  @Option(names = "--out", defaultValue = "features", description =
      "Where to write, without the ending (default: ${DEFAULT-VALUE}).")
  String out;
  @Option(names = "--resume", description =
      "Goes on with what was stopped; the model and the inputs must be the same. Where nothing was stopped, begins.")
  boolean resume;

  private int unsound;

  @Override public Integer call() throws IOException {
    var name = out.endsWith(".npy") ? out.substring(0, out.length() - 4) : out;
    var all = EmbedInputs.of(inputs, texts);
    if (all.count() == 0)
      throw new IllegalArgumentException("nothing to embed: " + (all.empty().isEmpty()
          ? "give pictures, folders, .txt files or --text" : String.join("; ", all.empty()))
          + (all.unread().isEmpty() ? "" : "; " + FolderSource.skipped(all.unread())));
    try (var file = new FeatureFile(name, resume)) { return embed(name, all, file); }
  }

  private int embed(String name, EmbedInputs all, FeatureFile file) throws IOException {
    var files = model.files();
    file.begin(all.fingerprint(files, model.config.assignments()));
    try (var clip = model.load(files);
        var progress = Progress.of("embed", all.count()).unit("inputs").from(file.done()).open()) {
      all.empty().forEach(progress::say);
      if (!all.leftOut().isEmpty()) progress.say("left out, no pictures by their ending: " + all.leftOut());
      if (!all.unread().isEmpty()) progress.say(FolderSource.skipped(all.unread()));
      if (file.done() > 0)
        progress.say("going on behind the first " + Count.some(file.done(), all.count(), "input"));
      pictures(clip, all.pictures(), file, progress);
      texts(clip, all, file, progress);
      if (file.failed() > 0)
        progress.say(Count.some(file.failed(), all.pictures().size(), "picture") + " could not be read");
      if (file.rows() == 0) throw new IOException("no input could be read");
      file.finish();
      progress.close();
      if (unsound > 0)
        System.err.printf("jacquard: the features of %s are not finite; the model's weights may hold NaN%n",
            Count.of(unsound, "input"));
      System.out.println(file.rows() + " × " + file.width() + " features in " + name + ".npy, their inputs in " + name
          + ".jsonl");
      return file.failed() > 0 || unsound > 0 || !all.unread().isEmpty() ? 1 : 0;
    }
  }

  private void pictures(Clip clip, List<Path> pictures, FeatureFile file, Progress progress) throws IOException {
    for (int from = (int) Math.min(file.done(), pictures.size()); from < pictures.size(); from += BATCH) {
      var part = pictures.subList(from, Math.min(pictures.size(), from + BATCH));
      var failures = new Failures();
      float[][] features = clip.embedder()
          .readable(part.size(), new Listed(part), failures, progress::advance);
      failures.messages().forEach(progress::say);
      write(file, "image", part.stream().map(Path::toString).toList(), features);
    }
  }

  private record Listed(List<Path> files) implements Embedder.Pictures {
    @Override public Picture at(int index) throws IOException { return Images.read(files.get(index)); }

    @Override public String name(int index) { return files.get(index).toString(); }
  }

  private void texts(Clip clip, EmbedInputs all, FeatureFile file, Progress progress) throws IOException {
    try (var texts = all.texts()) {
      for (long skip = file.done() - all.pictures().size(); skip > 0; skip--) texts.next();
      var part = new ArrayList<String>();
      for (String t; (t = texts.next()) != null || !part.isEmpty(); ) {
        if (t != null) part.add(t);
        if (t != null && part.size() < BATCH) continue;
        write(file, "text", part, clip.embedder().texts(part, progress::advance));
        part.clear();
      }
    }
  }

  private void write(FeatureFile file, String kind, List<String> names, float[][] features) throws IOException {
    for (float[] f : features) if (f != null && !Embedder.finite(f)) unsound++;
    file.write(kind, names, features);
  }
}
