package jacquard.clip.cli;

import jacquard.clip.cli.data.DataCommand;
import jacquard.clip.cli.data.ShardsCommand;
import jacquard.clip.cli.suite.ReportCommand;
import jacquard.clip.cli.train.TrainCommand;
import jacquard.clip.cli.tune.BlendCommand;
import jacquard.clip.cli.tune.TuneCommand;
import jacquard.clip.cli.weights.ConvertCommand;
import jacquard.clip.cli.weights.DownloadCommand;
import jacquard.clip.cli.weights.ModelsCommand;
import jacquard.clip.cli.weights.PackageCommand;
import jacquard.clip.settings.Build;
import jacquard.clip.settings.Reason;
import jacquard.clip.settings.Recipes;
import jacquard.tensor.Device;
import jacquard.tensor.Group;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine;

/// The launcher.
@Command(name = "jacquard", mixinStandardHelpOptions = true, version = Build.VERSION,
    description = "CLIP on the JVM: trains, evaluates and embeds.")
public final class Main {
  /// The commands that run models: their kernels are compiled while the rest begins. The CPU's, which is always there:
  /// another device is opened only when it is asked for.
  private static final Set<String> WORKING = Set.of("train", "tune", "eval", "embed", "classify", "caption", "demo");

  private static final Map<String, Supplier<?>> COMMANDS = new LinkedHashMap<>();
  static {
    COMMANDS.put("train", TrainCommand::new);
    COMMANDS.put("tune", TuneCommand::new);
    COMMANDS.put("blend", BlendCommand::new);
    COMMANDS.put("eval", EvalCommand::new);
    COMMANDS.put("report", ReportCommand::new);
    COMMANDS.put("embed", EmbedCommand::new);
    COMMANDS.put("classify", ClassifyCommand::new);
    COMMANDS.put("caption", CaptionCommand::new);
    COMMANDS.put("shards", ShardsCommand::new);
    COMMANDS.put("data", DataCommand::new);
    COMMANDS.put("models", ModelsCommand::new);
    COMMANDS.put("convert", ConvertCommand::new);
    COMMANDS.put("package", PackageCommand::new);
    COMMANDS.put("download", DownloadCommand::new);
    COMMANDS.put("demo", DemoCommand::new);
    COMMANDS.put("doctor", DoctorCommand::new);
  }

  private Main() {}

  public static void main(String[] args) {
    System.setOut(utf8(System.out, FileDescriptor.out));
    System.setErr(utf8(System.err, FileDescriptor.err));
    if (Reason.unlikeUtf8() && Arrays.stream(args).anyMatch(a -> a.indexOf('\ufffd') >= 0)) {
      System.err.println("jacquard: this Java read the arguments as " + System.getProperty("sun.jnu.encoding")
          + ", and letters were lost; set LC_ALL=C.UTF-8, as ./jacquard does");
      System.exit(1);
    }
    if (args.length > 1 && WORKING.contains(args[0]))
      Thread.ofPlatform().daemon().start(() -> Device.named("cpu").warm());
    if (Integer.getInteger("jacquard.collect") instanceof Integer seconds)
      Thread.ofPlatform().daemon().start(() -> collect(Duration.ofSeconds(seconds)));
    int status = run(args);
    System.out.flush();
    System.err.flush();
    System.exit(status);
  }

  /// Looks for garbage now and then, where the collector was told not to do so by itself: else what a training of days
  /// leaves among what lives would stay until the machine is full.
  private static void collect(Duration every) {
    while (true) {
      try { Thread.sleep(every); } catch (InterruptedException e) { return; }
      System.gc();
    }
  }

  /// The console speaks UTF-8 whatever the locale is.
  private static PrintStream utf8(PrintStream given, FileDescriptor to) {
    return given.charset().equals(StandardCharsets.UTF_8) ? given
        : new PrintStream(new FileOutputStream(to), true, StandardCharsets.UTF_8);
  }

  /// Kept, since the JDK forgets loggers that nobody holds.
  private static final Logger LOGGER = Logger.getLogger("jacquard");

  /// What is only noted otherwise is said from now on.
  private static void debug() {
    LOGGER.setLevel(Level.FINE);
    for (var handler : Logger.getLogger("").getHandlers()) handler.setLevel(Level.FINE);
  }

