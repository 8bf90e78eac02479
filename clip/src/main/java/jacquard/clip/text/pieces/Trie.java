package jacquard.clip.text.pieces;

import java.util.Arrays;

/// Words by their characters: a table of (node, character) → node, open addressing. The root is 0.
public final class Trie {
  public static final int ROOT = 0, NONE = -1;
  private long[] keys = new long[64];
  private int[] children = new int[64], values = new int[32];
  private int nodes = 1;

  public Trie() { Arrays.fill(values, NONE); }

  private int slot(long key) {
    long h = key * 0x9e3779b97f4a7c15L;
    int slot = (int) (h >>> 40 ^ h >>> 20) & keys.length - 1;
    while (keys[slot] != 0 && keys[slot] != key) slot = slot + 1 & keys.length - 1;
    return slot;
  }

  /// Keys are never 0: the node counts from 1 in them.
  private static long key(int node, char c) { return node + 1L << 16 | c; }

  /// Where a character leads, or [#NONE].
  public int child(int node, char c) {
    long key = key(node, c), h = key * 0x9e3779b97f4a7c15L;
    int mask = keys.length - 1, slot = (int) (h >>> 40 ^ h >>> 20) & mask;
    while (keys[slot] != key) {
      if (keys[slot] == 0) return NONE;
      slot = slot + 1 & mask;
    }
    return children[slot];
  }

  /// The value of the word that ends at a node, or [#NONE].
  public int value(int node) { return values[node]; }

  /// The value of a word, or [#NONE].
  public int get(CharSequence word) {
    int node = ROOT;
    for (int i = 0; i < word.length() && node >= 0; i++) node = child(node, word.charAt(i));
    return node < 0 ? NONE : values[node];
  }

  /// Gives a word a value ≥ 0, in place of an earlier one.
  public void put(CharSequence word, int value) {
    int node = ROOT;
    for (int i = 0; i < word.length(); i++) {
      long key = key(node, word.charAt(i));
      int slot = slot(key);
      if (keys[slot] == 0) {
        keys[slot] = key;
        children[slot] = nodes;
        if (nodes == values.length) {
          values = Arrays.copyOf(values, 2 * nodes);
          Arrays.fill(values, nodes, values.length, NONE);
        }
        nodes++;
        node = children[slot];
        if (2 * nodes > keys.length) grow();
      } else node = children[slot];
    }
    values[node] = value;
  }

  private void grow() {
    long[] old = keys;
    int[] before = children;
    keys = new long[2 * old.length];
    children = new int[keys.length];
    for (int i = 0; i < old.length; i++)
      if (old[i] != 0) {
        int slot = slot(old[i]);
        keys[slot] = old[i];
        children[slot] = before[i];
      }
  }

  /// The end of the longest word at `from`, or `from` where none is.
  public int longest(CharSequence text, int from) {
    int end = from;
    for (int i = from, node = ROOT; i < text.length() && (node = child(node, text.charAt(i))) >= 0;) {
      i++;
      if (values[node] >= 0) end = i;
    }
    return end;
  }
}
