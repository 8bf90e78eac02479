import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.tools.ToolProvider;

/// Plants the faults of `mutants.txt` one by one, runs the tests that should notice, and prints a table of who did.
///
/// A fault is a block of lines: `## name: the policy it breaks`, `in Class` (or `in folder/Class`), lines `- code` that
/// stand once in `Class.java`, lines `+ code` in their place, `tests Class Class#method …`, and `spared why` where no
/// test can notice. The last commit is copied and compiled once. Of each fault only its file is compiled, into a folder
/// that stands first on the class path of the tests. The exit status is 1 if a fault was not noticed, or its code is
/// not there any more.
final class Mutants {
  private record Mutant(String name, String policy, String type, String old, String planted, List<String> tests,
      String spared) {}
  private record Outcome(Mutant mutant, String by, boolean noticed) {}

  private final Path tree;
  private String classes;

  private Mutants(Path tree) { this.tree = tree; }

  public static void main(String[] args) throws Exception {
    var home = Path.of(args[0]);
    var wanted = List.of(args).subList(1, args.length);
    var all = read(home.resolve("tests/mutants/mutants.txt"));
    var names = all.stream().map(Mutant::name).toList();
    for (var w : wanted)
      if (!names.contains(w))
        throw new IllegalArgumentException("no mutant " + w + "; there are " + String.join(", ", names));
    var chosen = all.stream().filter(m -> wanted.isEmpty() || wanted.contains(m.name)).toList();
    var mutants = new Mutants(Files.createTempDirectory("mutants"));
    boolean noticed = true;
    try {
      mutants.copy(home);
      System.out.println("| fault | policy it breaks | noticed by |\n| --- | --- | --- |");
      for (var m : chosen) {
        var o = mutants.plant(m);
        boolean fine = o.noticed || m.spared != null;
        System.out.println("| " + m.name + " | " + m.policy + " | "
            + (o.noticed ? o.by : fine ? "nobody: " + m.spared : "**" + o.by + "**") + " |");
        noticed &= fine;
      }
    } finally { mutants.run(1, List.of("rm", "-rf", mutants.tree.toString())); }
    System.exit(noticed ? 0 : 1);
  }

  private static List<Mutant> read(Path file) throws IOException {
    var r = new ArrayList<Mutant>();
    for (var block : Files.readString(file).split("(?m)^## ")) {
      if (!block.contains("\nin ")) continue;
      var lines = block.lines().toList();
      var head = lines.getFirst().split(": ", 2);
      var spared = lines.stream().filter(l -> l.startsWith("spared ")).map(l -> l.substring(7)).findFirst()
          .orElse(null);
      var tests = List.of(one(lines, "tests ").split(" "));
      r.add(new Mutant(head[0], head[1], one(lines, "in "), code(lines, "- "), code(lines, "+ "), tests, spared));
    }
    return r;
  }

  private static String one(List<String> lines, String mark) {
    return lines.stream().filter(l -> l.startsWith(mark)).map(l -> l.substring(mark.length()).strip()).findFirst()
        .orElseThrow(() -> new IllegalArgumentException(lines.getFirst() + ": no line " + mark));
  }

  private static String code(List<String> lines, String mark) {
    return lines.stream().filter(l -> l.startsWith(mark)).map(l -> l.substring(mark.length()))
        .collect(Collectors.joining("\n"));
  }

  /// The last commit, compiled, with the emulated CUDA kernels where they are built.
  private void copy(Path home) throws Exception {
    if (run(10, List.of("bash", "-c", "git -C '%s' archive HEAD | tar -x -C '%s'".formatted(home, tree))) != 0)
      throw new IOException(home + " cannot be copied; is it a git checkout?");
    if (Files.exists(home.resolve("cuda-src/target")))
      run(1, List.of("cp", "-r", home.resolve("cuda-src/target").toString(), tree.resolve("cuda-src").toString()));
    var path = tree.resolve("classpath.txt");
    if (run(20, List.of("mvn", "-o", "-q", "-B", "-pl", "tests", "-am", "test-compile", "dependency:build-classpath",
        "-Dmdep.outputFile=" + path)) != 0)
      throw new IOException("the copy in " + tree + " does not compile: "
      + Files.readString(tree.resolve("output.txt")));
    var all = new ArrayList<String>();
    for (var folder : List.of("planted", "tests/target/test-classes", "tests/target/classes"))
      all.add(tree.resolve(folder).toString());
    classes = String.join(":", all) + ":" + Files.readString(path).strip();
    if (javac(tree.resolve("tests/mutants/Failures.java"), "tests/target/test-classes") != 0)
      throw new IOException("Failures.java does not compile: " + Files.readString(tree.resolve("output.txt")));
  }

