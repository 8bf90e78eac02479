package jacquard.tests.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.text.Cleaning;
import jacquard.clip.text.ClipTokenizer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ClipTokenizerTest {
  private final ClipTokenizer clip = ClipTokenizer.clip();

  @Test void knownIds() {
    assertArrayEquals(new int[] {320, 1125, 539, 320, 2368}, clip.encode("a photo of a cat"));
    assertEquals("a photo of a cat ", clip.decode(clip.encode("A  Photo of a cat")));
  }

  @Test void specialWords() {
    int[] ids = clip.encode("<start_of_text>A<END_OF_TEXT>");
    assertArrayEquals(new int[] {ClipTokenizer.START, 320, ClipTokenizer.END}, ids);
    assertEquals("<start_of_text>a <end_of_text>", clip.decode(ids));
    assertTrue(ClipTokenizer.clip(Cleaning.WHITESPACE).encode("<END_OF_TEXT>").length > 1,
        "only the small letters are the mark");
  }

  @Test void cleaningIsSelectable() {
    assertArrayEquals(clip.encode("a cat"), ClipTokenizer.clip(Cleaning.CANONICALIZE).encode("A_cat!"));
    assertEquals("A Cat ", ClipTokenizer.clip(Cleaning.WHITESPACE)
        .decode(ClipTokenizer.clip(Cleaning.WHITESPACE).encode("A  Cat")));
  }

  @Test void anyContextKeepsTheEnd() {
    assertArrayEquals(new int[] {ClipTokenizer.END}, clip.tokenize("a cat", 1));
    assertArrayEquals(new int[] {ClipTokenizer.START, ClipTokenizer.END}, clip.tokenize("a cat", 2));
    assertArrayEquals(new int[] {ClipTokenizer.START, 320, ClipTokenizer.END}, clip.tokenize("a cat", 3));
    assertArrayEquals(new int[] {ClipTokenizer.START, 320, 2368, ClipTokenizer.END, 0}, clip.tokenize("a cat", 5));
    assertThrows(IllegalArgumentException.class, () -> clip.tokenize("a cat", 0));
  }

  @Test void longCaptionsAreCutAndCounted() {
    long before = clip.truncated();
    var ids = clip.tokenize(List.of("cat ".repeat(100), "cat ".repeat(14), "cat ".repeat(15)), 16);
    assertEquals(ClipTokenizer.END, ids[0][15]);
    assertEquals(before + 2, clip.truncated(), "of 102, 16 and 17 tokens");
  }

  @Test void anyTextHasIds() {
    for (var t : new String[] {"", " ", "\0\1\2", "\ud800 lone surrogate", "\udc00", "\uffff", "\u0345"})
      assertEquals(16, clip.tokenize(t, 16).length);
    assertArrayEquals(clip.tokenize("", 16), clip.tokenize("\0\1\2 \t", 16));
  }

  /// Megabytes of one word, of many, and of bytes that are no text.
  @Test void longTextsTakeTimeInProportion() {
    var random = new Random(1);
    var letters = new StringBuilder();
    var bytes = new StringBuilder();
    for (int i = 0; i < 1_000_000; i++) {
      letters.append((char) ('a' + random.nextInt(26)));
      bytes.append((char) random.nextInt(256));
    }
    for (var t : List.of("a".repeat(1_000_000), letters.toString(), bytes.toString(), "ΑΣ'".repeat(300_000),
        "cat ".repeat(250_000)))
      assertTimeoutPreemptively(Duration.ofSeconds(30), () -> clip.tokenize(t, 77));
    assertEquals(letters + " ", clip.decode(clip.encode(letters.toString())));
  }

  @Test void wrongIdsAreNamed() {
    var e = assertThrows(IllegalArgumentException.class, () -> clip.decode(new int[] {320, 49408}));
    assertTrue(e.getMessage().contains("49408"), e.getMessage());
  }

  /// Each byte of what is no UTF-8 becomes U+FFFD as Python has it: one for a cut sequence, one for each byte of a
  /// surrogate.
  @Test void halfCharactersDecode() {
    int[] smile = clip.encode("😺🫠"); // cut anywhere
    for (int n = 1; n < smile.length; n++)
      assertTrue(clip.decode(Arrays.copyOf(smile, n)).codePoints()
          .allMatch(c -> c == 0xfffd || c == 0x1f63a || c == ' '));
    assertEquals("\ufffd\ufffd\ufffd", clip.decode(new int[] {169, 94, 94}), "the bytes ED A0 A0");
  }
}
