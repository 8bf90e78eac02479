package jacquard.clip.cli.train;

import jacquard.clip.report.log.MetricLog;
import jacquard.clip.train.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine;

/// What a run's folder says of the run, for a model card.
///
/// @param weights the folder of the weights that are meant
/// @param base the repository on the hub that the run began from; "" for none
/// @param trained what it was trained on, as it was named; "" where that is not known
public record RunRecord(String name, Path weights, String base, String trained, SequencedMap<String, String> details,
    SequencedMap<String, String> metrics) {
  /// Options that say something of the machine alone.
  private static final Set<String> HERE = Set.of("--logs", "--name", "--resume", "--device", "--ranks");
  private static final String HELD = "held_out/", TOP1 = HELD + "top1";
  private static final String EMOJI = "Emoji drawings of Jacquard's own corpus: Noto Emoji and FxEmoji (Apache-2.0), "
      + "Twemoji, EmojiOne 2 and Streamline Emojis (CC-BY-4.0), Fluent Emoji (MIT)";

  /// Of a run's folder, or of a folder with a model, of which little is known.
  ///
  /// @param which the run's weights: last, best, averages
  public static RunRecord of(Path folder, String which) throws IOException {
    var name = folder.toAbsolutePath().normalize().getFileName().toString();
    var log = folder.resolve("metrics.jsonl");
    if (!Files.exists(log))
      return new RunRecord(name, folder, "", "", new LinkedHashMap<>(), new LinkedHashMap<>());
    if (!List.of("last", "best", "averages").contains(which))
      throw new IllegalArgumentException("--weights " + which + ", expected last, best or averages");
    var weights = folder.resolve(which);
    if (!Files.isDirectory(weights)) throw new IOException(folder + " has no weights " + which + "; was a checkpoint "
        + "saved?");
    var entries = MetricLog.read(log);
    var details = new LinkedHashMap<String, String>();
    details.put("Steps", entries.isEmpty() ? "0" : String.format(Locale.ROOT, "%,d", entries.getLast().step()));
    String trained = "", base = "";
    var command = RunFolder.command(folder);
    if (command.isPresent()) {
      var train = new TrainCommand();
      var line = new CommandLine(train).parseArgs(command.get().arguments().toArray(String[]::new));
      trained = train.data.train;
      details.put("Options of the training", line.matchedOptions().stream().filter(o -> !HERE.contains(o.longestName()))
          .map(o -> o.longestName() + " " + String.join(" ", o.originalStringValues())).map(String::strip)
          .collect(Collectors.joining(" ")));
      details.put("Loss", train.task.loss().name().toLowerCase(Locale.ROOT));
      var from = train.model.pretrained == null ? "" : train.model.pretrained.toString();
      if (from.startsWith("hf-hub:")) base = from.substring(7);
    }
    return new RunRecord(name, weights, base, trained, details, which.equals("last") ? last(entries)
        : best(entries, which));
  }

  /// The last value of each figure on held-out data, and of the loss.
  private static SequencedMap<String, String> last(List<MetricLog.Entry> entries) {
    var r = new LinkedHashMap<String, String>();
    for (var e : entries)
      for (var k : e.values().keySet()) if (k.startsWith(HELD)) r.put(said(k), percent(e.number(k)));
    for (var e : entries.reversed())
      if (e.values().containsKey("loss")) {
        r.put("training loss, last step", String.format(Locale.ROOT, "%.4f", e.number("loss")));
        break;
      }
    return r;
  }

  /// Those of the evaluation with the best top-1. Averages are not evaluated by themselves.
  private static SequencedMap<String, String> best(List<MetricLog.Entry> entries, String which) {
    var r = new LinkedHashMap<String, String>();
    if (!which.equals("best")) return r;
    MetricLog.Entry best = null;
    for (var e : entries)
      if (e.values().containsKey(TOP1) && (best == null || e.number(TOP1) > best.number(TOP1))) best = e;
    if (best != null)
      for (var k : best.values().keySet()) if (k.startsWith(HELD)) r.put(said(k), percent(best.number(k)));
    return r;
  }

  private static String said(String key) { return key.substring(HELD.length()).replace('_', ' ') + ", held out"; }

  private static String percent(double share) { return String.format(Locale.ROOT, "%.1f %%", 100 * share); }

  /// Lines on the data: what was given, and what this project knows of its own.
  public List<String> data(List<String> given) {
    var r = new ArrayList<String>();
    if (trained.startsWith("emoji")) r.add(EMOJI);
    else if (!trained.isEmpty()) r.add(trained + (given.isEmpty() ? " (its licence was not said)" : ""));
    r.addAll(given);
    return r;
  }
}
