package jacquard.clip.data.source;

import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
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
/// @param unread  the folders below that cannot be read, with the reason
public record FolderSource(Path folder, List<Path> paths, List<String> captions, int skipped, String leftOut,
    List<String> unread) implements Source {
  private static final long LONGEST = 1 << 20;
  private static final int NAMED = 5;
  /// The endings of the formats that are read.
  public static final Set<String> PICTURES = Set.of("jpg", "jpeg", "jpe", "jfif", "jif", "png", "apng", "gif", "bmp",
      "dib", "webp", "tif", "tiff", "ico", "pbm", "pgm", "ppm", "pnm");

  /// The pictures under a folder, in the order of their paths, how many other files there are of each ending, and what
  /// could not be listed, with the reason.
  public record Listing(List<Path> pictures, SortedMap<String, Integer> others, List<String> unread) {
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
          + (listing.others.isEmpty() ? "" : "; other files: " + listing.leftOut()) + ")"
          + (listing.unread.isEmpty() ? "" : "; " + String.join("; ", listing.unread)));
    listing.others.remove("txt");                                               // captions
    return new FolderSource(folder, List.copyOf(paths), List.copyOf(captions), skipped, listing.leftOut(),
        listing.unread);
  }

  /// The text of a file; empty where there is none, where it is no UTF-8 text, or longer than any caption.
  private static String caption(Path file) throws IOException {
    if (!Files.isRegularFile(file) || Files.size(file) > LONGEST) return "";
    try {
      var text = Files.readString(file).strip();
      if (text.startsWith("\ufeff")) text = text.substring(1).strip();
      return text.indexOf('\0') < 0 ? text : "";
    } catch (MalformedInputException | AccessDeniedException e) { return ""; }
  }

  /// All pictures under a folder, in the order of their paths.
  /// @throws IOException also if a folder below it cannot be read
  public static List<Path> pictures(Path folder) throws IOException {
    var listing = list(folder);
    if (!listing.unread.isEmpty()) throw new IOException(String.join("; ", listing.unread));
    return listing.pictures;
  }

  /// Links are followed; what cannot be listed below the folder is skipped and named.
  /// @throws IOException if the folder cannot be read, or a file's name cannot be told
  public static Listing list(Path folder) throws IOException {
    var pictures = new ArrayList<Path>();
    var others = new TreeMap<String, Integer>();
    var unread = new ArrayList<String>();
    Files.walkFileTree(folder, Set.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, new SimpleFileVisitor<>() {
      @Override public FileVisitResult visitFile(Path p, BasicFileAttributes attributes) {
        if (PICTURES.contains(ending(p))) pictures.add(p);
        else others.merge(ending(p), 1, Integer::sum);
        return FileVisitResult.CONTINUE;
      }

      @Override public FileVisitResult visitFileFailed(Path p, IOException why) throws IOException {
        if (p.equals(folder)) throw why;
        unread.add(Reason.of(why));
        return FileVisitResult.CONTINUE;
      }

      @Override public FileVisitResult postVisitDirectory(Path p, IOException why) throws IOException {
        return why == null ? FileVisitResult.CONTINUE : visitFileFailed(p, why);
      }
    });
    Collections.sort(pictures);
    for (var p : pictures)
      if (Reason.unlikeUtf8() && p.toString().indexOf('\ufffd') >= 0)
        throw new IOException(p + ": this Java cannot tell the file's name, since its locale is not UTF-8; set "
            + "LC_ALL=C.UTF-8");
    Collections.sort(unread);
    return new Listing(pictures, others, unread);
  }

  /// Says how many folders were skipped, and why the first of them.
  public static String skipped(List<String> unread) {
    return "%,d folder%s skipped: %s%s".formatted(unread.size(), unread.size() == 1 ? "" : "s",
        String.join("; ", unread.subList(0, Math.min(NAMED, unread.size()))), unread.size() > NAMED ? "; …" : "");
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
