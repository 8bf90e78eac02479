package jacquard.clip.train.remote;

import jacquard.clip.data.s3.S3;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Copies a run's folder elsewhere, again and again: into a folder of that name within another, or under `s3://`. Files
/// are copied where they have changed, each whole or not at all, and what going on needs (`resume.safetensors`) comes
/// last, so that a run can go on from a copy. What is deleted here stays there.
public final class RemoteSync implements AutoCloseable {
  private static final String LAST = "resume.safetensors", LOCK = ".lock", PART = ".part";

  /// Where copies go.
  private interface Target { void put(Path file, String name) throws IOException; }

  private record State(long size, FileTime changed) {}

  private final Path folder;
  private final String to;
  private final Target target;
  private final Consumer<String> say;
  private final Map<String, State> copied = new HashMap<>();
  private final Thread thread;
  private volatile boolean ending;
  private boolean failing;

  private RemoteSync(Path folder, String to, double seconds, Consumer<String> say) {
    this.folder = folder;
    this.to = to;
    this.say = say;
    var s3 = S3.is(to) ? S3.here() : null;
    target = s3 != null ? (file, name) -> s3.put(to + "/" + name, file) : (file, name) -> copy(file, Path.of(to, name));
    thread = Thread.ofPlatform().daemon().name("remote-sync").unstarted(() -> repeat((long) (1000 * seconds)));
  }

  /// Copies a folder's files now, and from then on at every so many seconds and at the end.
  ///
  /// @param to  a folder or an address under which that of the run's name is made
  /// @param say told of what fails, once until it works again
  /// @throws IOException if the first copy fails
  public static RemoteSync begin(Path folder, String to, double seconds, Consumer<String> say) throws IOException {
    var r = new RemoteSync(folder, to.replaceFirst("/+$", "") + "/" + folder.toAbsolutePath().normalize().getFileName(),
        seconds, say);
    r.copyAll();
    r.thread.start();
    return r;
  }

  private static void copy(Path file, Path to) throws IOException {
    Files.createDirectories(to.getParent());
    var part = to.resolveSibling(to.getFileName() + PART);
    Files.copy(file, part, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
    Files.move(part, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private void repeat(long wait) {
    while (!ending) {
      try { Thread.sleep(wait); } catch (InterruptedException e) { return; }
      attempt();
    }
  }

  private synchronized boolean attempt() {
    try {
      copyAll();
      failing = false;
      return true;
    } catch (IOException e) {
      if (!failing) say.accept("--remote-sync: " + Reason.of(e) + "; it is tried again");
      failing = true;
      return false;
    }
  }

  private synchronized void copyAll() throws IOException {
    List<Path> files;
    try (var all = Files.walk(folder)) {
      files = all.filter(Files::isRegularFile).filter(f -> !name(f).endsWith(LOCK) && !name(f).endsWith(PART))
          .sorted(Comparator.comparing((Path f) -> name(f).equals(LAST)).thenComparing(this::name)).toList();
    }
    for (var f : files) {
      State now;
      // of files that are replaced meanwhile the next copy knows
      try { now = new State(Files.size(f), Files.getLastModifiedTime(f)); }
      catch (java.nio.file.NoSuchFileException gone) { continue; }
      if (now.equals(copied.get(name(f)))) continue;
      try { target.put(f, name(f)); }
      catch (java.nio.file.NoSuchFileException gone) { if (Files.exists(f)) throw gone; else continue; }
      copied.put(name(f), now);
    }
  }

  private String name(Path file) { return folder.relativize(file).toString().replace('\\', '/'); }

  /// Copies what is left.
  @Override public void close() {
    ending = true;
    thread.interrupt();
    try { thread.join(); } catch (InterruptedException e) { Thread.currentThread().interrupt(); }
    failing = false;
    if (!attempt()) say.accept("--remote-sync: " + to + " lacks what the run wrote last; copy " + folder + " by hand");
  }
}
