package jacquard.clip.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// The launcher.
@Command(name = "jacquard", mixinStandardHelpOptions = true, version = "jacquard 0.1.0",
    description = "CLIP on the JVM: trains, evaluates and embeds.",
    subcommands = {TrainCommand.class, EvalCommand.class, EmbedCommand.class, ClassifyCommand.class, ModelsCommand.class, DoctorCommand.class})
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.setProperty("java.awt.headless", "true");
    if (System.getProperty("java.util.logging.SimpleFormatter.format") == null) System.setProperty("java.util.logging.SimpleFormatter.format", "jacquard: %5$s%6$s%n");
    var line = new CommandLine(new Main());
    // What a user can mend is said in a line; anything else is a defect and shows where.
    line.setExecutionExceptionHandler((e, command, _) -> {
      if (e instanceof IOException || e instanceof UncheckedIOException || e instanceof IllegalArgumentException) {
        command.getErr().println(command.getColorScheme().errorText("jacquard: " + (e instanceof UncheckedIOException u ? u.getCause() : e).getMessage()));
        return 1;
      }
      e.printStackTrace(command.getErr());
      return 2;
    });
    System.exit(args.length == 0 ? line.execute("--help") : line.execute(args));
  }
}
