package jacquard.tests.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.eval.layouts.Layouts;
import jacquard.clip.eval.sets.Benchmarks;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// CIFAR as Python pickled it: two pictures, of which a red pixel of the first is 200, and of the second a green one 50
/// and the last blue one 7.
class PickledCifarTest {
  /// Of Python 3 and NumPy 2 (protocol 3), with the keys as bytes; of protocol 4; and as Python 2 wrote CIFAR-10.
  private static final String THIRD =
      "H4sIAAAAAAACA+3QS07DMBAGYKdPmrS8H4UTZBUJjoB3WGTRVTdVZLsuVErc/okjEYlKbKD0ZlyFU0DVIA4B8y1Go/lHs5iX5gos"
      + "5IGSTj8mqVQmhce9JzR4MJtbU48KNCdohUKLtuEDvZB58Zu0J+iEwhMNw1tT6SS62pbZsooSvchNlJWpm8s8l5Wf5EYvbOHyUjsf"
      + "e/Wab6d1ip5gr/C5pxCs0R9hsLt6z/pv2P/ZnbpqaXwcjBuMsfIah5v3NY5GOA5Fc+xtZ884ieP47mtrVwRzOFWbWzZk7IMRQggh"
      + "hBBCCCHkr7uhFxBCCCH/TRdnDueK92bz1FiZmQIXEwxD3pGf0dI+4JK31a65MmX0DXEkCjkYGQAA",
      FOURTH = "H4sIAAAAAAACA+3QQWrCQBQG4IkxDYJr6RFcBeoR7K5Ds3BfZJIMVIhRJjOLgAU3aoXZ+fcUXsRbaZrcov2/xVv9/+Px9sOf67Po"
      + "fGHqn0qV6bLGB6ZyJEPth4WyCn5SufW2SZb5xuhk7Uq7UsaoBn68NDrfVLU1Lre4wEddEj6uij5ygRQHvAYZTli0awM5eBfjIz5j"
      + "HxW22erf1sC94PzdB0If7JCm6du91Q0pLLLzXLSH3gQRERERERER/XUzvoCIiOi/iWGRueQB56kZ/LYYAAA=",
      SECOND = "H4sIAAAAAAACA+3QsU7DMBAGYDstbXGZEWPGTJHax6jVDAiPqLITA5XSpOech0ggsQDizXgVngKilKco/zf8w90vnXSvyQvJzCyd"
      + "5fJpV1vna0rMNfuO981jOo7TVdo+DPFNEzMbKx1N7+ki0xO98GZaWbY0K5t4OPZ52QafH2LNexuC7dUu+LJtOg6xZEXzU0s11WlL"
      + "Cy3ejHQft3SZablNxFZcvf+VKu6PXpEySVxpoeVQWg43jXwuimLzMxhDC3afd+JGiC8BAAAAAAAAAOdujRcAAAD8N3N2Mf8FzT/X"
      + "xtEYAAA=";

  @TempDir Path root;

  private static byte[] bytes(String zipped) throws IOException {
    try (var in = new GZIPInputStream(new ByteArrayInputStream(Base64.getDecoder().decode(zipped)))) {
      return in.readAllBytes();
    }
  }

  private TestSet found(String name, String split) throws IOException {
    return Layouts.find(root, Benchmarks.of(name), split, "en", false).orElseThrow();
  }

  private Path write(String path, byte[] bytes) throws IOException {
    Files.createDirectories(root.resolve(path).getParent());
    return Files.write(root.resolve(path), bytes);
  }

  private static void check(TestSet set, int... labels) throws IOException {
    assertArrayEquals(labels, ((Truth.Labels) set.truth()).of());
    assertEquals(200, set.pictures().at(0).pixels().sample(0, 0, 0));
    assertEquals(50, set.pictures().at(1).pixels().sample(0, 0, 1));
    assertEquals(7, set.pictures().at(1).pixels().sample(31, 31, 2));
  }

  @Test void picklesOfThreeAgesAreRead() throws IOException {
    write("cifar100/cifar-100-python/test", bytes(THIRD));
    check(found("vtab/cifar100", "test"), 99, 5);
    write("cifar10/cifar-10-batches-py/test_batch", bytes(FOURTH));
    check(found("cifar10", "test"), 9, 3);
    write("cifar10/cifar-10-batches-py/data_batch_1", bytes(FOURTH));
    write("cifar10/cifar-10-batches-py/data_batch_2", bytes(SECOND));
    check(found("cifar10", "train"), 9, 3, 3, 8);
  }

  /// Whatever else a pickle names is refused, and nothing of it runs.
  @Test void programsAreRefused() throws IOException {
    var mark = root.resolve("run");
    var file = write("cifar10/test_batch", ("cos\nsystem\n(S'touch " + mark + "'\ntR.")
        .getBytes(StandardCharsets.US_ASCII));
    var e = assertThrows(IOException.class, () -> found("cifar10", "test")).getMessage();
    assertTrue(e.startsWith(file.toString()) && e.contains("the pickle names os.system, which no array needs: the file "
        + "is refused, and nothing of it was run"), e);
    assertTrue(Files.notExists(mark));
    byte[] whole = bytes(FOURTH);
    write("cifar10/test_batch", java.util.Arrays.copyOf(whole, whole.length - 400));
    e = assertThrows(IOException.class, () -> found("cifar10", "test")).getMessage();
    assertTrue(e.contains("ends before it is complete"), e);
    write("cifar10/test_batch", bytes(THIRD));
    e = assertThrows(IOException.class, () -> found("cifar10", "test")).getMessage();
    assertTrue(e.contains("the label 99 of picture 0 is outside the 10 classes"), e);
    write("cifar10/test_batch", "]\u0094.".getBytes(StandardCharsets.ISO_8859_1));
    e = assertThrows(IOException.class, () -> found("cifar10", "test")).getMessage();
    assertTrue(e.contains("it holds no dictionary"), e);
  }
}
