package jacquard.tests.cli.messages;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.cli.Main;
import jacquard.tests.Fork;
import jacquard.tests.cli.Launcher;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What the commands say of themselves.
class HelpTest {
  /// The list of commands says in whole sentences what each does.
  @Test void everyCommandSaysWhatItDoes() {
    var list = Launcher.run("--help").text();
    var commands = list.substring(list.indexOf("Commands:")).lines().skip(1).toList();
    int names = 0;
    for (int i = 0; i < commands.size(); i++) {
      if (!commands.get(i).matches("  \\S.*")) continue;
      names++;
      assertTrue(commands.get(i).strip().contains(" "), commands.get(i) + " says nothing");
      int end = i;
      while (end + 1 < commands.size() && commands.get(end + 1).startsWith("   ")) end++;
      assertTrue(commands.get(end).strip().matches(".*[.:]"), commands.get(i) + " … ends in the middle of a sentence");
    }
    assertTrue(names > 12, list);
  }

  @Test void help() {
    var all = Launcher.run("--help").text();
    for (var command : List.of("train", "eval", "embed", "classify", "caption", "shards", "data", "models", "convert",
        "download", "doctor"))
      assertTrue(all.lines().anyMatch(l -> l.matches("  " + command + " +[A-Z].*")), command + " in " + all);
    var train = Launcher.run("train", "--help").text();
    int tables = train.indexOf("\nTables:"), shards = train.indexOf("\nShards:");
    assertTrue(tables > 0 && shards > tables, train);
    assertTrue(train.indexOf("--csv-separator") < shards && train.indexOf("--image-key") > shards
        && train.indexOf("--shard-cache-size") > shards, train);
    assertTrue(train.indexOf("--gemm") > train.indexOf("\nDevices and precision:"), train);
    var eval = Launcher.run("eval", "--help").text();
    var order = List.of("--val-data", "--csv-separator", "--csv-img-key", "--csv-caption-key", "--csv-group-key",
        "--image-key", "--shard-cache=", "--shard-cache-size");
    for (int i = 1; i < order.size(); i++)
      assertTrue(eval.indexOf(order.get(i - 1)) < eval.indexOf(order.get(i)), order.get(i) + " in " + eval);
  }

  /// With too little memory `doctor` says how much there is and what to set.
  @Test void doctorWithoutMemory() {
    var said = assertThrows(IOException.class, () -> Fork.run(List.of("-Xmx16m"), Main.class, "doctor")).getMessage();
    assertTrue(said.contains("jacquard: out of memory")
        && said.contains("needs more than the heap of 16 MiB; set JACQUARD_OPTS=-Xmx256m or more"), said);
  }
}
