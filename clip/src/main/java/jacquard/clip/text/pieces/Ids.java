package jacquard.clip.text.pieces;

import java.util.Arrays;

/// A growing list of ids.
public final class Ids {
  private int[] ids = new int[32];
  private int size;

  public void add(int id) {
    if (size == ids.length) ids = Arrays.copyOf(ids, Math.multiplyExact(size, 2));
    ids[size++] = id;
  }

  public void add(int[] more) {
    if (size + more.length > ids.length)
      ids = Arrays.copyOf(ids, Math.max(Math.multiplyExact(size, 2), size + more.length));
    System.arraycopy(more, 0, ids, size, more.length);
    size += more.length;
  }

  public int size() { return size; }

  public int get(int i) { return ids[i]; }

  public int[] toArray() { return Arrays.copyOf(ids, size); }

  /// Those from a place on.
  public int[] from(int first) { return Arrays.copyOfRange(ids, first, size); }
}
