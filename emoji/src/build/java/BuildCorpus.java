import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;

/// Draws every set's emoji at 32×32 on white into one sheet a set, concepts in alphabetical order, and writes the table
/// of captions. Arguments: the folders of the packages, of the tables of names, and of the sheets.
public class BuildCorpus {
  static final int COLUMNS = 64;

  /// @param codes    where code points stand: the package (its chars.json), or a table of name and code point; empty:
  ///   nowhere
  /// @param variants whether a concept's further drawings (`man-1`, `man-2`) are kept
  record Pack(String file, String name, String family, String codes, boolean variants) {
    Pack(String file, String name, String family, String codes) { this(file, name, family, codes, false); }
  }
  static final List<Pack> PACKS =
      List.of(new Pack("noto-1.2.9", "noto", "noto", "noto-1.2.9"), new Pack("noto-v1-1.2.5", "noto-v1", "noto", ""),
      new Pack("twemoji-1.2.5", "twemoji", "twemoji", "twemoji-1.2.5"),
      new Pack("emojione-1.2.3", "emojione", "emojione", ""),
      new Pack("emojione-monotone-1.2.1", "emojione-monotone", "emojione", ""),
      new Pack("fluent-emoji-1.2.7", "fluent", "fluent", "fluent-emoji-flat-1.2.6"),
      new Pack("fluent-emoji-flat-1.2.6", "fluent-flat", "fluent", "fluent-emoji-flat-1.2.6"),
      new Pack("fluent-emoji-high-contrast-1.2.6", "fluent-high-contrast", "fluent",
      "fluent-emoji-high-contrast-1.2.6"),
      new Pack("fxemoji-1.2.2", "fxemoji", "fxemoji", "fxemoji.tsv"),
      new Pack("streamline-emojis-1.2.4", "streamline", "streamline", "", true));

  private final Path packs, here, to;
  private final Concepts concepts;
  private final Map<String, Tarball> iconify = new HashMap<>();
  private final StringBuilder table = new StringBuilder("set\tfamily\tindex\tconcept\tcaption\tgroup\n");
  private int total;

  public static void main(String[] args) throws IOException {
    new BuildCorpus(Path.of(args[0]), Path.of(args[1]), Path.of(args[2])).build();
  }

  private BuildCorpus(Path packs, Path here, Path to) throws IOException {
    this.packs = packs;
    this.here = here;
    this.to = to;
    concepts = Concepts.read(Tarball.read(packs.resolve("unicode-emoji-json-0.9.0.tgz"), "data"),
        here.resolve("aliases.tsv"));
    for (var p : PACKS)
      iconify.put(p.file, Tarball.read(packs.resolve("iconify-json-" + p.file + ".tgz"), "icons.json", "chars.json"));
    for (var p : PACKS) if (iconify.get(p.file).holds("chars.json")) learn(iconify.get(p.file));
  }

  /// A set with code points says what its names and their synonyms mean; a mirrored synonym is another emoji.
  private void learn(Tarball set) {
    var codes = codes(set);
    codes.forEach(concepts::learn);
    Json.object(set.json("icons.json").getOrDefault("aliases", Map.of())).forEach((name, of) -> {
      var parent = codes.get((String) Json.object(of).get("parent"));
      if (parent != null && Json.object(of).size() == 1) concepts.learn(name, parent);
    });
  }

  private void build() throws IOException {
    for (var p : PACKS) {
      var drawn = icons(p);
      if (p.name.equals("noto"))
        files("emoji-datasource-google-16.0.0.tgz", "img/google/64/", Concepts.Concept::isFlag)
            .forEach(drawn::putIfAbsent);
      write(p.name, p.family, drawn);
      // Fluent has no flags; those in this package are Noto's, and would carry them into another family.
      if (p.name.equals("fluent"))
        write("fluent-3d", "fluent", files("lobehub-fluent-emoji-3d-1.1.0.tgz", "assets/", c -> !c.isFlag()));
    }
    Files.writeString(to.resolve("captions.tsv"), table);
    System.out.println(total + " pairs, " + concepts.all().size() + " concepts");
  }

