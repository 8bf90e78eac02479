package jacquard.clip.cli;

import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.cli.options.TextLines;
import jacquard.clip.data.source.FolderSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/// What is to be embedded: pictures, then the texts of the command line, then those of files, which stay there until
/// they are asked for.
///
/// @param count   of pictures and texts
/// @param empty   what each folder or file without an input holds not
/// @param leftOut the files of folders whose ending is no picture's, counted by it
/// @param unread  the folders below others that cannot be read, with the reason
record EmbedInputs(List<Path> pictures, List<String> given, List<Path> files, long count, List<String> empty,
    String leftOut, List<String> unread) {
  static EmbedInputs of(List<Path> inputs, List<String> texts) throws IOException {
    var pictures = new ArrayList<Path>();
    var files = new ArrayList<Path>();
    var empty = new ArrayList<String>();
    var leftOut = new ArrayList<String>();
    var unread = new ArrayList<String>();
    for (var i : inputs) {
      if (Files.isDirectory(i)) {
        var listing = FolderSource.list(i);
        pictures.addAll(listing.pictures());
        if (listing.pictures().isEmpty())
          empty.add(i + " holds no picture" + (listing.others().isEmpty() ? "" : ", but " + listing.leftOut()));
        if (!listing.others().isEmpty()) leftOut.add(listing.leftOut());
        unread.addAll(listing.unread());
      } else if (i.toString().toLowerCase(Locale.ROOT).endsWith(".txt")) {
        files.add(i);
        try (var lines = new TextLines(i)) { if (lines.next() == null) empty.add(i + " holds no line"); }
      }
      else pictures.add(i);
    }
    var all = new EmbedInputs(pictures, texts, files, 0, empty, String.join(", ", leftOut), unread);
    long count = pictures.size();
    try (var t = all.texts()) { while (t.next() != null) count++; }
    return new EmbedInputs(pictures, texts, files, count, empty, all.leftOut, unread);
  }

  Texts texts() { return new Texts(); }

  /// Of the model's files and of all inputs in their order.
  String fingerprint(ModelFiles model, String[] assignments) throws IOException {
    MessageDigest sha;
    try { sha = MessageDigest.getInstance("SHA-256"); } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    var weights = model.weights().toAbsolutePath();
    try (var beside = Files.list(weights.getParent())) {
      for (var f : beside.filter(f -> f.equals(weights) || f.toString().matches(".*\\.(json|safetensors)")).sorted()
          .toList())
        add(sha, f.getFileName() + " " + Files.size(f) + " " + Files.getLastModifiedTime(f));
    }
    for (var a : assignments) add(sha, a);
    for (var p : pictures) add(sha, "picture " + p);
    try (var t = texts()) { for (String s; (s = t.next()) != null; ) add(sha, "text " + s); }
    return HexFormat.of().formatHex(sha.digest());
  }

  private static void add(MessageDigest sha, String part) {
    var bytes = part.getBytes(StandardCharsets.UTF_8);
    sha.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
    sha.update(bytes);
  }

  /// All texts, one after another.
  final class Texts implements AutoCloseable {
    private int at, file;
    private TextLines lines;

    /// The next text, null at the end.
    String next() throws IOException {
      if (at < given.size()) return given.get(at++);
      while (true) {
        if (lines == null && file == files.size()) return null;
        if (lines == null) lines = new TextLines(files.get(file++));
        var line = lines.next();
        if (line != null) return line;
        close();
      }
    }

    @Override public void close() throws IOException {
      if (lines != null) lines.close();
      lines = null;
    }
  }
}
