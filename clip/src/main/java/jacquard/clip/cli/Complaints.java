package jacquard.clip.cli;

import jacquard.clip.settings.Nearest;
import jacquard.clip.settings.Reason;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/// What went wrong, in a line that a user can act upon.
final class Complaints {
  private static final long MEBI = 1 << 20;

  private Complaints() {}

  /// A wrong command line: where all options are told, and then, last, what is wrong and what was probably meant.
  static void wrongLine(ParameterException e) {
    var line = e.getCommandLine();
    line.getErr().println("./" + line.getCommandSpec().qualifiedName() + " --help lists all options"
        + (line.getSubcommands().isEmpty() ? "" : " and commands") + ".");
    say(line, switch (e) {
      case UnmatchedArgumentException u when !u.getUnmatched()
          .isEmpty() -> unmatched(line, u.getUnmatched().getFirst());
      case MissingParameterException m -> first(m.getMessage());
      case ParameterException p when p.getCause() instanceof TypeConversionException
          && p.getArgSpec() instanceof OptionSpec o -> o.longestName() + " \"" + p.getValue() + "\", expected "
          + kind(o.auxiliaryTypes()[0], p.getValue());
      default -> first(String.valueOf(e.getMessage()));
    });
  }

  /// What a value of this type is, in words.
  private static String kind(Class<?> type, String value) {
    if (type == int.class || type == Integer.class)
      return "a whole number" + (value.matches("[-+]?\\d{10,}") ? " of at most %,d".formatted(Integer.MAX_VALUE) : "");
    if (type == long.class || type == Long.class) return "a whole number";
    if (type == boolean.class || type == Boolean.class) return "no value: the option stands alone";
    return Path.class.isAssignableFrom(type) ? "the name of a file" : "a number, as 0.5 or 1e-3";
  }

  private static String unmatched(CommandLine line, String argument) {
    if (!argument.startsWith("-")) {
      if (line.getSubcommands().isEmpty())
        return "unexpected argument \"" + argument + "\"" + "; a value with spaces wants quotes";
      return "no command \"" + argument + "\"; expected one of " + String.join(", ", line.getSubcommands().keySet())
          + Nearest.of(argument, line.getSubcommands().keySet()).map(n -> ". Did you mean " + n + "?").orElse("");
    }
    var name = argument.replaceAll("=.*", "");
    var known = line.getCommandSpec().options().stream().flatMap(o -> Arrays.stream(o.names()))
        .filter(n -> n.startsWith("--")).toList();
    var why = line.getCommandName().equals("train") ? OpenClipFlags.why(name) : Optional.<String>empty();
    if (why.isPresent()) return why.get();
    return "no option " + name + nearest(name, known).map(n -> ". Did you mean " + n + "?").orElse("");
  }

  /// By edits, by initials (`--learning-rate` is `--lr`), or by the words that two have in common.
  static Optional<String> nearest(String name, List<String> known) {
    var plain = "--" + name.replaceFirst("^-+", "").replace('_', '-').toLowerCase(Locale.ROOT);
    if (known.contains(plain)) return Optional.of(plain);
    var initials = "--" + words(plain).stream().map(w -> w.substring(0, 1)).collect(Collectors.joining());
    if (words(plain).size() > 1 && known.contains(initials)) return Optional.of(initials);
    var close = Nearest.of(plain, known);
    if (close.isPresent()) return close;
    return known.stream().filter(k -> common(plain, k) > 0)
        .reduce((a, b) -> common(plain, b) > common(plain, a) ? b : a);
  }

  private static List<String> words(String name) {
    return Arrays.stream(name.split("-")).filter(w -> !w.isEmpty()).toList();
  }

  private static long common(String a, String b) {
    return words(a).stream().filter(w -> w.length() > 2 && words(b).contains(w)).count();
  }

  /// The memory that was not enough, what for, and what to set.
  static String memory(OutOfMemoryError e, String[] arguments) {
    var asked = String.join(" ", arguments);
    var what = "./jacquard " + (asked.length() > 300 ? asked.substring(0, 300) + " …" : asked);
    var message = e.getMessage();
    // of a device's pool, which says what to do
    if (message != null && message.contains("asked")) return "out of memory: " + message + " (" + what + ")";
    long heap = Runtime.getRuntime().maxMemory() / MEBI, more = (2 * heap + 255) / 256 * 256;
    var smaller = switch (arguments.length == 0 ? "" : arguments[0]) {
      case "train" -> ", or make batches smaller (--batch-size, with --accum-freq for the same step)";
      case "doctor" -> "; less is enough for nothing: even the smallest model needs a heap of some 200 MiB";
      default -> "";
    };
    return "out of memory" + (message == null ? "" : " (" + message + ")") + ": " + what
        + " needs more than the heap of " + heap + " MiB; set JACQUARD_OPTS=-Xmx" + more + "m or more" + smaller;
  }

  /// The failure within a failure that no memory was left, or null.
  static OutOfMemoryError memoryIn(Throwable e) {
    for (int depth = 0; e != null && depth < 20; e = e.getCause(), depth++)
      if (e instanceof OutOfMemoryError m) return m;
    return null;
  }

  static void say(CommandLine line, String text) {
    line.getErr().println(line.getColorScheme().errorText("jacquard: " + text));
    line.getErr().flush();
  }

  static void say(CommandLine line, Throwable e) { say(line, Reason.of(e)); }

  private static String first(String text) { return Character.toLowerCase(text.charAt(0)) + text.substring(1); }
}
