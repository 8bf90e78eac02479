import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Plants the faults of `mutants.txt` one by one in a copy of the last commit, runs the tests that should notice, and prints a table of who did.
///
/// A fault is a block of lines: `## name: the policy it breaks`, `in Class`, lines `- code` that stand once in `Class.java`, lines `+ code` in their place,
/// `tests Class Class#method …`. The exit status is 1 if a fault was not noticed, or its code is not there any more.
final class Mutants {
  private record Mutant(String name, String policy, String type, String old, String planted, List<String> tests) {}
  private record Outcome(Mutant mutant, String by, boolean noticed) {}

  private final Path tree;

  private Mutants(Path tree) { this.tree = tree; }

  public static void main(String[] args) throws Exception {
    var home = Path.of(args[0]);
    var wanted = List.of(args).subList(1, args.length);
    var all = read(home.resolve("tests/mutants/mutants.txt"));
    for (var w : wanted) if (all.stream().noneMatch(m -> m.name.equals(w))) throw new IllegalArgumentException("no mutant " + w + "; there are " + all.stream().map(Mutant::name).collect(Collectors.joining(", ")));
    var chosen = all.stream().filter(m -> wanted.isEmpty() || wanted.contains(m.name)).toList();
    var mutants = new Mutants(Files.createTempDirectory("mutants"));
    try {
      mutants.copy(home);
      var outcomes = new ArrayList<Outcome>();
      for (var m : chosen) {
        outcomes.add(mutants.plant(m));
        var o = outcomes.getLast();
        System.err.printf("%d of %d  %s: %s%n", outcomes.size(), chosen.size(), m.name, o.by);
      }
      System.out.println("| fault | policy it breaks | noticed by |\n| --- | --- | --- |");
      for (var o : outcomes) System.out.println("| " + o.mutant.name + " | " + o.mutant.policy + " | " + (o.noticed ? o.by : "**" + o.by + "**") + " |");
      System.exit(outcomes.stream().allMatch(Outcome::noticed) ? 0 : 1);
    } finally { mutants.run(1, List.of("rm", "-rf", mutants.tree.toString())); }
  }

  private static List<Mutant> read(Path file) throws IOException {
    var r = new ArrayList<Mutant>();
    for (var block : Files.readString(file).split("(?m)^## ")) {
      if (!block.contains("\nin ")) continue;
      var lines = block.lines().toList();
      int colon = lines.getFirst().indexOf(": ");
      r.add(new Mutant(lines.getFirst().substring(0, colon), lines.getFirst().substring(colon + 2), one(lines, "in "), code(lines, "- "), code(lines, "+ "), List.of(one(lines, "tests ").split(" "))));
    }
    return r;
  }

  private static String one(List<String> lines, String mark) {
    return lines.stream().filter(l -> l.startsWith(mark)).findFirst().orElseThrow(() -> new IllegalArgumentException(lines.getFirst() + ": no line " + mark)).substring(mark.length()).strip();
  }

  private static String code(List<String> lines, String mark) {
    return lines.stream().filter(l -> l.startsWith(mark)).map(l -> l.substring(mark.length())).collect(Collectors.joining("\n"));
  }

  /// The last commit, with the emulated CUDA kernels where they are built.
  private void copy(Path home) throws Exception {
    if (run(10, List.of("bash", "-c", "git -C '%s' archive HEAD | tar -x -C '%s'".formatted(home, tree))) != 0) throw new IOException(home + " cannot be copied; is it a git checkout?");
    if (Files.exists(home.resolve("cuda-src/target"))) run(1, List.of("cp", "-r", home.resolve("cuda-src/target").toString(), tree.resolve("cuda-src").toString()));
    if (run(20, maven("test-compile")) != 0) throw new IOException("the copy in " + tree + " does not compile");
  }

  private Outcome plant(Mutant m) throws Exception {
    Path file;
    try (var all = Files.walk(tree)) { file = all.filter(p -> p.endsWith(m.type + ".java") && p.toString().contains("/src/main/")).findFirst().orElse(null); }
    if (file == null) return new Outcome(m, "there is no " + m.type + ".java", false);
    var source = Files.readString(file);
    int at = source.indexOf(m.old);
    if (at < 0 || source.indexOf(m.old, at + 1) >= 0) return new Outcome(m, "its code stands " + (at < 0 ? "nowhere" : "more than once") + " in " + m.type + ".java", false);
    Files.writeString(file, source.substring(0, at) + m.planted + source.substring(at + m.old.length()));
    try {
      if (run(10, maven("test-compile")) != 0) return new Outcome(m, "the compiler", true);
      run(1, List.of("rm", "-rf", tree.resolve("tests/target/surefire-reports").toString()));
      int status = run(15, maven("test", "-Dtest=" + String.join(",", m.tests), "-Dsurefire.failIfNoSpecifiedTests=false"));
      if (status == 0) return new Outcome(m, "nobody", false);
      var failed = failed();
      return new Outcome(m, !failed.isEmpty() ? failed : status < 0 ? "a test that did not end" : "a test JVM that died", true);
    } finally {
      Files.writeString(file, source);
    }
  }

  /// The first three tests that failed.
  private String failed() throws IOException {
    var reports = tree.resolve("tests/target/surefire-reports");
    if (!Files.isDirectory(reports)) return "";
    var found = new ArrayList<String>();
    try (var all = Files.list(reports)) {
      for (var report : all.filter(p -> p.toString().endsWith(".xml")).sorted().toList())
        Pattern.compile("<testcase name=\"([^\"]*)\" classname=\"([^\"]*)\"[^>]*>\\s*<(?:failure|error)").matcher(Files.readString(report)).results()
            .forEach(f -> found.add("`" + f.group(2).replaceFirst(".*\\.", "") + "." + f.group(1).replaceFirst("[({].*", "") + "`"));
    }
    var distinct = found.stream().distinct().toList();
    return distinct.stream().limit(3).collect(Collectors.joining(", ")) + (distinct.size() > 3 ? " and " + (distinct.size() - 3) + " more" : "");
  }

  private List<String> maven(String goal, String... options) {
    var r = new ArrayList<>(List.of("mvn", "-o", "-q", "-B", "-pl", "tests", "-am", goal));
    r.addAll(List.of(options));
    return r;
  }

  /// The exit status, or −1 where it did not end within the minutes.
  private int run(int minutes, List<String> command) throws IOException, InterruptedException {
    var p = new ProcessBuilder(command).directory(tree.toFile()).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    if (p.waitFor(minutes, TimeUnit.MINUTES)) return p.exitValue();
    p.descendants().forEach(ProcessHandle::destroyForcibly);
    p.destroyForcibly().waitFor();
    return -1;
  }
}