  /// Runs a command line and says how it ended: 0 well, 1 for what the user can mend, 2 for a wrong option or a defect.
  /// Writes to the standard streams.
  public static int run(String... args) {
    System.setProperty("java.awt.headless", "true");
    if (System.getProperty("java.util.logging.SimpleFormatter.format") == null)
      System.setProperty("java.util.logging.SimpleFormatter.format", "jacquard: %5$s%6$s%n");
    boolean debug = List.of(args).contains("--debug");
    if (debug) debug();
    Locale.setDefault(Locale.ROOT);                                              // the same figures everywhere
    var line = line(args);
    // What a user can mend is said in a line; anything else is a defect and shows where.
    line.setExecutionExceptionHandler((e, command, _) -> {
      var memory = Complaints.memoryIn(e);
      if (memory != null) {
        Complaints.say(command, Complaints.memory(memory, args));
        return 1;
      }
      if (e instanceof IOException || e instanceof UncheckedIOException || e instanceof IllegalArgumentException
          || e instanceof Group.Failure) {
        Complaints.say(command, e);
        if (debug) e.printStackTrace(command.getErr());
        return 1;
      }
      e.printStackTrace(command.getErr());
      return 2;
    });
    line.setParameterExceptionHandler((e, _) -> {
      Complaints.wrongLine(e);
      return 2;
    });
    try {
      return args.length == 0 ? line.execute("--help")
          : line.execute(args[0].equals("train") ? Recipes.expanded(args) : args);
    } catch (IllegalArgumentException e) {                                       // no such recipe
      Complaints.say(line, e);
      return 1;
    }
    catch (Error e) {
      var memory = Complaints.memoryIn(e);
      if (memory == null) throw e;
      Complaints.say(line, Complaints.memory(memory, args));
      return 1;
    }
  }

  /// Reads a command line and runs nothing.
  /// @throws IllegalArgumentException where it names no command, or an option that the command does not have
  public static void parse(String... args) {
    try {
      line(args).parseArgs(args);
    } catch (ParameterException wrong) {
      throw new IllegalArgumentException(wrong.getMessage(), wrong);
    }
  }

  private static CommandLine line(String... args) {
    var line = new CommandLine(new Main());
    // Reading a command's annotations takes as long as decoding a picture: of the one that was asked for, or of all for
    // the list of them.
    boolean known = args.length > 0 && COMMANDS.containsKey(args[0]);
    COMMANDS.forEach((name, command) -> {
      if (!known || name.equals(args[0])) line.addSubcommand(name, command.get());
    });
    line.getSubcommands().forEach((name, command) -> command.getCommandSpec().usageMessage().description(text(name)));
    for (var name : List.of("train", "tune"))
      if (line.getSubcommands().containsKey(name)) line.getSubcommands().get(name).getHelpSectionMap()
          .put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, Main::sections);
    line.setExpandAtFiles(false);                                                // a text may begin with @
    return line;
  }

  /// What `--help` says before the options: a resource a command.
  private static String[] text(String command) {
    try (var in = Main.class.getResourceAsStream(command + ".txt")) {
      if (in == null)
        throw new IllegalStateException("the command " + command + " has no " + command
            + ".txt among the resources of clip.cli");
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toArray(String[]::new);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The options in sections, one a mixin, headed by its name; a mixin within one that has a name too follows it.
  private static String sections(Help help) {
    var r = new StringBuilder();
    help.commandSpec().mixins().forEach((name, mixin) -> section(help, name, mixin, r));
    return r.toString();
  }

  private static void section(Help help, String name, CommandSpec mixin, StringBuilder to) {
    if (!headed(name)) return;
    var own = mixin.options().stream().filter(o -> mixin.mixins().entrySet().stream()
        .noneMatch(m -> headed(m.getKey()) && m.getValue().options().contains(o))).toList();
    var layout = help.createDefaultLayout(own, List.of(), help.colorScheme());
    layout.addOptions(own, help.createDefaultParamLabelRenderer());
    to.append(name).append(":\n").append(layout).append('\n');
    mixin.mixins().forEach((inner, m) -> section(help, inner, m, to));
  }

  /// Whether a mixin's name is a heading, and not a field's.
  private static boolean headed(String name) { return Character.isUpperCase(name.charAt(0)); }
}
