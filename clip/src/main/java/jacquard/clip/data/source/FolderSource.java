package jacquard.clip.data.source;

import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// A folder of pictures, each with its caption in a `.txt` of the same name beside it, recursively, by path. Pictures
/// without a caption are counted as skipped, as are those whose caption is empty or no text.
///
/// @param leftOut the files whose ending is no picture's, counted by it; empty where there are none
public record FolderSource(Path folder, List<Path> paths, List<String> captions, int skipped, String leftOut)
    implements Source {
  private static final long LONGEST = 1 << 20;
  /// The endings of the formats that are read.
  public static final Set<String> PICTURES = Set.of("jpg", "jpeg", "jpe", "jfif", "jif", "png", "apng", "gif", "bmp",
      "dib", "webp", "tif", "tiff", "ico", "pbm", "pgm", "ppm", "pnm");

  /// The pictures under a folder, in the order of their paths, and how many other files there are of each ending.
  public record Listing(List<Path> pictures, SortedMap<String, Integer> others) {
    /// What was left out, in words; empty where nothing was.
    public String leftOut() {
      return others.entrySet().stream()
          .map(e -> "%,d %s".formatted(e.getValue(), e.getKey().isEmpty() ? "without an ending" : "." + e.getKey()))
          .collect(Collectors.joining(", "));
    }
  }

  public static FolderSource read(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) throw new IOException(folder + " is no folder");
    var paths = new ArrayList<Path>();
    var captions = new ArrayList<String>();
    int skipped = 0;
    var listing = list(folder);
    for (var p : listing.pictures) {
      var name = p.getFileName().toString();
      var stem = name.substring(0, name.lastIndexOf('.'));
      var caption = caption(p.resolveSibling(stem + ".txt"));
      if (caption.isEmpty()) caption = caption(p.resolveSibling(stem + ".TXT"));
      if (caption.isEmpty()) { skipped++; continue; }
      paths.add(p);
      captions.add(caption);
    }
    if (paths.isEmpty())
      throw new IOException(folder + " holds no picture with a .txt caption beside it (" + skipped + " without"
          + (listing.others.isEmpty() ? "" : "; other files: " + listing.leftOut()) + ")");
    listing.others.remove("txt");                                               // captions
    return new FolderSource(folder, List.copyOf(paths), List.copyOf(captions), skipped, listing.leftOut());
  }

  /// The text of a file; empty where there is none, where it is no UTF-8 text, or longer than any caption.
  private static String caption(Path file) throws IOException {
    if (!Files.isRegularFile(file) || Files.size(file) > LONGEST) return "";
    try {
      var text = Files.readString(file).strip();
      if (text.startsWith("\ufeff")) text = text.substring(1).strip();
      return text.indexOf('\0') < 0 ? text : "";
    } catch (MalformedInputException e) { return ""; }
  }

  /// All pictures under a folder, in the order of their paths.
  public static List<Path> pictures(Path folder) throws IOException { return list(folder).pictures; }

  /// @throws IOException if a folder cannot be read, or a file's name cannot be told
  public static Listing list(Path folder) throws IOException {
    var others = new TreeMap<String, Integer>();
    try (var all = Files.walk(folder)) {
      var pictures = all.filter(p -> !Files.isDirectory(p)).filter(p -> {
        if (PICTURES.contains(ending(p))) return true;
        others.merge(ending(p), 1, Integer::sum);
        return false;
      }).sorted().toList();
      for (var p : pictures)
        if (Reason.unlikeUtf8() && p.toString().indexOf('\ufffd') >= 0)
          throw new IOException(p + ": this Java cannot tell the file's name, since its locale is not UTF-8; set "
              + "LC_ALL=C.UTF-8");
      return new Listing(pictures, others);
    } catch (UncheckedIOException e) { throw e.getCause(); }
  }

  /// In small letters, without the dot; empty where there is none.
  private static String ending(Path p) {
    var n = p.getFileName().toString();
    return n.lastIndexOf('.') < 1 ? "" : n.substring(n.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
  }

  @Override public String name() { return folder.toString(); }
  @Override public int size() { return paths.size(); }
  @Override public String caption(int index) { return captions.get(index); }
  @Override public Picture picture(int index) throws IOException { return Images.read(paths.get(index)); }
  @Override public Optional<byte[]> file(int index) throws IOException {
    return Optional.of(Files.readAllBytes(paths.get(index)));
  }
}
