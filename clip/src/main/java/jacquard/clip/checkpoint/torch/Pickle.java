package jacquard.clip.checkpoint.torch;

import jacquard.clip.checkpoint.torch.Value.Instance;
import jacquard.clip.checkpoint.torch.Value.Tuple;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads a pickle (Python's `pickletools`, protocols 0 to 5) and runs nothing of it: names stand for themselves
/// ([Globals], [NumPy]), calls make tensors or arrays or are refused. Memory grows with the bytes read, never by a
/// length that the file claims.
final class Pickle {
  /// What names may stand for.
  enum Holding { WEIGHTS, ARRAYS }

  private static final Object MARK = new Object();
  private static final int LONGEST_TEXT = 1 << 20;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble BIG_DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private final MemorySegment bytes;
  private final boolean arrays;
  private long at, worked;
  private final List<Object> stack = new ArrayList<>();
  private final Map<Long, Object> memo = new HashMap<>();

  private Pickle(MemorySegment bytes, long at, Holding what) {
    this.bytes = bytes;
    this.at = at;
    this.arrays = what == Holding.ARRAYS;
  }

  /// @param end the byte behind the pickle
  record Read(Object value, long end) {}

  /// The pickle of weights that begins at a byte.
  static Read read(MemorySegment bytes, long at) throws IOException { return read(bytes, at, Holding.WEIGHTS); }

  static Read read(MemorySegment bytes, long at, Holding what) throws IOException {
    var p = new Pickle(bytes, at, what);
    long began = at;
    try {
      while (true) {
        long from = p.at;
        int op = p.u8();
        if (op == '.') return new Read(p.pop(), p.at);
        try { p.step(op); } catch (ClassCastException | NumberFormatException e) {
          throw new IOException("the operation 0x%02x at byte %d does not fit what it is given".formatted(op,
              from - began), e);
        }
      }
    } catch (IndexOutOfBoundsException e) { throw new IOException("the pickle ends before it is complete", e); }
  }

  private void step(int op) throws IOException {
    switch (op) {
      case 0x80 -> {
        int version = u8();
        if (version > 5) throw new IOException("a pickle of protocol " + version + ", expected 5 or less");
      }
      case 0x95 -> take(8);
      case '(' -> stack.add(MARK);
      case '0' -> pop();
      case '1' -> marked();
      case '2' -> stack.add(peek());
      case 'N' -> stack.add(null);
      case 0x88 -> stack.add(true);
      case 0x89 -> stack.add(false);
      case 'I' -> {
        var line = line();
        stack.add(line.equals("00") ? (Object) false : line.equals("01") ? (Object) true : (Object) Long.valueOf(line));
      }
      case 'L' -> stack.add(Long.valueOf(line().replaceFirst("L$", "")));
      case 'F' -> stack.add(Double.valueOf(line()));
      case 'J' -> stack.add((long) bytes.get(INT, take(4)));
      case 'K' -> stack.add((long) u8());
      case 'M' -> stack.add((long) (bytes.get(SHORT, take(2)) & 0xffff));
      case 0x8a -> stack.add(whole(u8()));
      case 0x8b -> stack.add(whole(length(bytes.get(INT, take(4)), 255)));
      case 'G' -> stack.add(bytes.get(BIG_DOUBLE, take(8)));
      case 0x8c -> stack.add(text(u8()));
      case 'U', 'C' -> stack.add(string(u8()));
      case 'X' -> stack.add(text(length(bytes.get(INT, take(4)) & 0xffffffffL, LONGEST_TEXT)));
      case 'T', 'B' -> stack.add(string(length(bytes.get(INT, take(4)) & 0xffffffffL, longest())));
      case 0x8d -> stack.add(text(length(bytes.get(LONG, take(8)), LONGEST_TEXT)));
      case 0x8e -> stack.add(string(length(bytes.get(LONG, take(8)), longest())));
      case 'V' -> stack.add(line());
      case ')' -> stack.add(new Tuple(List.of()));
      case 't' -> stack.add(new Tuple(marked()));
      case 0x85, 0x86, 0x87 -> stack.add(new Tuple(last(op - 0x84)));
      case ']' -> stack.add(new ArrayList<>());
      case 'l' -> stack.add(marked());
      case 'a' -> { var x = pop(); list(peek()).add(x); }
      case 'e' -> { var x = marked(); list(peek()).addAll(x); }
      case '}' -> stack.add(new LinkedHashMap<>());
      case 'd' -> { var x = marked(); stack.add(put(new LinkedHashMap<>(), x)); }
      case 's' -> { var x = last(2); put(map(peek()), x); }
      case 'u' -> { var x = marked(); put(map(peek()), x); }
      case 'c' -> { var module = line(); stack.add(named(module, line())); }
      case 0x93 -> { var x = last(2); stack.add(named((String) x.get(0), (String) x.get(1))); }
      case 'R' -> {
        var x = last(2);
        if (x.get(1) instanceof Tuple(var a) && !a.isEmpty() && a.getFirst() instanceof List<?> l) work(l.size());
        stack.add(arrays ? NumPy.called(x.get(0), x.get(1)) : Globals.called(x.get(0), x.get(1)));
      }
      case 0x81 -> { var x = last(2); stack.add(Globals.made(x.get(0))); }
      case 'b' -> {
        var state = pop();
        if (arrays) stack.add(NumPy.built(pop(), state));
        else build(peek(), state);
      }
      case 'Q' -> stack.add(Globals.memory(pop()));
      case 'g' -> stack.add(remembered(Long.parseLong(line())));
      case 'h' -> stack.add(remembered(u8()));
      case 'j' -> stack.add(remembered(bytes.get(INT, take(4)) & 0xffffffffL));
      case 'p' -> memo.put(Long.valueOf(line()), peek());
      case 'q' -> memo.put((long) u8(), peek());
      case 'r' -> memo.put(bytes.get(INT, take(4)) & 0xffffffffL, peek());
      case 0x94 -> memo.put((long) memo.size(), peek());
      default ->
          throw new IOException(
              "the pickle has the operation 0x%02x, which no weights need: the file is refused".formatted(op));
    }
  }

  /// `__setstate__`: of a module its attributes; what tensors and state dicts carry beside themselves is passed over.
  private void build(Object target, Object state) throws IOException {
    switch (target) {
      case Instance i when state instanceof Map<?, ?> attributes -> {
        work(attributes.size());
        for (var e : attributes.entrySet()) i.attributes().put((String) e.getKey(), e.getValue());
      }
      case Map<?, ?> _ -> {}
      case Value.Strided _ -> {}
      case null, default -> throw new IOException("the pickle gives a state to " + Value.said(target)
          + ", which no weights need: the file is refused");
    }
  }

  /// What is copied again and again must not take longer than reading the file.
  private void work(long items) throws IOException {
    worked += items;
    if (worked > bytes.byteSize()) throw new IOException("the pickle copies more than it holds: the file is refused");
  }

  private static Map<Object, Object> put(Map<Object, Object> map, List<Object> items) throws IOException {
    if (items.size() % 2 != 0) throw new IOException("a key without a value");
    for (int i = 0; i < items.size(); i += 2) map.put(Globals.key(items.get(i)), items.get(i + 1));
    return map;
  }

  @SuppressWarnings("unchecked") private static Map<Object, Object> map(Object o) { return (Map<Object, Object>) o; }

  @SuppressWarnings("unchecked") private static List<Object> list(Object o) { return (List<Object>) o; }

  private Object pop() throws IOException {
    var x = stack.isEmpty() ? MARK : stack.removeLast();
    if (x == MARK) throw new IOException("the pickle's stack is empty where something is taken");
    return x;
  }

  private Object peek() throws IOException {
    var x = stack.isEmpty() ? MARK : stack.getLast();
    if (x == MARK) throw new IOException("the pickle's stack is empty where something is taken");
    return x;
  }

  private List<Object> last(int n) throws IOException {
    var r = new ArrayList<>(stack.subList(stack.size() - n, stack.size()));
    for (int i = 0; i < n; i++) pop();
    return r;
  }

  /// What lies above the mark, which goes too.
  private List<Object> marked() throws IOException {
    int mark = stack.lastIndexOf(MARK);
    if (mark < 0) throw new IOException("the pickle has no mark where one is needed");
    var r = new ArrayList<>(stack.subList(mark + 1, stack.size()));
    stack.subList(mark, stack.size()).clear();
    return r;
  }

  private Object remembered(long key) throws IOException {
    if (!memo.containsKey(key)) throw new IOException("the pickle remembers nothing under " + key);
    return memo.get(key);
  }

  private long take(long n) {
    if (n > bytes.byteSize() - at) throw new IndexOutOfBoundsException();
    at += n;
    return at - n;
  }

  private int u8() { return bytes.get(ValueLayout.JAVA_BYTE, take(1)) & 0xff; }

  private static int length(long n, int most) throws IOException {
    if (n < 0 || n > most) throw new IOException("a text or number of " + n + " bytes, expected at most " + most);
    return (int) n;
  }

  private String text(int length) { return text(length, StandardCharsets.UTF_8); }

  private String text(int length, Charset charset) {
    return new String(bytes.asSlice(take(length), length).toArray(ValueLayout.JAVA_BYTE), charset);
  }

  /// Bytes, or a text of Python 2. Those of arrays are kept, a character a byte.
  private String string(int length) {
    return text(length, arrays ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8);
  }

  private int longest() { return arrays ? NumPy.LONGEST : LONGEST_TEXT; }

  private Value.Global named(String module, String name) throws IOException {
    return arrays ? NumPy.of(module, name) : Globals.of(module, name);
  }

  private String line() throws IOException {
    long from = at;
    while (u8() != '\n') length(at - from, 1 << 12);
    return new String(bytes.asSlice(from, at - 1 - from).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
  }

  /// A whole number, least byte first, in two's complement.
  private Object whole(int length) {
    long from = take(length);
    byte[] big = new byte[length];
    for (int i = 0; i < length; i++) big[length - 1 - i] = bytes.get(ValueLayout.JAVA_BYTE, from + i);
    var n = length == 0 ? BigInteger.ZERO : new BigInteger(big);
    return n.bitLength() < 64 ? (Object) n.longValue() : n;
  }
}