  private Map<Concepts.Concept, List<BufferedImage>> icons(Pack p) throws IOException {
    var root = iconify.get(p.file).json("icons.json");
    var icons = Json.object(root.get("icons"));
    var codes = p.codes.isEmpty() ? Map.<String, String>of() : p.codes.endsWith(".tsv") ? table(here.resolve(p.codes))
        : codes(iconify.get(p.codes));
    record Found(String name, boolean flip, Concepts.By by) {}
    Map<Concepts.Concept, List<Found>> found = sorted();
    for (var name : icons.keySet())
      if (!p.codes.endsWith(".tsv") || codes.containsKey(name))
        concepts.find(p.name, p.variants ? name.replaceFirst("-\\d$", "") : name, codes.get(name))
        .ifPresent(m -> found.computeIfAbsent(m.concept(), _ -> new ArrayList<>()).add(new Found(name, false, m.by())));
    Json.object(root.getOrDefault("aliases", Map.of())).forEach((name, of) -> {
      if (Json.object(of).containsKey("hFlip")) concepts.find(p.name, name, null)
          .ifPresent(m -> found.computeIfAbsent(m.concept(), _ -> new ArrayList<>())
              .add(new Found((String) Json.object(of).get("parent"), true, m.by())));
    });
    Map<Concepts.Concept, List<BufferedImage>> drawn = sorted();
    var count = new EnumMap<Concepts.By, Integer>(Concepts.By.class);
    found.forEach((concept, all) -> {
      all.sort(Comparator.comparing(Found::by));
      for (var f : p.variants ? all : all.subList(0, 1)) {
        var image = Artwork.svg(Json.object(icons.get(f.name)), root, f.flip);
        if (image == null) continue;
        drawn.computeIfAbsent(concept, _ -> new ArrayList<>()).add(image);
        count.merge(f.by, 1, Integer::sum);
      }
    });
    System.out.printf("%-22s %5d icons; drawn by %s%n", p.name, icons.size(), count);
    return drawn;
  }

  /// Pictures whose file names are code points.
  private Map<Concepts.Concept, List<BufferedImage>> files(String pack, String under, Predicate<Concepts.Concept> which)
      throws IOException {
    Map<Concepts.Concept, List<BufferedImage>> drawn = sorted();
    for (var e : Tarball.read(packs.resolve(pack), under).entries().entrySet()) {
      var concept = concepts.ofCode(e.getKey().substring(under.length()).replaceFirst("\\.\\w+$", "")
          .replace('_', '-'));
      if (concept.isPresent() && which.test(concept.get()) && !drawn.containsKey(concept.get()))
        drawn.put(concept.get(), List.of(Artwork.pixels(e.getKey(), e.getValue())));
    }
    return drawn;
  }

  private void write(String set, String family, Map<Concepts.Concept, List<BufferedImage>> drawn) throws IOException {
    int count = drawn.values().stream().mapToInt(List::size).sum(), n = 0;
    var sheet = new BufferedImage(COLUMNS * Artwork.SIZE, (count + COLUMNS - 1) / COLUMNS * Artwork.SIZE,
        BufferedImage.TYPE_INT_RGB);
    for (var e : drawn.entrySet())
      for (var image : e.getValue()) {
        sheet.getRaster().setDataElements(n % COLUMNS * Artwork.SIZE, n / COLUMNS * Artwork.SIZE, image.getRaster());
        var c = e.getKey();
        table.append(String.join("\t", set, family, "" + n++, c.key(), c.caption(), c.group())).append('\n');
      }
    var file = to.resolve(set + ".png");
    ImageIO.write(sheet, "png", file.toFile());
    System.out.printf("%-22s %5d drawings of %d concepts, %,d bytes%n", set, count, drawn.size(), Files.size(file));
    total += count;
  }

  private static <V> Map<Concepts.Concept, V> sorted() {
    return new TreeMap<>(Comparator.comparing(Concepts.Concept::key));
  }

  /// Name → code point of a set's chars.json.
  private static Map<String, String> codes(Tarball set) {
    var r = new HashMap<String, String>();
    set.json("chars.json").forEach((code, name) -> r.putIfAbsent((String) name, code));
    return r;
  }

  private static Map<String, String> table(Path file) throws IOException {
    return Files.readAllLines(file).stream().skip(1).map(l -> l.split("\t"))
        .collect(Collectors.toMap(f -> f[0], f -> f[1]));
  }
}
