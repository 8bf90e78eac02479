package jacquard.tests.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.text.ClipTokenizer;
import jacquard.tensor.Random;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReductionTest {
  private static final String LONG = "one two three four five six seven eight nine ten eleven twelve";

  private static int[] words(String mask, String caption, long key) {
    int[] ids = ClipTokenizer.of(Map.of("reduction_mask", mask)).tokenize(caption, 8, Random.of(key));
    assertEquals(8, ids.length);
    assertEquals(ClipTokenizer.START, ids[0]);
    assertEquals(ClipTokenizer.END, ids[7]);
    return Arrays.copyOfRange(ids, 1, 7);
  }

  @Test void eachKeepsWhatItSays() {
    int[] all = ClipTokenizer.clip().encode(LONG);
    assertEquals(12, all.length);
    var position = new java.util.HashMap<Integer, Integer>();
    for (int i = 0; i < all.length; i++) position.put(all[i], i);
    boolean shuffled = false, gaps = false;
    var starts = new HashSet<Integer>();
    for (long key = 0; key < 200; key++) {
      int[] simple = Arrays.stream(words("simple", LONG, key)).map(position::get).toArray(), random =
          Arrays.stream(words("random", LONG, key)).map(position::get).toArray(),
          shuffle = Arrays.stream(words("shuffle", LONG, key)).map(position::get).toArray();
      assertArrayEquals(IntStream.range(simple[0], simple[0] + 6).toArray(), simple);
      starts.add(simple[0]);
      assertArrayEquals(Arrays.stream(random).distinct().sorted().toArray(), random);
      gaps |= random[5] - random[0] > 5;
      assertEquals(6, Arrays.stream(shuffle).distinct().count());
      shuffled |= !Arrays.equals(Arrays.stream(shuffle).sorted().toArray(), shuffle);
      assertArrayEquals(words("random", LONG, key), words("random", LONG, key));
    }
    assertTrue(shuffled && gaps);
    // 12 − 6 + 1 places; 200 draws miss one with 7·(6/7)²⁰⁰ < 1e-12
    assertEquals(7, starts.size());
  }

  @Test void shortCaptionsAndEvaluationAreAsEver() {
    var t = ClipTokenizer.of(Map.of("reduction_mask", "shuffle"));
    assertArrayEquals(ClipTokenizer.clip().tokenize("a cat", 8), t.tokenize("a cat", 8, Random.of(1)));
    assertArrayEquals(ClipTokenizer.clip().tokenize(LONG, 8), t.tokenize(LONG, 8));
    assertTrue(t.reduces());
    assertFalse(ClipTokenizer.of(Map.of()).reduces());
  }

  @Test void aConfigsCleaningIsUsed() {
    assertArrayEquals(ClipTokenizer.clip().encode("hello world"), ClipTokenizer.of(Map.of("clean", "canonicalize"))
        .encode("Hello_World!"));
    for (var bad : List.of(Map.of("clean", "upper"), Map.of("reduction_mask", "syntax"), Map.of("reduction", "random")))
      assertTrue(assertThrows(IllegalArgumentException.class, () ->
          ClipTokenizer.of(bad)).getMessage().contains("expected") || bad.containsValue("upper"));
  }
}
