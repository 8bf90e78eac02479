import java.awt.image.BufferedImage;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/// Draws Iconify's icons at 32×32 on white, under their names: shards to train on, and one artist's set left out as a
/// data set for evaluation. Left out as well: what its licence does not let pass on freely; logos, flags, emoji and
/// signs of programming, whose names are brands; hidden and moving icons, and those whose drawing is very long.
/// Arguments: the package and the folder to write.
final class BuildIcons {
  private static final Set<String> LICENCES = Set.of("MIT", "Apache-2.0", "CC-BY-4.0", "CC-BY-3.0", "CC0-1.0", "ISC",
      "OFL-1.1", "BSD-3-Clause", "Unlicense");
  private static final Set<String> NO = Set.of("Logos", "Flags / Maps", "Emoji", "Programming");
  /// Words at the end of a name that say how an icon is drawn, not what it shows.
  private static final Set<String> STYLES = Set.of("outline", "outlined", "outlines", "fill", "filled", "solid", "bold",
      "light", "thin", "regular", "duotone", "twotone", "tone", "line", "linear", "broken", "rounded", "round", "sharp",
      "alt", "duo", "color", "colored", "flat");
  private static final int LONGEST = 20_000, SHARD = 4096;
  private static final String HELD_OUT = "iconoir";

  private record Icon(String set, String caption, Map<String, Object> drawing, Map<String, Object> of) {}

  private BuildIcons() {}

  public static void main(String[] args) throws IOException {
    var to = Path.of(args[1]);
    if (Files.exists(to)) throw new IOException(to + " is there already; name another folder, or remove it");
    var files = Tarball.read(Path.of(args[0]), "json/", "collections.json");
    var sets = files.json("collections.json");
    var train = new ArrayList<Icon>();
    List<Icon> heldOut = List.of();
    var licences = new TreeMap<String, Integer>();
    for (var e : sets.entrySet()) {
      var set = Json.object(e.getValue());
      var licence = (String) Json.object(set.get("license")).get("spdx");
      var category = (String) set.get("category");
      if (!LICENCES.contains(String.valueOf(licence)) || NO.contains(String.valueOf(category))) continue;
      var icons = icons(e.getKey(), files.json("json/" + e.getKey() + ".json"));
      licences.merge(licence, icons.size(), Integer::sum);
      if (e.getKey().equals(HELD_OUT)) heldOut = icons;
      else train.addAll(icons);
    }
    Collections.shuffle(train, new Random(0));
    Files.createDirectories(to);
    int shards = Math.ceilDiv(train.size(), SHARD);
    int drawn = IntStream.range(0, shards).parallel().map(s -> {
      try {
        return shard(to.resolve("%04d.tar".formatted(s)),
            train.subList(s * SHARD, Math.min(train.size(), (s + 1) * SHARD)), null);
      } catch (IOException x) {
        throw new UncheckedIOException(x);
      }
    }).sum();
    var test = to.resolve(HELD_OUT).resolve("test");
    Files.createDirectories(test);
    var classes = new ArrayList<>(new TreeSet<>(heldOut.stream().map(Icon::caption).toList()));
    int left = shard(test.resolve("0.tar"), heldOut, classes);
    Files.writeString(test.resolve("nshards.txt"), "1\n");
    Files.write(test.getParent().resolve("classnames.txt"), classes);
    Files.writeString(test.getParent().resolve("zeroshot_classification_templates.txt"), "{c}\n");
    Files.writeString(test.getParent().resolve("dataset_type.txt"), "classification\n");
    System.out.printf("%,d icons under %,d names in %d shards; %s: %,d icons, %,d names; by licence %s%n", drawn,
        train.stream().map(Icon::caption).distinct().count(), shards, HELD_OUT, left, classes.size(), licences);
  }

  private static List<Icon> icons(String set, Map<String, Object> file) {
    var out = new ArrayList<Icon>();
    Json.object(file.get("icons")).forEach((name, drawing) -> {
      var icon = Json.object(drawing);
      var body = (String) icon.get("body");
      if (Boolean.TRUE.equals(icon.get("hidden")) || body.length() > LONGEST || body.contains("<animate")) return;
      var caption = caption(name, file);
      if (!caption.isEmpty()) out.add(new Icon(set, caption, icon, file));
    });
    return out;
  }

  /// A name's words, without the set's own prefixes and suffixes, without words of style and sizes at its
  /// end.
  private static String caption(String name, Map<String, Object> set) {
    for (var p : own(set, "prefixes"))
      if (name.startsWith(p + "-")) name = name.substring(p.length() + 1);
    for (var s : own(set, "suffixes"))
      if (name.endsWith("-" + s)) name = name.substring(0, name.length() - s.length() - 1);
    var words = new ArrayList<>(Arrays.asList(name.split("-")));
    while (words.size() > 1 && (STYLES.contains(words.getLast()) || words.getLast().matches("\\d+(px)?")))
      words.removeLast();
    return String.join(" ", words);
  }

  private static List<String> own(Map<String, Object> set, String key) {
    return Json.object(set.getOrDefault(key, Map.of())).keySet().stream().filter(s -> !s.isEmpty()).toList();
  }

  /// @param classes null: with captions; otherwise with the number of the caption among them
  private static int shard(Path file, List<Icon> icons, List<String> classes) throws IOException {
    int n = 0;
    try (var out = new TarArchiveOutputStream(new BufferedOutputStream(Files.newOutputStream(file)), 1024)) {
      for (var icon : icons) {
        BufferedImage image;
        try {
          image = Artwork.svg(icon.drawing, icon.of, false);
        } catch (RuntimeException e) {
          continue;   // a drawing that the reader of SVG does not take
        }
        if (image == null || blank(image)) continue;
        var png = new ByteArrayOutputStream();
        ImageIO.write(image, "png", png);
        var key = "%s-%04d".formatted(icon.set, n);
        entry(out, key + ".png", png.toByteArray());
        var text = classes == null ? icon.caption : Integer.toString(classes.indexOf(icon.caption));
        entry(out, key + (classes == null ? ".txt" : ".cls"), text.getBytes(StandardCharsets.UTF_8));
        n++;
      }
    }
    return n;
  }

  private static boolean blank(BufferedImage image) {
    int[] pixels = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    return Arrays.stream(pixels).allMatch(p -> (p & 0xffffff) == 0xffffff);
  }

  private static void entry(TarArchiveOutputStream out, String name, byte[] data) throws IOException {
    var entry = new TarArchiveEntry(name);
    entry.setModTime(0);
    entry.setSize(data.length);
    out.putArchiveEntry(entry);
    out.write(data);
    out.closeArchiveEntry();
  }
}
