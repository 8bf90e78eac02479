package jacquard.tests.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.layouts.Layouts;
import jacquard.clip.eval.layouts.WebDatasetWriter;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.Benchmarks;
import jacquard.clip.eval.sets.KnownClasses;
import jacquard.clip.eval.sets.Prompts;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import jacquard.clip.image.Pixels;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Each layout, in small folders of exactly its form.
class LayoutsTest {
  @TempDir Path root;

  private static TestSet found(Path root, String name) throws IOException { return found(root, name, "en"); }

  private static TestSet found(Path root, String name, String language) throws IOException {
    return Layouts.find(root, Benchmarks.of(name), "test", language, false).orElseThrow();
  }

  private static String broken(Path root, String name) {
    return assertThrows(IOException.class, () -> found(root, name)).getMessage();
  }

  private static int[] labels(TestSet s) { return ((Truth.Labels) s.truth()).of(); }

  private static void picture(Path file, int colour) throws IOException {
    Files.createDirectories(file.getParent());
    var image = new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 6; i++) image.setRGB(i % 3, i / 3, colour);
    ImageIO.write(image, "png", file.toFile());
  }

  private static Pixels shown(int index) { return Pixels.filled(4, 5, index * 20 << 16 | 0x07C8); }

  private static TestSet made(Truth truth, Prompts prompts, int size) {
    return new TestSet(Benchmark.own("made"), Path.of("made"), size, i -> shown(i).picture(), truth, prompts, "made");
  }

  @Test void everySetAndSuiteIsKnown() {
    for (var b : Benchmarks.all()) {
      var p = KnownClasses.of(b, "en");
      if (p != null) assertEquals(p.size(), p.sentences().size());
    }
    assertEquals(1000, KnownClasses.of(Benchmarks.of("imagenet1k"), "cn").size());
    for (var e : new Object[][] {{"imagenet-a", 200}, {"imagenet-r", 200}, {"imagenet-o", 200}, {"objectnet", 113},
        {"vtab/caltech101", 102}, {"vtab/dsprites_label_orientation", 40}, {"elevater/fer-2013", 7}})
      assertEquals(e[1], KnownClasses.of(Benchmarks.of((String) e[0]), "en").size(), (String) e[0]);
    for (var s : Benchmarks.suites()) for (var m : Benchmarks.suite(s))
      assertEquals(m.set(), Benchmarks.of(m.set()).name());
    assertEquals(List.of(19, 36, 20), List.of(Benchmarks.suite("vtab").size(), Benchmarks.suite("vtab+").size(),
        Benchmarks.suite("elevater").size()));
    assertEquals(38, Benchmarks.suite("datacomp").stream().filter(m -> Benchmarks.of(m.set()).measured()).count());
    var e = assertThrows(IllegalArgumentException.class, () -> Benchmarks.of("imagenet2k"));
    assertTrue(e.getMessage().contains("Did you mean imagenet1k?"), e.getMessage());
  }

  @Test void webdatasetsOfThreeKindsAreReadBack() throws IOException {
    var prompts = Prompts.of(List.of("cat", "dog"), List.of("a {c}", "the {c}"));
    var one = made(new Truth.Labels(new int[] {1, 0, 1}, new LinkedHashMap<>()), prompts, 3);
    var several = made(new Truth.Several(new boolean[][] {{true, false}, {true, true}}), prompts, 2);
    var captions = made(new Truth.Captions(List.of(List.of("a", "b"), List.of("c\nd"))), null, 2);
    for (var s : List.of(one, several, captions)) {
      var folder = root.resolve(s.truth().getClass().getSimpleName());
      WebDatasetWriter.write(s, folder, "test", Advance.UNHEARD);
      var back = Layouts.own(folder, "test").orElseThrow();
      assertEquals(s.size(), back.size());
      for (int i = 0; i < s.size(); i++) assertEquals(shown(i), back.pictures().at(i).pixels());
      assertEquals(s.prompts(), back.prompts());
      switch (back.truth()) {
        case Truth.Labels l -> assertArrayEquals(new int[] {1, 0, 1}, l.of());
        case Truth.Several l -> assertTrue(Arrays.deepEquals(((Truth.Several) several.truth()).of(), l.of()));
        case Truth.Captions c -> assertEquals(List.of(List.of("a", "b"), List.of("c\\nd")), c.of());
        default -> throw new AssertionError(back.truth());
      }
    }
    var again = assertThrows(IOException.class, () -> WebDatasetWriter.write(one, root.resolve("Labels"), "test",
        Advance.UNHEARD));
    assertTrue(again.getMessage().contains("holds shards already"), again.getMessage());
  }

  @Test void badWebdatasets() throws IOException {
    var prompts = Prompts.of(List.of("cat", "dog"), List.of("a {c}"));
    var folder = root.resolve("wds_mnist");
    WebDatasetWriter.write(made(new Truth.Labels(new int[] {1, 9}, new LinkedHashMap<>()), prompts, 2), folder, "test",
        Advance.UNHEARD);
    assertTrue(broken(root, "mnist").contains("the label 9 is outside the 2 classes (0 to 1)"));
    Files.delete(folder.resolve("classnames.txt"));
    assertArrayEquals(new int[] {1, 9}, labels(found(root, "mnist")));
    assertEquals("0", found(root, "mnist").prompts().classes().getFirst());
    Files.writeString(folder.resolve("classnames.txt"), "cat\ndog\n\n");
    assertTrue(broken(root, "mnist").contains("line 3 is empty (the last)"));
    Files.writeString(folder.resolve("classnames.txt"), "9\n8\n7\n6\n5\n4\n3\n2\n1\n0\n");
    assertTrue(broken(root, "mnist").contains("lists the classes of mnist in another order: line 1 is 9, expected 0"));
    Files.writeString(folder.resolve("classnames.txt"), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    Files.writeString(folder.resolve("zeroshot_classification_templates.txt"), "a picture\n");
    assertTrue(broken(root, "mnist").contains("\"a picture\" has no {c} or {} for the name"));
    Files.writeString(folder.resolve("zeroshot_classification_templates.txt"), "a {c}\n\n");
    assertTrue(broken(root, "mnist").contains("line 2 is empty (the last), expected a template"));
    Files.delete(folder.resolve("zeroshot_classification_templates.txt"));
    Files.writeString(folder.resolve("test/nshards.txt"), "2");
    assertTrue(broken(root, "mnist").contains("1.tar is missing, though nshards.txt counts it"));
    Files.writeString(folder.resolve("test/nshards.txt"), "many");
    assertTrue(broken(root, "mnist").contains("expected the number of shards"));
    Files.delete(folder.resolve("test/nshards.txt"));
    assertTrue(broken(root, "mnist").contains("nshards.txt is missing"));
    Files.writeString(folder.resolve("test/nshards.txt"), "1");
    byte[] tar = Files.readAllBytes(folder.resolve("test/0.tar"));
    Files.write(folder.resolve("test/0.tar"), Arrays.copyOf(tar, tar.length - 1536));
    assertTrue(broken(root, "mnist").contains("ends early"), broken(root, "mnist"));
  }

  /// Folders are the class that they are called, in whatever order the set has its classes.
  @Test void imageFoldersGoByTheirNames() throws IOException {
    for (var c : List.of("n01443537", "n01440764")) picture(root.resolve("imagenet1k/val/" + c + "/a.png"), 1);
    assertArrayEquals(new int[] {0, 1}, labels(found(root, "imagenet1k")));
    Files.writeString(root.resolve("babel_imagenet.json"), "{\"DE\": [[1, 7], [\"Goldfisch\", \"Hahn\"]]}");
    Files.writeString(root.resolve("nllb_dist13b_prompts.json"), "{\"DE\": [\"ein Bild: {}\"]}");
    var babel = found(root, "babel_imagenet", "de");
    assertArrayEquals(new int[] {0}, labels(babel), "the goldfish alone has a name");
    assertEquals(List.of("ein Bild: Goldfisch"), babel.prompts().sentences().getFirst());
    for (var c : List.of("10", "2")) picture(root.resolve("imagenetv2/" + c + "/a.png"), 1);
    assertArrayEquals(new int[] {10, 2}, labels(found(root, "imagenetv2")));
    for (var c : List.of("alarm_clock", "banana", "beer_can")) picture(root.resolve("objectnet/" + c + "/a.png"), 1);
    var objects = found(root, "objectnet");
    assertEquals("alarm clock", objects.prompts().classes().get(labels(objects)[0]));
    for (var c : List.of("Permanent Crop Land", "Desert")) picture(root.resolve("eurosat/test/" + c + "/a.png"), 1);
    var message = broken(root, "eurosat");
    assertTrue(message.contains("2 folders for the 10 classes of eurosat"), message);
    for (var c : List.of("dog", "cat")) picture(root.resolve("own/" + c + "/a.png"), 1);
    Files.writeString(root.resolve("own/classnames.txt"), "dog\ncat\n");
    assertArrayEquals(new int[] {1, 0}, labels(Layouts.own(root.resolve("own"), "test").orElseThrow()),
        "cat comes first on disk");
    Files.writeString(root.resolve("own/classnames.txt"), "hound\ntom\n");
    assertArrayEquals(new int[] {0, 1}, labels(Layouts.own(root.resolve("own"), "test").orElseThrow()));
  }

  /// Two classes of one name: refused in a set of one's own, by lines or folders; what is published so, and a known
  /// set, go on.
  @Test void equalClassNames() throws IOException {
    var three = root.resolve("three");
    for (var c : List.of("a", "b", "c")) picture(three.resolve("test/" + c + "/a.png"), 1);
    Files.writeString(three.resolve("classnames.txt"), "crane\ndog\ncrane\n");
    Files.writeString(three.resolve("zeroshot_classification_templates.txt"), "a {c}\n");
    var e = assertThrows(IOException.class, () -> Layouts.own(three, "test"));
    assertTrue(e.getMessage().contains("classnames.txt: line 1 and line 3 both name the class \"crane\""),
        e.getMessage());
    Files.writeString(three.resolve("classnames.txt"), "crane\ndog\nCrane\n");
    assertEquals(3, Layouts.own(three, "test").orElseThrow().prompts().size());
    var folders = root.resolve("folders");
    for (var c : List.of("Red fox", "red_fox")) picture(folders.resolve(c + "/a.png"), 1);
    e = assertThrows(IOException.class, () -> Layouts.own(folders, "test"));
    assertTrue(e.getMessage().contains("Red fox and red_fox both name the class \"red fox\""), e.getMessage());
    for (var language : List.of("en", "it")) {
      var imagenet = KnownClasses.of(Benchmarks.of("imagenet1k"), language);
      var own = root.resolve("published-" + language);
      WebDatasetWriter.write(made(new Truth.Labels(new int[] {1, 9}, new LinkedHashMap<>()), imagenet, 2), own, "test",
          Advance.UNHEARD);
      assertEquals(imagenet.classes(), Layouts.own(own, "test").orElseThrow().prompts().classes());
    }
    var known = root.resolve("wds_mnist");
    WebDatasetWriter.write(made(new Truth.Labels(new int[] {1, 9}, new LinkedHashMap<>()), Prompts.of(
        List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "8"), List.of("a {c}")), 2), known, "test",
        Advance.UNHEARD);
    assertEquals(10, found(root, "mnist").prompts().size());
  }

  @Test void binaryFiles() throws IOException {
    var images = new ByteArrayOutputStream();
    var out = new DataOutputStream(images);
    for (int v : new int[] {0x803, 2, 2, 3}) out.writeInt(v);
    for (int i = 0; i < 12; i++) out.writeByte(i);
    var l = new ByteArrayOutputStream();
    var of = new DataOutputStream(l);
    of.writeInt(0x801);
    of.writeInt(2);
    of.write(new byte[] {7, 3});
    Files.createDirectories(root.resolve("mnist"));
    Files.write(root.resolve("mnist/t10k-images-idx3-ubyte"), images.toByteArray());
    var zipped = Files.newOutputStream(root.resolve("mnist/t10k-labels-idx1-ubyte.gz"));
    try (var gz = new GZIPOutputStream(zipped)) { gz.write(l.toByteArray()); }
    var mnist = found(root, "mnist");
    assertArrayEquals(new int[] {7, 3}, labels(mnist));
    assertEquals(11, mnist.pictures().at(1).pixels().sample(2, 1, 0));
    Files.write(root.resolve("mnist/t10k-images-idx3-ubyte"), Arrays.copyOf(images.toByteArray(), 27));
    assertTrue(broken(root, "mnist").contains("and has 27 bytes, expected 28"));

    byte[] cifar = new byte[2 * 3074];
    cifar[1] = 99;
    cifar[3074 + 1] = 5;
    cifar[3074 + 2 + 1024] = 50;
    Files.createDirectories(root.resolve("cifar100/cifar-100-binary"));
    Files.write(root.resolve("cifar100/cifar-100-binary/test.bin"), cifar);
    var hundred = found(root, "vtab/cifar100");
    assertArrayEquals(new int[] {99, 5}, labels(hundred));
    assertEquals(50, hundred.pictures().at(1).pixels().sample(0, 0, 1));

    byte[] stl = new byte[3 * 96 * 96];
    stl[96] = 33;                                                                  // second column, first row, red
    Files.createDirectories(root.resolve("stl10"));
    Files.write(root.resolve("stl10/test_X.bin"), stl);
    Files.write(root.resolve("stl10/test_y.bin"), new byte[] {10});
    var ten = found(root, "stl10");
    assertArrayEquals(new int[] {9}, labels(ten));
    assertEquals(33, ten.pictures().at(0).pixels().sample(1, 0, 0));
    Files.write(root.resolve("stl10/test_y.bin"), new byte[] {11});
    assertTrue(broken(root, "stl10").contains("the label 10 of picture 0 is outside the 10 classes"));
  }

  @Test void captionFiles() throws IOException {
    for (var n : List.of("1.jpg", "2.jpg")) picture(root.resolve("flickr8k/Images/" + n), 1);
    Files.writeString(root.resolve("flickr8k/flickr8k_test_karpathy.txt"),
        "image,caption\n1.jpg,a dog, asleep\n2.jpg,a cat\n1.jpg,dogs\n");
    assertEquals(List.of(List.of("a dog, asleep", "dogs"), List.of("a cat")),
        ((Truth.Captions) found(root, "flickr8k").truth()).of());
    picture(root.resolve("mscoco_captions/val2014/x.jpg"), 1);
    Files.writeString(root.resolve("mscoco_captions/coco_test_karpathy.json"), """
        {"images": [{"id": 5, "file_name": "x.jpg"}],
            "annotations": [{"image_id": 5, "caption": "one"}, {"image_id": 5, "caption": "two"}]}""");
    assertEquals(List.of(List.of("one", "two")), ((Truth.Captions) found(root, "mscoco_captions").truth()).of());
    picture(root.resolve("crossmodal3600/images/p.jpg"), 1);
    Files.writeString(root.resolve("crossmodal3600/crossmodal3600_captions-de.json"),
        "{\"image_paths\": [\"images/p.jpg\"], \"annotations\": [\"ein Hund\"]}");
    assertEquals(List.of(List.of("ein Hund")), ((Truth.Captions) found(root, "crossmodal3600", "de").truth()).of());
    Files.writeString(root.resolve("flickr8k/flickr8k_test_karpathy.txt"), "image,caption\n../secret.jpg,a dog\n");
    assertTrue(broken(root, "flickr8k").contains("which is in"), broken(root, "flickr8k"));
  }

  @Test void choices() throws IOException {
    picture(root.resolve("sugar_crepe/val2017/7.jpg"), 1);
    Files.writeString(root.resolve("sugar_crepe/swap_obj.json"), """
        {"0": {"filename": "7.jpg", "caption": "a", "negative_caption": "b"},
            "9": {"filename": "7.jpg", "caption": "c", "negative_caption": "d"}}""");
    var crepe = found(root, "sugar_crepe/swap_obj");
    assertEquals(1, crepe.size());
    assertEquals(List.of("c", "d"), ((Truth.Choices) crepe.truth()).of().get(1).captions());
    for (int i = 0; i < 2; i++) picture(root.resolve("winoground/images/ex_0_img_" + i + ".png"), 1);
    Files.writeString(root.resolve("winoground/examples.jsonl"), """
        {"id": 0, "image_0": "ex_0_img_0", "image_1": "ex_0_img_1", "caption_0": "a b", "caption_1": "b a"}
        """);
    assertArrayEquals(new int[] {0, 1}, ((Truth.Choices) found(root, "winoground").truth()).of().getFirst().pictures());
    picture(root.resolve("aro/images/2.jpg"), 1);
    Files.writeString(root.resolve("aro/visual_genome_relation.json"), """
        [{"image_path": "2.jpg", "true_caption": "x on y", "false_caption": "y on x", "relation_name": "on",
            "bbox_x": 1, "bbox_y": 0, "bbox_w": 2, "bbox_h": 1}]""");
    var aro = found(root, "aro/vg_relation");
    assertEquals(List.of("on"), ((Truth.Choices) aro.truth()).groups());
    assertEquals(2, aro.pictures().at(0).width());
    for (var n : List.of("a", "b", "c")) picture(root.resolve("winogavil/images/" + n + ".jpg"), 1);
    Files.writeString(root.resolve("winogavil/winogavil.jsonl"),
        "{\"cue\": \"orange\", \"candidates\": [\"a\", \"b\", \"c\"], \"associations\": [\"c\"]}\n");
    var gavil = (Truth.Associations) found(root, "misc/winogavil").truth();
    assertEquals("An orange", gavil.of().getFirst().text());
    assertArrayEquals(new boolean[] {false, false, true}, gavil.of().getFirst().right());
  }
}
