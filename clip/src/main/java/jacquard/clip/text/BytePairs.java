package jacquard.clip.text;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.GZIPInputStream;

/// CLIP's table of byte pairs: ids 0–255 are bytes, 256–511 bytes that end a word, from 512 on merges of two earlier
/// ids, in the order in which they apply; then the two marks of a text's start and end.
final class BytePairs {
  static final int MERGES = 48894, START = 512 + MERGES, END = START + 1;
  private static final int CACHED = 1 << 16, SLOTS = 1 << 17;
  static final String NAME = "bpe_simple_vocab_16e6.txt.gz";
  private static final String END_OF_WORD = "</w>";
  static final BytePairs CLIP = new BytePairs();

  private final int[] ofByte = new int[256], ofId = new int[256];
  /// `left << 16 | right` of each merge.
  private final int[] pairs = new int[MERGES];
  /// Open addressing: pair → merge, −1 where empty.
  private final int[] slots = new int[SLOTS];
  private final Map<String, int[]> cache = new ConcurrentHashMap<>();

  private BytePairs() {
    var ids = HashMap.<String, Integer>newHashMap(START);
    bytes(ids);
    Arrays.fill(slots, -1);
    try (var in =
        new BufferedReader(new InputStreamReader(new GZIPInputStream(BytePairs.class.getResourceAsStream(NAME)),
        StandardCharsets.UTF_8))) {
      in.readLine();
      for (int i = 0; i < MERGES; i++) {
        var line = in.readLine();
        var parts = line == null ? new String[0] : line.split(" ");
        Integer left = parts.length == 2 ? ids.get(parts[0]) : null, right = parts.length == 2 ? ids.get(parts[1])
            : null;
        if (left == null || right == null || ids.put(parts[0] + parts[1], 512 + i) != null)
          throw new IOException(NAME + " line " + (i + 2) + " is \"" + line
              + "\", expected two earlier parts of a new one, as on " + MERGES + " lines");
        pairs[i] = left << 16 | right;
        int slot = slot(pairs[i]);
        while (slots[slot] >= 0) slot = slot + 1 & SLOTS - 1;
        slots[slot] = i;
      }
    } catch (IOException e) { throw new UncheckedIOException(e); }
  }

  /// The table's order of bytes: those that print (21–7E, A1–AC, AE–FF) as themselves, then the others as the
  /// characters from U+0100 on.
  private void bytes(Map<String, Integer> ids) {
    int id = 0;
    for (int others = 0; others < 2; others++)
      for (int b = 0, next = 256; b < 256; b++) {
        boolean prints = b >= 0x21 && b <= 0x7e || b >= 0xa1 && b <= 0xac || b >= 0xae;
        char c = prints ? (char) b : (char) next++;
        if (prints == (others == 1)) continue;
        ids.put(String.valueOf(c), id);
        ids.put(c + END_OF_WORD, id + 256);
        ofByte[b] = id;
        ofId[id++] = b;
      }
  }

  private static int slot(int pair) { return pair * 0x9e3779b9 >>> 15; }

  /// The merge of two neighbours, or −1.
  private int merge(int left, int right) {
    int pair = left << 16 | right, slot = slot(pair);
    while (slots[slot] >= 0 && pairs[slots[slot]] != pair) slot = slot + 1 & SLOTS - 1;
    return slots[slot];
  }

  /// Ids of one word.
  int[] word(String word) {
    int[] known = cache.get(word);
    if (known != null) return known;
    int[] r = merged(word.getBytes(StandardCharsets.UTF_8));
    if (word.length() < 64 && cache.size() < CACHED) cache.put(word, r);
    return r;
  }

  /// Applies the earliest merge, everywhere from the left, until none applies; O(n log n). A merge of merged parts is
  /// later in the table than theirs (checked when reading it), so a queue by merge and place takes them in just that
  /// order.
  private int[] merged(byte[] bytes) {
    int n = bytes.length;
    int[] ids = new int[n], next = new int[n], previous = new int[n];
    var queue = new PriorityQueue<Long>();
    for (int i = 0; i < n; i++) {
      ids[i] = ofByte[bytes[i] & 255] + (i == n - 1 ? 256 : 0);
      next[i] = i + 1;
      previous[i] = i - 1;
      if (i > 0) offer(queue, ids, i - 1, i);
    }
    while (!queue.isEmpty()) {
      long first = queue.poll();
      int i = (int) first, merge = (int) (first >>> 32), j = next[i];
      if (ids[i] < 0 || j == n || merge(ids[i], ids[j]) != merge) continue; // one of the two was merged meanwhile
      ids[i] = 512 + merge;
      ids[j] = -1;
      next[i] = next[j];
      if (next[i] < n) {
        previous[next[i]] = i;
        offer(queue, ids, i, next[i]);
      }
      if (i > 0) offer(queue, ids, previous[i], i);
    }
    return Arrays.stream(ids).filter(id -> id >= 0).toArray();
  }

  private void offer(PriorityQueue<Long> queue, int[] ids, int i, int j) {
    int merge = merge(ids[i], ids[j]);
    if (merge >= 0) queue.add((long) merge << 32 | i);
  }

  /// Writes the bytes that an id stands for, `</w>` at the end of a word.
  void write(int id, ByteArrayOutputStream out) {
    if (id >= START)
      out.writeBytes((id == START ? ClipTokenizer.START_OF_TEXT : ClipTokenizer.END_OF_TEXT)
          .getBytes(StandardCharsets.US_ASCII));
    else if (id >= 512) {
      write(pairs[id - 512] >>> 16, out);
      write(pairs[id - 512] & 0xffff, out);
    } else {
      out.write(ofId[id & 255]);
      if (id >= 256) out.writeBytes(END_OF_WORD.getBytes(StandardCharsets.US_ASCII));
    }
  }
}
