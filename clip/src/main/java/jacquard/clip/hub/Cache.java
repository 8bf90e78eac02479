package jacquard.clip.hub;

import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.regex.Pattern;

/// The hub's cache on disk, laid out as Python's client lays it out:
/// `models--ORG--NAME/{blobs/ETAG, refs/REVISION, snapshots/COMMIT/FILE → ../../blobs/ETAG}`.
record Cache(Path root, boolean links) {
  private static final Pattern ETAG = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}");

  Path of(Repository r) { return root.resolve(r.folder()); }

  Path blob(Repository r, String etag) throws IOException {
    if (!ETAG.matcher(etag).matches())
      throw new IOException("the hub names the content of a file of " + r + " \"" + etag
          + "\", expected letters and digits");
    return of(r).resolve("blobs").resolve(etag);
  }

  Path lock(Repository r, String etag) { return root.resolve(".locks").resolve(r.folder()).resolve(etag + ".lock"); }

  /// A file of a commit. Names that leave the folder are refused.
  Path at(Repository r, String commit, String file) throws IOException {
    if (!Repository.commit(commit))
      throw new IOException("the hub names the commit \"" + commit + "\" of " + r + ", expected 40 hex digits"
          + (commit.isEmpty() ? ": is it a hub (HF_ENDPOINT), or the page of a network that wants a login?" : ""));
    var folder = of(r).resolve("snapshots").resolve(commit).normalize();
    var path = folder.resolve(file).normalize();
    if (!path.startsWith(folder) || path.equals(folder))
      throw new IOException("the name " + file + " leaves the folder of " + r);
    return path;
  }

  /// The commit that a revision was when it was last asked for, or null.
  String commit(Repository r) throws IOException {
    if (Repository.commit(r.revision())) return r.revision();
    var ref = of(r).resolve("refs").resolve(r.revision());
    if (!Files.isRegularFile(ref) || Files.size(ref) > 100) return null;
    var commit = Files.readString(ref).strip();
    return Repository.commit(commit) ? commit : null;
  }

  /// A file that is there, or null.
  Path find(Repository r, String file) throws IOException {
    var commit = commit(r);
    if (commit == null) return null;
    var path = at(r, commit, file);
    return Files.isRegularFile(path) ? path : null;
  }

  /// Notes that a commit has no such file, where that can be noted.
  void absent(Repository r, String commit, String file) {
    try {
      if (!Repository.commit(commit)) return;
      at(r, commit, file);                                                       // a name that stays inside
      var mark = of(r).resolve(".no_exist").resolve(commit).resolve(file);
      Files.createDirectories(mark.getParent());
      if (!Files.exists(mark)) Files.createFile(mark);
      note(r, commit);
    } catch (IOException unwritable) { System.getLogger(Cache.class.getName())
        .log(System.Logger.Level.DEBUG, "not noted", unwritable);
    }
  }

  /// Whether it was noted that there is no such file.
  boolean absent(Repository r, String file) throws IOException {
    var commit = commit(r);
    return commit != null && Files.exists(of(r).resolve(".no_exist").resolve(commit).resolve(file));
  }

  /// Notes which commit a revision is.
  void note(Repository r, String commit) throws IOException {
    if (Repository.commit(r.revision()) || commit.equals(commit(r))) return;
    var ref = of(r).resolve("refs").resolve(r.revision());
    folder(ref.getParent());
    AtomicFile.write(ref, commit);
  }

  /// Puts a blob where its file is looked for.
  void link(Path blob, Path file) throws IOException {
    if (Files.isRegularFile(file)) return;
    folder(file.getParent());
    Files.deleteIfExists(file);                                                  // a link to a blob that is gone
    if (links)
      try {
        Files.createSymbolicLink(file, file.getParent().relativize(blob));
        return;
      // the file system has no links, or another process was first
      } catch (UnsupportedOperationException | IOException notHere) { if (Files.exists(file)) return; }
    Files.move(blob, file, StandardCopyOption.REPLACE_EXISTING);
  }

  void folder(Path folder) throws IOException {
    try { Files.createDirectories(folder); }
    catch (IOException e) {
      throw new IOException("the hub's cache cannot be written to: " + Reason.of(e)
          + "; set HF_HUB_CACHE to a folder that can", e);
    }
  }
}
