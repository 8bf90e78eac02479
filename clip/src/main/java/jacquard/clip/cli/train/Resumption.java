package jacquard.clip.cli.train;

import jacquard.clip.cli.train.options.StartOptions;
import jacquard.clip.data.shards.ShardNames;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.settings.Recipes;
import jacquard.clip.train.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// The options of a run that goes on: those that it began with, and those given now before them.
public final class Resumption {
  /// Options of which one is given: one given now takes the place of another.
  private static final List<Set<String>> ALTERNATIVES =
      List.of(Set.of("--steps", "--epochs"), Set.of("--val-steps", "--val-frequency"),
      Set.of("--save-steps", "--save-frequency"),
      Set.of("--lr-scheduler", "--skip-scheduler"), Set.of("--warmup", "--skip-scheduler"));
  /// Options that may name files; they are read where the run began.
  private static final Set<String> PATHS =
      Set.of("--train-data", "--val-data", "--model", "--pretrained", "--pretrained-image", "--distill-model",
      "--distill-pretrained", "--cache-dir", "--imagenet-val", "--imagenet-v2", "--zeroshot-data", "--data", "--guard",
      "--test-data", "--old-data", "--uids");

  /// Options of a first training that a second one has otherwise.
  private static final Set<String> FIRST_ALONE = Set.of("--then", "--name", "--logs", "--resume", "--pretrained",
      "--pretrained-image", "--model", "--recipe");

  private Resumption() {}

  /// Refuses options that exclude each other.
  static void check(ParseResult given) {
    for (var a : ALTERNATIVES) {
      var both = given.matchedOptions().stream().map(OptionSpec::longestName).filter(a::contains).distinct().toList();
      if (both.size() > 1)
        throw new IllegalArgumentException(String.join(" and ", both) + " exclude each other; give one of them");
    }
  }

  /// @param made  steps that the run has made
  /// @param began how the run began
  /// @param given what is given now
  static List<String> arguments(Path folder, long made, RunFolder.Command began, TrainCommand given) {
    var then = new TrainCommand();
    var before = new CommandLine(then).parseArgs(began.arguments().toArray(String[]::new));
    var now = given.spec.commandLine().getParseResult();
    if (made > 0) same(then.model, given.model);
    var all = new ArrayList<String>();
    for (var option : before.matchedOptions())
      if (!replaced(option.longestName(), now)) add(all, option, Path.of(began.folder()));
    for (var option : now.matchedOptions()) if (!option.longestName().equals("--resume")) add(all, option, null);
    if (given.model.first != null) all.add("--model=" + given.model.first);
    else if (then.model.first != null && given.model.name == null)
      all.add("--model=" + resolved(then.model.first, Path.of(began.folder())));
    all.add("--resume=" + folder.toAbsolutePath());
    return all;
  }

  /// The arguments of a second training that begins from the weights of a first one, in a folder beside its own: those
  /// of the first, and others over them. Where it was begun before, it goes on.
  ///
  /// @param first  the folder of the first
  /// @param others options as one text
  static List<String> second(Path first, RunFolder.Command began, String others) {
    var to = first.toAbsolutePath().normalize();
    var folder = to.resolveSibling(to.getFileName() + "-2");
    if (Files.exists(folder.resolve("resume.safetensors"))) return List.of("--resume=" + folder);
    var words = new ArrayList<>(List.of("train"));
    if (!others.isBlank()) words.addAll(List.of(others.strip().split("\\s+")));
    var given = new ArrayList<>(List.of(Recipes.expanded(words.toArray(String[]::new))));
    given.removeFirst();
    var now = new CommandLine(new TrainCommand()).parseArgs(given.toArray(String[]::new));
    var all = new ArrayList<String>();
    for (var option : new CommandLine(new TrainCommand()).parseArgs(began.arguments().toArray(String[]::new))
        .matchedOptions())
      if (!replaced(option.longestName(), now) && !FIRST_ALONE.contains(option.longestName()))
        add(all, option, Path.of(began.folder()));
    all.addAll(given);
    all.add("--pretrained=" + to.resolve("last"));
    all.add("--logs=" + folder.getParent());
    all.add("--name=" + folder.getFileName());
    return all;
  }

  /// The same of another command that names its model by its place.
  ///
  /// @param command one of the kind that began it, whose values are not looked at
  public static List<String> arguments(Path folder, RunFolder.Command began, ParseResult now, Object command) {
    var all = new ArrayList<String>();
    var before = new CommandLine(command).parseArgs(began.arguments().toArray(String[]::new));
    for (var model : before.matchedPositionals())
      for (var v : model.originalStringValues()) all.add(resolved(v, Path.of(began.folder())));
    for (var option : before.matchedOptions())
      if (!replaced(option.longestName(), now)) add(all, option, Path.of(began.folder()));
    for (var option : now.matchedOptions()) if (!option.longestName().equals("--resume")) add(all, option, null);
    all.add("--resume=" + folder.toAbsolutePath());
    return all;
  }

  /// A run that has a checkpoint goes on with its own model and weights.
  private static void same(StartOptions then, StartOptions now) {
    if (now.pretrained != null && !now.pretrained.equals(then.pretrained))
      throw new IllegalArgumentException("--pretrained with --resume: the run goes on with the weights of its own "
          + "checkpoint; begin another run to start from others");
    if (now.model() != null && !now.title().equals(then.title()))
      throw new IllegalArgumentException("--model " + now.model() + " with --resume: the run goes on with its own "
          + "model, " + then.title() + "; begin another run for another");
  }

  private static boolean replaced(String option, ParseResult now) {
    return now.hasMatchedOption(option)
        || ALTERNATIVES.stream().anyMatch(a -> a.contains(option) && a.stream().anyMatch(now::hasMatchedOption));
  }

  private static void add(List<String> arguments, OptionSpec option, Path began) {
    var name = option.longestName();
    var values = option.arity().max() == 0 ? List.<String>of() : option.originalStringValues();
    if (option.arity().max() != 1) arguments.add(name);
    for (var v : values) {
      var value = began != null && PATHS.contains(name) ? resolved(v, began) : v;
      arguments.add(option.arity().max() == 1 ? name + "=" + value : value);
    }
  }

  /// The file that a relative path meant where the run began; the value itself where it means none.
  private static String resolved(String value, Path began) {
    if (EmojiSource.SPLITS.contains(value) || began.equals(Path.of("").toAbsolutePath())) return value;
    if (ShardNames.in(value))
      return ShardNames.sources(value).stream()
          .map(s -> s.startsWith("$") || s.contains(":")
          || !Files.exists(began.resolve(ShardNames.braces(s).getFirst())) ? s : began.resolve(s).toString())
          .collect(Collectors.joining("::"));
    var file = began.resolve(value);
    return Files.exists(file) ? file.toString() : value;
  }
}
