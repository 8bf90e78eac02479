package jacquard.clip.cli.train;

import jacquard.clip.data.EmojiSource;
import jacquard.clip.data.shards.ShardNames;
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
  /// Options that say the same in two ways: one given now takes the place of either.
  private static final List<Set<String>> ALTERNATIVES =
      List.of(Set.of("--steps", "--epochs"), Set.of("--val-steps", "--val-frequency"),
      Set.of("--save-steps", "--save-frequency"));
  /// Options that may name files; they are read where the run began.
  private static final Set<String> PATHS = Set.of("--train-data", "--val-data", "--model", "--pretrained",
      "--distill-model", "--distill-pretrained",
      "--data", "--guard", "--test-data", "--old-data", "--adapter");

  private Resumption() {}

  /// @param began   how the run began
  /// @param now     what is given now
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
