package jacquard.clip.cli.tune;

import jacquard.clip.settings.Json;
import jacquard.clip.tune.outcome.Curve;
import jacquard.clip.tune.outcome.CurvePage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.LongStream;
import picocli.CommandLine;

/// Runs of one adaptation that differ in one option, each in a folder of its own within one of all. A run that has
/// ended is not made again, and one that was stopped goes on.
///
/// @param folder of all
/// @param option that differs
record TuneSweep(TuneCommand command, Path folder, String option, List<String> values) {
  /// Over seeds, or over the values of an option; null where neither is asked for.
  static TuneSweep of(TuneCommand c) throws IOException {
    int seeds = c.method.seeds;
    if (seeds < 1) throw new IllegalArgumentException("--seeds " + seeds + ", expected 1 or more");
    if (seeds == 1 && c.method.knob == null) return null;
    if (seeds > 1 && c.method.knob != null)
      throw new IllegalArgumentException("--seeds and --knob exclude each other; give one of them");
    var folder = c.run.folder(c.model);
    if (seeds > 1)
      return new TuneSweep(c, folder, "--seed", LongStream.range(c.steps.seed, c.steps.seed + seeds)
          .mapToObj(Long::toString).toList());
    int at = c.method.knob.indexOf('=');
    var option = "--" + c.method.knob.substring(0, Math.max(at, 0)).replaceFirst("^--", "");
    if (at < 1 || !c.has(option))
      throw new IllegalArgumentException("--knob " + c.method.knob + ", expected an option of tune and its values, as "
          + "keep-weight=0.5,1,2");
    return new TuneSweep(c, folder, option, Arrays.asList(c.method.knob.substring(at + 1).split(",")));
  }

  /// The status to exit with.
  int call(CommandLine.IExecutionExceptionHandler failing) throws IOException {
    var lines = lines();
    for (var line : lines) parsed(line).check();
    for (int i = 0; i < values.size(); i++) {
      var run = folder.resolve(name(values.get(i)));
      if (Files.exists(run.resolve("tune.json"))) continue;
      var arguments = Files.exists(run.resolve("resume.safetensors")) ? List.of("--resume", run.toString())
          : lines.get(i);
      int status = new CommandLine(new TuneCommand()).setExecutionExceptionHandler(failing)
          .execute(arguments.toArray(String[]::new));
      if (status != 0) return status;
    }
    var all = new ArrayList<Map<String, ?>>();
    for (var value : values) all.add(Json.read(folder.resolve(name(value)).resolve("tune.json")));
    if (option.equals("--seed")) tellSeeds(all);
    else tellKnob(all);
    return 0;
  }

  /// The arguments of each run. Methods and ways to keep that are compared are given those options alone that they
  /// take; one that none of them takes stays, and is refused.
  private List<List<String>> lines() {
    var lines = new ArrayList<List<String>>();
    var strange = new ArrayList<List<String>>();
    for (var value : values) {
      var line = without(command.began.arguments(), "--seeds", "--knob", "--name", "--logs", option);
      line.addAll(List.of(option, value, "--logs", folder.toString(), "--name", name(value)));
      lines.add(line);
      var run = parsed(line);
      strange.add(run.method.strange(run.data.old != null));
    }
    for (int i = 0; i < lines.size(); i++)
      lines.set(i, without(lines.get(i), strange.get(i).stream()
          .filter(o -> strange.stream().anyMatch(s -> !s.contains(o))).toArray(String[]::new)));
    return lines;
  }

  private static TuneCommand parsed(List<String> line) {
    var r = new TuneCommand();
    new CommandLine(r).parseArgs(line.toArray(String[]::new));
    return r;
  }

  private String name(String value) { return option.substring(2) + "-" + value; }

  /// Arguments without some options and their values.
  static ArrayList<String> without(List<String> arguments, String... options) {
    var r = new ArrayList<String>();
    for (int i = 0; i < arguments.size(); i++) {
      var a = arguments.get(i);
      if (Arrays.stream(options).anyMatch(o -> a.startsWith(o + "="))) continue;
      if (Arrays.asList(options).contains(a)) i++;
      else r.add(a);
    }
    return r;
  }

  private void tellSeeds(List<Map<String, ?>> all) {
    System.out.printf("%n%-22s %20s %20s   (test halves, top-1, mean ± deviation of %d seeds)%n", "", "kept",
        "learned", values.size());
    for (var row : List.of("before", "after", "chosen"))
      System.out.printf("%-22s %20s %20s%n", row, spread(all, j -> figure(j, row, "kept/top1")),
          spread(all, j -> figure(j, row, "learned/top1")));
  }

  private static double figure(Map<String, ?> json, String row, String metric) {
    return ((Number) ((Map<?, ?>) ((Map<?, ?>) json.get("test")).get(row)).get(metric)).doubleValue();
  }

  private static String spread(List<Map<String, ?>> all, ToDoubleFunction<Map<String, ?>> figure) {
    double[] v = all.stream().mapToDouble(figure).toArray();
    double mean = Arrays.stream(v).average().orElseThrow();
    double squares = Arrays.stream(v).map(x -> (x - mean) * (x - mean)).sum();
    return "%.1f ± %.1f".formatted(100 * mean, 100 * Math.sqrt(squares / Math.max(1, v.length - 1)));
  }

  /// What each value keeps and learns after its last step, chosen and drawn on the validation halves.
  private void tellKnob(List<Map<String, ?>> all) throws IOException {
    var points = new ArrayList<Curve.Point>();
    System.out.printf("%n%-22s %10s %10s   %10s %10s   (top-1: validation halves, test halves)%n", option.substring(2),
        "kept", "learned", "kept", "learned");
    for (int i = 0; i < all.size(); i++) {
      var last = (Map<?, ?>) ((List<?>) all.get(i).get("validation")).getLast();
      double kept = ((Number) last.get("kept")).doubleValue(), learned = ((Number) last.get("learned")).doubleValue();
      double value = number(values.get(i), i);
      points.add(new Curve.Point(value, kept, learned));
      System.out.printf("%-22s %10.1f %10.1f   %10.1f %10.1f%n", values.get(i), 100 * kept, 100 * learned,
          100 * figure(all.get(i), "after", "kept/top1"), 100 * figure(all.get(i), "after", "learned/top1"));
    }
    var curve = new Curve(option.substring(2), points);
    CurvePage.of(curve, command.method.method + " over " + option.substring(2), command.data.guard, command.data.data)
        .write(folder);
    int best = points.indexOf(curve.chosen());
    System.out.printf("%s %s has the best mean: %s; see %s%n", option, values.get(best),
        folder.resolve(name(values.get(best))), folder.resolve("report.html"));
  }

  /// A value on the axis; names stand side by side.
  private static double number(String value, int place) {
    try { return Double.parseDouble(value); } catch (NumberFormatException e) { return place; }
  }
}
