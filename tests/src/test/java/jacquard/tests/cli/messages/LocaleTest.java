package jacquard.tests.cli.messages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tests.cli.Launcher;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Texts and names are UTF-8 whatever the locale is.
@EnabledOnOs(OS.LINUX)
class LocaleTest {
  @TempDir Path folder;

  private String bash(String script) throws Exception {
    var file = Files.writeString(folder.resolve("script.sh"), script);
    var out = folder.resolve("out.txt");
    var p = new ProcessBuilder("env", "-i", "PATH=" + System.getenv("PATH"), "HOME=" + folder, "bash", file.toString())
        .redirectErrorStream(true).redirectOutput(out.toFile()).start();
    assertTrue(p.waitFor(3, TimeUnit.MINUTES));
    return Files.readString(out);
  }

  private static Path launcher() {
    for (var d = Path.of("").toAbsolutePath(); d != null; d = d.getParent())
      if (Files.isRegularFile(d.resolve("jacquard")) && Files.exists(d.resolve("bom"))) return d.resolve("jacquard");
    throw new IllegalStateException("no launcher above " + Path.of("").toAbsolutePath());
  }

  /// A Java that says its locale and its arguments in place of running.
  @Test void theLauncherChoosesALocaleOfUtf8() throws Exception {
    var jdk = Files.createDirectories(folder.resolve("jdk/bin")).getParent();
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.3\"\n");
    Files.writeString(jdk.resolve("bin/java"), "#!/bin/sh\necho \"locale $(locale charmap) $*\"\n").toFile()
        .setExecutable(true);
    Files.copy(launcher(), folder.resolve("jacquard"), StandardCopyOption.COPY_ATTRIBUTES);
    Files.writeString(Files.createDirectories(folder.resolve("tests/target/libraries")).resolve(".built"), "");
    for (var locale : List.of("", "LC_ALL=C", "LC_ALL=POSIX", "LANG=xx_XX.UTF-8", "LC_ALL=C.UTF-8",
        "LC_CTYPE=C LANG=C.UTF-8")) {
      var said = bash("cd " + folder + "; export JAVA_HOME=" + jdk + " " + locale
          + "; ./jacquard embed model --text 'a c\u00e4t \u732b' 2>&1");
      assertTrue(said.contains("locale UTF-8 ") && said.contains("embed model --text a c\u00e4t \u732b"),
          locale + ": " + said);
    }
  }

  /// Arguments, a text file, a folder, a table and labels with the letters of many languages: the same rows, names and
  /// messages.
  @Test void textsAndNames() throws Exception {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 8);
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "good", 4)).status());
    String java = String.join(" ", Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m",
        "-XX:TieredStopAtLevel=1", "--add-modules", "jdk.incubator.vector", "-cp",
        System.getProperty("java.class.path"), "jacquard.clip.cli.Main");
    var said = bash("cd " + folder + "; export LC_ALL=C.UTF-8; m=runs/good/last; jacquard() { " + java
        + " \"$@\" 2>&1; }\n"
        + "mkdir d\u00e4; cp pictures/p00.png 'd\u00e4/c\u00e4t \u732b.png'; echo 'a c\u00e4t \u732b' > texts.txt; "
        + "printf 'filepath,title\\nd\u00e4/c\u00e4t \u732b.png,\u732b\\n' > t\u00e4ble.csv\n"
        + "jacquard embed $m texts.txt d\u00e4 --text 'a c\u00e4t \u732b' --out f\njacquard eval $m --val-data "
        + "t\u00e4ble.csv\njacquard classify $m 'd\u00e4/c\u00e4t \u732b.png' --labels 'c\u00e4t,\u732b'\n"
        + "cat f.jsonl; cmp <(tail -c 64 f.npy | head -c 32) <(tail -c 32 f.npy) && echo equal rows\n");
    for (var part : List.of("{\"row\":0,\"image\":\"d\u00e4/c\u00e4t \u732b.png\"}",
        "{\"row\":1,\"text\":\"a c\u00e4t \u732b\"}", "{\"row\":2,\"text\":\"a c\u00e4t \u732b\"}", "equal rows",
        "t\u00e4ble.csv: 1 image, 1 name",
        "\nd\u00e4/c\u00e4t \u732b.png\n", "%  c\u00e4t\n", "%  \u732b\n")) assertTrue(said.contains(part),
        part + ": " + said);
  }

  /// Started without the launcher, a Java that loses letters refuses rather than embed something else.
  @Test void lostLettersAreRefused() throws Exception {
    String java = String.join(" ", Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
        System.getProperty("java.class.path"), "jacquard.clip.cli.Main");
    var said = bash("export LC_ALL=C; " + java + " embed model --text 'c\u00e4t'; echo status $?");
    assertTrue(said.contains("letters were lost; set LC_ALL=C.UTF-8") && said.contains("status 1"), said);
  }
}
