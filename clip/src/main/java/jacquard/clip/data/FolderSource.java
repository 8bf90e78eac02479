package jacquard.clip.data;

import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// A folder of pictures, each with its caption in a `.txt` of the same name beside it, recursively, by path. Pictures without a caption
/// are counted as skipped, as are those whose caption is empty or no text.
public record FolderSource(Path folder, List<Path> paths, List<String> captions, int skipped) implements Source {
  private static final long LONGEST = 1 << 20;
  public static final Set<String> PICTURES = Set.of("jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff");

  public static FolderSource read(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) throw new IOException(folder + " is no folder");
    var paths = new ArrayList<Path>();
    var captions = new ArrayList<String>();
    int skipped = 0;
    for (var p : pictures(folder)) {
      var name = p.getFileName().toString();
      var text = p.resolveSibling(name.substring(0, name.lastIndexOf('.')) + ".txt");
      var caption = caption(text);
      if (caption.isEmpty()) { skipped++; continue; }
      paths.add(p);
      captions.add(caption);
    }
    if (paths.isEmpty()) throw new IOException(folder + " holds no picture with a .txt caption beside it (" + skipped + " without)");
    return new FolderSource(folder, List.copyOf(paths), List.copyOf(captions), skipped);
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
  public static List<Path> pictures(Path folder) throws IOException {
    try (var all = Files.walk(folder)) {
      return all.filter(p -> PICTURES.contains(ending(p))).sorted().toList();
    }
  }

  private static String ending(Path p) {
    var n = p.getFileName().toString();
    return n.substring(n.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
  }

  @Override public String name() { return folder.toString(); }
  @Override public int size() { return paths.size(); }
  @Override public String caption(int index) { return captions.get(index); }
  @Override public Picture picture(int index) throws IOException { return Images.read(paths.get(index)); }
}
