package jacquard.tests.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import jacquard.clip.data.source.EmojiSource;
import jacquard.emoji.Emoji;
import jacquard.emoji.Emoji.Drawing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmojiTest {
  private static final List<Drawing> ALL = Emoji.load();

  private static <T> Set<T> set(List<Drawing> drawings, Function<Drawing, T> of) {
    return drawings.stream().map(of).collect(Collectors.toSet());
  }

  @Test void everySetDrawsWhatItsRoomSays() {
    var counts = ALL.stream().collect(Collectors.groupingBy(Drawing::set, TreeMap::new, Collectors.counting()));
    var expected = Map.ofEntries(Map.entry("noto", 1923L), Map.entry("noto-v1", 1237L), Map.entry("twemoji", 1923L),
        Map.entry("emojione", 1376L), Map.entry("emojione-monotone", 1365L),
        Map.entry("fluent", 1595L), Map.entry("fluent-3d", 1607L), Map.entry("fluent-flat", 1595L),
        Map.entry("fluent-high-contrast", 1595L), Map.entry("fxemoji", 884L), Map.entry("streamline", 779L));
    assertEquals(new TreeMap<>(expected), counts);
    assertEquals(6, set(ALL, Drawing::family).size());
    assertEquals(1923, set(ALL, Drawing::concept).size());
  }

  @Test void aConceptHasOneCaptionAndACaptionOneConcept() {
    assertEquals(1923, set(ALL, Drawing::caption).size());
    assertEquals(1923, set(ALL, d -> d.concept() + "\t" + d.caption() + "\t" + d.group()).size());
    assertTrue(ALL.stream().noneMatch(d -> d.caption().isBlank()));
  }

  @Test void everyDrawingShowsSomething() {
    for (var d : ALL)
      assertTrue(IntStream.range(3, d.rgb().length).anyMatch(i -> d.rgb()[i] != d.rgb()[i % 3]),
          d.set() + " draws nothing for " + d.concept());
  }

  /// The package of the 3-D set carries Noto's flags: in the family fluent they would be another family's drawings.
  @Test void fluentHasNoFlagsOfCountries() {
    assertTrue(ALL.stream().noneMatch(d -> d.family().equals("fluent") && d.caption().startsWith("flag ")
        && d.group().equals("Flags")));
    assertTrue(ALL.stream().anyMatch(d -> d.set().equals("noto") && d.caption().equals("flag japan")));
  }

  @Test void splitsAreDisjointByFamilyAndByConcept() {
    List<Drawing> family = EmojiSource.training().drawings(), concepts = EmojiSource.trainingConcepts().drawings(),
        held = EmojiSource.heldOutConcepts().drawings();
    assertEquals(Set.of(EmojiSource.HELD_OUT), set(EmojiSource.heldOut().drawings(), Drawing::family));
    for (var training : List.of(family, concepts))
      assertFalse(set(training, Drawing::family).contains(EmojiSource.HELD_OUT));
    var both = new HashSet<>(set(concepts, Drawing::concept));
    both.retainAll(set(held, Drawing::concept));
    assertEquals(Set.of(), both);
    assertEquals(192, set(held, Drawing::concept).size());
    assertEquals(set(ALL, Drawing::family), set(held, Drawing::family));
    assertEquals(ALL.size() - 1923, family.size());
    assertEquals(family.size(), concepts.size()
        + held.stream().filter(d -> !d.family().equals(EmojiSource.HELD_OUT)).count());
  }

  /// A trained model's figures hold only as long as the split stays what it was.
  @Test void theHeldOutConceptsStay() {
    assertEquals(-459258793, ALL.stream().map(Drawing::concept).filter(Emoji::heldOut).distinct().sorted()
        .collect(Collectors.joining("\n")).hashCode());
  }

  @Test void heldOutConceptsAreNamedAmongThemselvesOrAmongAll() {
    EmojiSource closed = EmojiSource.of("emoji-concepts-heldout"), open = EmojiSource.of("emoji-concepts-heldout-all");
    assertEquals(192, closed.names().size());
    assertEquals(1923, open.names().size());
    assertEquals(closed.size(), open.size());
    assertTrue(new HashSet<>(open.names()).containsAll(closed.names()));
    assertTrue(assertThrows(IllegalArgumentException.class, () -> EmojiSource.of("emoji-held")).getMessage()
        .contains("emoji-concepts-heldout-all"));
    for (var split : EmojiSource.SPLITS) assertTrue(EmojiSource.of(split).size() > 0);
  }

  /// Where `emoji/build` has fetched the packages: the corpus is what they give. Pixels are compared, not files, since
  /// zlibs pack them differently.
  @Test void theCorpusIsRebuiltFromItsPackages(@TempDir Path folder) throws Exception {
    var room = Path.of("..", "emoji").toAbsolutePath().normalize();
    var packs = room.resolve("target/packs");
    assumeTrue(Files.exists(packs.resolve("classpath.txt"))
        && Files.readAllLines(room.resolve("src/build/packages.txt")).stream()
        .allMatch(l ->
        Files.exists(packs.resolve(l.split(" ")[0].replaceFirst("^@", "").replaceAll("[/@]", "-") + ".tgz"))),
            "the packages are not at hand");
    var build = new ProcessBuilder(room.resolve("build").toString(), folder.toString()).redirectErrorStream(true);
    build.environment().put("JAVA_HOME", System.getProperty("java.home"));
    var process = build.start();
    var said = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.waitFor(), said);
    var shipped = room.resolve("src/main/resources/jacquard/emoji");
    assertEquals(Files.readString(shipped.resolve("captions.tsv")), Files.readString(folder.resolve("captions.tsv")));
    for (var set : set(ALL, Drawing::set))
      assertArrayEquals(pixels(shipped.resolve(set + ".png")), pixels(folder.resolve(set + ".png")), set);
  }

  private static int[] pixels(Path png) throws IOException {
    var image = ImageIO.read(png.toFile());
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }
}