  private Outcome plant(Mutant m) throws Exception {
    List<Path> files;
    try (var all = Files.walk(tree)) {
      files = all.filter(p -> p.endsWith(m.type + ".java") && p.toString().contains("/src/main/")).toList();
    }
    if (files.size() != 1) return new Outcome(m, "there are " + files.size() + " files " + m.type + ".java", false);
    var file = files.getFirst();
    var source = Files.readString(file);
    int at = source.indexOf(m.old);
    if (at < 0 || source.indexOf(m.old, at + 1) >= 0)
      return new Outcome(m, "its code stands " + (at < 0 ? "nowhere" : "more than once") + " in " + m.type + ".java",
          false);
    Files.writeString(file, source.substring(0, at) + m.planted + source.substring(at + m.old.length()));
    try {
      if (javac(file, "planted") != 0) return new Outcome(m, "it does not compile", false);
      int status = tests(m.tests);
      var failed = Files.readString(tree.resolve("output.txt")).lines().filter(l -> l.startsWith("FAILED "))
          .map(l -> "`" + l.substring(7) + "`").distinct().toList();
      if (status == 0) return new Outcome(m, "nobody", false);
      if (failed.isEmpty()) System.err.println(m.name + ": " + Files.readString(tree.resolve("output.txt")));
      if (failed.isEmpty())
        return new Outcome(m, status < 0 ? "a test that did not end" : "a test JVM that died", status < 0);
      return new Outcome(m, failed.stream().limit(3).collect(Collectors.joining(", "))
          + (failed.size() > 3 ? " and " + (failed.size() - 3) + " more" : ""), true);
    } finally {
      Files.writeString(file, source);
      run(1, List.of("rm", "-rf", tree.resolve("planted").toString()));
    }
  }

  private int javac(Path file, String into) throws IOException {
    var to = Files.createDirectories(tree.resolve(into)).toString();
    try (var out = Files.newOutputStream(tree.resolve("output.txt"))) {
      return ToolProvider.getSystemJavaCompiler().run(null, out, out, "-nowarn", "-implicit:none", "-proc:none",
          "-XDstringConcat=inline", "--add-modules", "jdk.incubator.vector",
          "-cp", classes, "-d", to, file.toString());
    }
  }

  /// As the suite runs them, but for the heap.
  private int tests(List<String> names) throws Exception {
    var command = new ArrayList<>(List.of("env", "-C", tree.resolve("tests").toString(), "JACQUARD_CUDA=emulated",
        jdk("java"), "--add-modules", "jdk.incubator.vector",
        "--enable-native-access=ALL-UNNAMED", "-Xmx2g", "-Djacquard.poison=true", "-cp", classes, "Failures"));
    command.addAll(names);
    return run(10, command);
  }

  private static String jdk(String tool) { return Path.of(System.getProperty("java.home"), "bin", tool).toString(); }

  /// The exit status, or −1 where it did not end within the minutes. What it says goes into `output.txt`.
  private int run(int minutes, List<String> command) throws IOException, InterruptedException {
    var p = new ProcessBuilder(command).directory(tree.toFile()).redirectErrorStream(true)
        .redirectOutput(tree.resolve("output.txt").toFile()).start();
    if (p.waitFor(minutes, TimeUnit.MINUTES)) return p.exitValue();
    p.descendants().forEach(ProcessHandle::destroyForcibly);
    p.destroyForcibly().waitFor();
    return -1;
  }
}
