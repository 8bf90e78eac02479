package jacquard.tests.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.text.ClipTokenizer;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ClipTokenizerTest {
  private final ClipTokenizer clip = ClipTokenizer.clip();

  /// All recorded captions of printable ASCII; what ftfy repairs in others is not built yet.
  @Test void recordedCaptions() throws Exception {
    int count = 0;
    for (var c : new ObjectMapper().readTree(Path.of("src/main/resources/fixtures/tokenizer/clip_bpe_0.json").toFile())) {
      var text = c.get("text").asText();
      if (!text.chars().allMatch(ch -> ch >= 0x20 && ch < 0x7f)) continue;
      int[] expected = IntStream.range(0, c.get("ids32").size()).map(i -> c.get("ids32").get(i).asInt()).toArray();
      assertArrayEquals(expected, clip.tokenize(text, 32), text);
      assertEquals(c.get("decoded").asText(), clip.decode(clip.encode(text)), text);
      count++;
    }
    assertTrue(count > 100, count + " cases");
  }

  @Test void knownIds() { assertArrayEquals(new int[] {320, 1125, 539, 320, 2368}, clip.encode("a photo of a cat")); }

  @Test void longCaptionsAreCutAndCounted() {
    long before = clip.truncated();
    int[] ids = clip.tokenize("cat ".repeat(100), 16);
    assertEquals(ClipTokenizer.END, ids[15]);
    assertEquals(before + 1, clip.truncated());
  }

  @Test void anyTextHasIds() {
    for (var t : new String[] {"", " ", "\0\1\2", "a".repeat(2_000_000), "\ud800 lone surrogate"}) assertEquals(16, clip.tokenize(t, 16).length);
  }
}
