package jacquard.clip.text.pieces;

import java.util.Arrays;

/// A table of merges of two neighbouring ids to one, each with a rank; and how they apply: the merge of the lowest rank
/// first, of equal ones the leftmost, until none is left. O(n log n) in the length of a word.
public final class Merges {
  private long[] pairs = new long[64];
  private int[] ranks = new int[64], results = new int[64];
  private int size;

  private static int slot(long pair, int mask) {
    long h = pair * 0x9e3779b97f4a7c15L;
    return (int) (h >>> 40 ^ h >>> 20) & mask;
  }

  /// Pairs of ids; stored counted from 1, so that 0 is an empty slot.
  private int find(int left, int right) {
    long pair = left + 1L << 32 | right;
    int mask = pairs.length - 1, slot = slot(pair, mask);
    while (pairs[slot] != 0 && pairs[slot] != pair) slot = slot + 1 & mask;
    return slot;
  }

  /// Adds a merge; one of the same pair is replaced.
  public void put(int left, int right, int rank, int result) {
    int slot = find(left, right);
    if (pairs[slot] == 0) {
      if (2 * ++size > pairs.length) {
        grow();
        slot = find(left, right);
      }
      pairs[slot] = left + 1L << 32 | right;
    }
    ranks[slot] = rank;
    results[slot] = result;
  }

  private void grow() {
    long[] p = pairs;
    int[] r = ranks, s = results;
    pairs = new long[2 * p.length];
    ranks = new int[pairs.length];
    results = new int[pairs.length];
    for (int i = 0; i < p.length; i++)
      if (p[i] != 0) {
        int slot = slot(p[i], pairs.length - 1);
        while (pairs[slot] != 0) slot = slot + 1 & pairs.length - 1;
        pairs[slot] = p[i];
        ranks[slot] = r[i];
        results[slot] = s[i];
      }
  }

  /// Merges the first `n` of the ids in place; how many are left. A negative id takes no part.
  public int apply(int[] ids, int n) {
    if (n < 2) return n;
    return n <= 24 ? few(ids, n) : many(ids, n);
  }

  /// By looking at every pair for every merge: quickest where there are few.
  private int few(int[] ids, int n) {
    int[] at = new int[n];
    for (int i = 0; i + 1 < n; i++) at[i] = slotOf(ids[i], ids[i + 1]);
    while (n > 1) {
      int best = -1, rank = Integer.MAX_VALUE;
      for (int i = 0; i + 1 < n; i++)
        if (at[i] >= 0 && ranks[at[i]] < rank) {
          best = i;
          rank = ranks[at[i]];
        }
      if (best < 0) break;
      ids[best] = results[at[best]];
      System.arraycopy(ids, best + 2, ids, best + 1, n - best - 2);
      System.arraycopy(at, best + 1, at, best, n - best - 1);
      n--;
      if (best > 0) at[best - 1] = slotOf(ids[best - 1], ids[best]);
      at[best] = best + 1 < n ? slotOf(ids[best], ids[best + 1]) : -1;
    }
    return n;
  }

  private int slotOf(int left, int right) {
    if (left < 0 || right < 0) return -1;
    int slot = find(left, right);
    return pairs[slot] == 0 ? -1 : slot;
  }

  private int many(int[] ids, int n) {
    int[] next = new int[n], previous = new int[n];
    var queue = new Heap(n);
    for (int i = 0; i < n; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
      if (i > 0) offer(queue, ids, i - 1, i);
    }
    boolean[] gone = new boolean[n];
    while (queue.size > 0) {
      long first = queue.poll();
      int i = (int) first, rank = (int) (first >>> 32), j = next[i];
      if (gone[i] || j == n) continue;
      int slot = slotOf(ids[i], ids[j]);
      if (slot < 0 || ranks[slot] != rank) continue; // one of the two was merged meanwhile
      ids[i] = results[slot];
      gone[j] = true;
      next[i] = next[j];
      if (next[i] < n) {
        previous[next[i]] = i;
        offer(queue, ids, i, next[i]);
      }
      if (i > 0) offer(queue, ids, previous[i], i);
    }
    int kept = 0;
    for (int i = 0; i < n; i = next[i]) ids[kept++] = ids[i];
    return kept;
  }

  private void offer(Heap queue, int[] ids, int i, int j) {
    int slot = slotOf(ids[i], ids[j]);
    if (slot >= 0) queue.add((long) ranks[slot] << 32 | i);
  }

  /// The smallest of numbers first.
  private static final class Heap {
    private long[] a;
    private int size;

    private Heap(int capacity) { a = new long[capacity]; }

    private void add(long v) {
      if (size == a.length) a = Arrays.copyOf(a, 2 * size);
      int i = size++;
      for (int up; i > 0 && a[up = (i - 1) / 2] > v; i = up) a[i] = a[up];
      a[i] = v;
    }

    private long poll() {
      long first = a[0], v = a[--size];
      int i = 0;
      for (int down; (down = 2 * i + 1) < size; i = down) {
        if (down + 1 < size && a[down + 1] < a[down]) down++;
        if (a[down] >= v) break;
        a[i] = a[down];
      }
      a[i] = v;
      return first;
    }
  }
}
