package jacquard.clip.photos;

import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.checkpoint.files.Mapping;
import jacquard.clip.checkpoint.torch.Archive;
import jacquard.clip.report.log.Progress;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/// Packages on disk. What is not there is fetched by the registry's own client, as the machine is set up for it
/// (mirrors, proxies, certificates), and taken only if it is the pinned file.
///
/// @param folder where they are kept
/// @param offline nothing is fetched
/// @param commands what fetches a package into the folder that it runs in: the first that can be started is used
public record Packages(Path folder, boolean offline, Function<Package, List<List<String>>> commands) {
  /// In `JACQUARD_CACHE`, else `XDG_CACHE_HOME/jacquard`, else `~/.cache/jacquard`.
  public static Packages of(Map<String, String> env, Path user, boolean offline) {
    var cache = env.containsKey("XDG_CACHE_HOME") ? Path.of(env.get("XDG_CACHE_HOME")) : user.resolve(".cache");
    var own = env.containsKey("JACQUARD_CACHE") ? Path.of(env.get("JACQUARD_CACHE")) : cache.resolve("jacquard");
    return new Packages(own.resolve("packages"), offline, p -> p.registry().commands(p));
  }

  /// Those that would have to be fetched.
  public List<Package> missing(List<Package> all) {
    return all.stream().filter(p -> !Files.isRegularFile(folder.resolve(p.file()))).toList();
  }

  /// The package's file.
  ///
  /// @throws IOException saying what is to be fetched, and how else it can come here
  public Path file(Package p) throws IOException {
    var file = folder.resolve(p.file());
    if (Files.isRegularFile(file)) {
      verify(p, file);
      return file;
    }
    if (offline) throw new IOException("nothing is fetched offline, and " + folder + " lacks " + p);
    Files.createDirectories(folder);
    var own = Files.createTempDirectory(folder, "fetch");
    try {
      fetch(p, own);
      var fetched = own.resolve(p.file());
      if (!Files.isRegularFile(fetched))
        throw new IOException(p.registry().client + " fetched " + names(own) + ", expected " + p.file());
      verify(p, fetched);
      Files.move(fetched, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return file;
    } finally { delete(own); }
  }

  private void fetch(Package p, Path into) throws IOException {
    var said = Files.createTempFile(folder, "said", ".txt");
    try {
      var process = started(p, into, said);
      try (var progress = Progress.of(p.name(), p.bytes()).unit("bytes").open()) {
        for (long before = 0; !process.waitFor(100, TimeUnit.MILLISECONDS); ) {
          long now = Math.min(size(into), p.bytes());
          if (now > before) progress.advance(now - before);
          before = Math.max(before, now);
        }
      } catch (InterruptedException e) {
        process.destroy();
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while " + p.name() + " was fetched", e);
      }
      if (process.exitValue() != 0)
        throw new IOException(p.registry().client + " ended with " + process.exitValue() + last(said) + ". "
            + byHand(p));
    } finally { Files.deleteIfExists(said); }
  }

  /// The client at work. Its temporary files lie in the folder too, so that its progress is seen.
  private Process started(Package p, Path into, Path said) throws IOException {
    IOException none = null;
    for (var command : commands.apply(p)) {
      var builder = new ProcessBuilder(command).directory(into.toFile()).redirectErrorStream(true)
          .redirectOutput(said.toFile()).redirectInput(ProcessBuilder.Redirect.from(said.toFile()));
      builder.environment().put("TMPDIR", into.toAbsolutePath().toString());
      try { return builder.start(); } catch (IOException notHere) { none = notHere; }
    }
    throw new IOException(p.registry().client + " is not on this machine. " + byHand(p), none);
  }

  private String byHand(Package p) {
    return "To go on without it put " + p.file() + " into " + folder + ", fetched elsewhere: " + p;
  }

  private static String last(Path said) throws IOException {
    if (Files.size(said) > 1 << 20) return "";
    return Files.readString(said, java.nio.charset.StandardCharsets.ISO_8859_1).lines().filter(l -> !l.isBlank())
        .reduce((_, b) -> b).map(l -> " (" + l.strip() + ")").orElse("");
  }

  private static void verify(Package p, Path file) throws IOException {
    long size = Files.size(file);
    var found = size == p.bytes() ? sha256(file) : "";
    if (found.equals(p.sha256())) return;
    throw new IOException(file + " is not the package that is meant: " + (size != p.bytes() ? size + " bytes, expected "
        + p.bytes() : "its SHA-256 is " + found + ", expected " + p.sha256()) + "; delete it, and it is fetched again");
  }

  private static String sha256(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      var d = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[1 << 16];
      for (int n; (n = in.read(buffer)) > 0; ) d.update(buffer, 0, n);
      return HexFormat.of().formatHex(d.digest());
    } catch (NoSuchAlgorithmException e) { throw new AssertionError(e); }
  }

  /// Copies a member of a wheel, which is a zip archive, to a file. The archive's own names decide nothing but which
  /// bytes are meant.
  public static void unpack(Path wheel, String member, Path to) throws IOException {
    try (var mapping = Mapping.open(wheel)) {
      MemorySegment bytes;
      try { bytes = new Archive(mapping).data(member); } catch (IOException e) {
        throw new IOException(wheel + ": " + Reason.of(e), e);
      }
      AtomicFile.write(to, bytes.byteSize(), out -> {
        for (var b = bytes.asByteBuffer(); b.hasRemaining(); ) out.write(b);
      });
    }
  }

  private static long size(Path folder) {
    try (var all = Files.walk(folder)) {
      return all.mapToLong(f -> f.toFile().isFile() ? f.toFile().length() : 0).sum();
    } catch (IOException | UncheckedIOException changing) { return 0; }
  }

  private static List<String> names(Path folder) throws IOException {
    try (var all = Files.list(folder)) { return all.map(f -> f.getFileName().toString()).sorted().toList(); }
  }

  static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) return;
    List<Path> all;
    try (var walk = Files.walk(folder)) { all = walk.toList(); }
    for (var f : all.reversed()) Files.deleteIfExists(f);
  }
}
