package jacquard.tests.code;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// The machine code that C2 made, read back: `-XX:CompileCommand=print,…` writes the bytes where there is no
/// disassembler in the JVM, and `objdump` knows what they mean.
///
/// @param method   `package.Class::method`, as HotSpot writes it
public record MachineCode(String method, List<Instruction> instructions) {
  private static final Pattern HEAD = Pattern.compile("Compiled method \\(c2\\) +\\d+ +\\d+ +([%sb! n]*)4 +(\\S+)");
  private static final Pattern BYTES = Pattern.compile(" +0x([0-9a-f]+): ((?:[0-9a-f]{2,4}[ |]*)+)");
  private static final Pattern LINE = Pattern.compile(" +([0-9a-f]+):\\t(\\S+)(?: +(.*?))?(?:\\s*#.*)?");
  private static final Pattern STACK = Pattern.compile("(?:0x[0-9a-f]+)?\\(%rsp\\)");

  /// @param operands in AT&T's order, the destination last
  public record Instruction(long at, String name, String operands) {
    boolean vector() { return operands.contains("%xmm") || operands.contains("%ymm") || operands.contains("%zmm"); }
    boolean packed() {
      return name.startsWith("v") && name.endsWith("ps") || name.startsWith("vmovdq") || name.startsWith("vmovup")
          || name.startsWith("vmovap");
    }
    boolean fma() { return name.startsWith("vfmadd") && name.endsWith("ps"); }
    long target() {
      return name.startsWith("j") && operands.startsWith("0x") ? Long.parseLong(operands.substring(2), 16) : -1;
    }
  }

  private record Raw(long start, byte[] bytes) {}

  /// An innermost loop.
  ///
  /// @param vectors vector instructions, products included
  /// @param calls   calls within it: a vector operation that was not inlined, and boxes
  /// @param objects objects made within it: boxes again
  /// @param carried slots of the stack that a vector is read from and later written to: accumulators, with the store
  ///   and the load in their chain
  public record Loop(long from, long to, int fmas, int vectors, int calls, int objects, Collection<String> carried) {}

  /// Whether the disassembler is there.
  public static boolean readable() {
    try {
      return new ProcessBuilder("objdump", "--version").redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /// The last code of each whole method in what a JVM printed; what is entered in the middle of a loop is a passing
  /// form.
  public static List<MachineCode> read(List<String> printed, Path scratch) throws IOException, InterruptedException {
    var found = new LinkedHashMap<String, Raw>();
    for (int i = 0; i < printed.size(); i++) {
      var head = HEAD.matcher(printed.get(i));
      if (!head.find()) continue;
      var bytes = new ByteArrayOutputStream();
      long start = -1;
      boolean code = false;
      for (i++; i < printed.size() && !printed.get(i).startsWith("[/MachCode]")
          && !printed.get(i).startsWith("Compiled method"); i++) {
        if (printed.get(i).startsWith("[Exception Handler]")) code = false;
        if (printed.get(i).contains("Verified Entry Point]")) code = true;
        var line = BYTES.matcher(printed.get(i));
        if (!code || !line.matches()) continue;
        if (start < 0) start = Long.parseUnsignedLong(line.group(1), 16);
        var hex = line.group(2).replaceAll("[ |]", "");
        for (int k = 0; k + 1 < hex.length(); k += 2) bytes.write(Integer.parseInt(hex, k, k + 2, 16));
      }
      i--;
      if (start >= 0 && !head.group(1).contains("%")) found.put(head.group(2), new Raw(start, bytes.toByteArray()));
    }
    var r = new ArrayList<MachineCode>();
    for (var e : found.entrySet())
      r.add(new MachineCode(e.getKey(), disassembled(e.getValue().bytes, e.getValue().start, scratch)));
    return r;
  }

  private static List<Instruction> disassembled(byte[] code, long start, Path scratch)
      throws IOException, InterruptedException {
    Files.write(scratch, code);
    var p = new ProcessBuilder("objdump", "-D", "-b", "binary", "-mi386:x86-64", "--no-show-raw-insn",
        "--adjust-vma=" + start, scratch.toString()).redirectErrorStream(true).start();
    var r = new ArrayList<Instruction>();
    for (var s : new String(p.getInputStream().readAllBytes()).lines().toList()) {
      var m = LINE.matcher(s);
      if (m.matches())
        r.add(new Instruction(Long.parseUnsignedLong(m.group(1), 16), m.group(2), m.group(3) == null ? ""
            : m.group(3)));
    }
    if (p.waitFor() != 0) throw new IOException("objdump failed on " + code.length + " bytes");
    return r;
  }

  /// Innermost loops with packed floats.
  public List<Loop> loops() {
    record Span(long from, long to) {}
    long first = instructions.isEmpty() ? 0 : instructions.getFirst().at;
    var spans = instructions.stream().filter(i -> i.target() >= first && i.target() <= i.at)
        .map(i -> new Span(i.target(), i.at)).toList();
    var r = new ArrayList<Loop>();
    for (var s : spans) {
      if (spans.stream().anyMatch(t -> !t.equals(s) && t.from >= s.from && t.to <= s.to)) continue;
      var read = new TreeSet<String>();
      var written = new TreeSet<String>();
      var carried = new TreeSet<String>();
      // a slow path behind the end of the method that jumps back into it is no loop
      boolean trap = false, slow = false;
      int fmas = 0, vectors = 0, packed = 0, calls = 0, objects = 0;
      for (var i : instructions) {
        if (i.at < s.from || i.at > s.to) continue;
        if (i.fma()) fmas++;
        slow |= i.name.startsWith("ret");
        if (i.vector()) vectors++;
        if (i.packed()) packed++;
        // the thread's allocation pointer moves
        if (i.operands.endsWith("(%r15)") && i.name.startsWith("mov")) objects++;
        // why it gives up: the call does not come back
        if (i.name.equals("mov") && i.operands.startsWith("$0xffffff") && i.operands.endsWith("%esi")) trap = true;
        if (i.name.startsWith("call")) {
          if (!trap) calls++;
          trap = false;
        }
        var slot = STACK.matcher(i.operands);
        if (!i.vector() || !i.packed() || !slot.find()) continue;
        if (slot.end() < i.operands.length()) { if (!written.contains(slot.group())) read.add(slot.group()); }
        else if (read.contains(slot.group())) carried.add(slot.group());
        else written.add(slot.group());
      }
      if (packed > 0 && !slow) r.add(new Loop(s.from, s.to, fmas, vectors, calls, objects, carried));
    }
    return r;
  }
}
