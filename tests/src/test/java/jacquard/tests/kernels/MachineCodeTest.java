package jacquard.tests.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import jacquard.kernels.cpu.Simd;
import jacquard.tests.Fork;
import jacquard.tests.code.HotLoops;
import jacquard.tests.code.MachineCode;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.InvokeInstruction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// No accumulator of a micro-kernel lives on the stack: where one does, its store and load are part of the chain of
/// sums, and on CPUs that do not rename stack slots the kernel runs at a third of its speed. Timing on another CPU does
/// not show it; the machine code does.
class MachineCodeTest {
  /// Store, load and addition take about 9 cycles from turn to turn; at two vector instructions a cycle a loop of so
  /// many, an exponential say, is no slower for it.
  private static final int HIDES = 40;

  /// Where the CPU's kernels are, below their package.
  private static final List<String> ROOMS =
      List.of("", "matmul/", "attention/", "convolution/", "elementary/", "rows/");

  @TempDir Path folder;

  /// Two loops: in the first an accumulator is loaded, added to and stored; the second only reads a constant from the
  /// stack.
  @Test void aSpilledAccumulatorIsSeen() throws Exception {
    assumeTrue(MachineCode.readable(), "no objdump: install binutils");
    var printed = List.of("Compiled method (c2) 1841 1082       4       a.B::c (661 bytes)", "[Verified Entry Point]",
        "  0x00007ff8e3f22f80: c5fe 6f44 2440 c4e2 75b8 00c5 fe7f 4424 40ff c975 ebc5 fe6f 5c24 60c4 e275 b800 c4e2 "
        + "65b8 10ff c975 ecc3", "[/MachCode]");
    var loops = MachineCode.read(printed, folder.resolve("code")).getFirst().loops();
    assertEquals(2, loops.size());
    assertEquals(List.of("0x40(%rsp)"), List.copyOf(loops.get(0).carried()));
    assertEquals(List.of(), List.copyOf(loops.get(1).carried()));
    assertEquals(2, loops.get(1).fmas());
  }

  /// C2 inlines what is hot up to 325 bytes of bytecode (FreqInlineSize). Behind an exponential a sum that was inlined
  /// would come near C2's limit of nodes, and so would attention with all its loops.
  @Test void largeLoopsKeepToABodyOfTheirOwn() throws Exception {
    for (var large : Map.of("Simd", Set.of("sum", "dot"), "AttentionForward", Set.of("softmax"), "AttentionBackward",
        Set.of("probabilities"),
        "TransposedTiles", Set.of("kernel8x2", "kernel4x2", "kernel8x1")).entrySet())
      for (var m : methods(large.getKey(), large.getValue()))
        assertTrue(m.findAttribute(Attributes.code()).orElseThrow().codeLength() > 325,
            large.getKey() + "." + m.methodName() + " can be inlined");
  }

  /// Loops of several vectors may not run at all while a JVM decides: rows of 50 never reach four vectors. C2 then
  /// leaves calls to methods of ours as they are, for good ("low call site frequency"), and boxes their vectors; those
  /// of FloatVector it inlines whatever the profile says.
  @Test void foldsCallNoVectorMethodOfOurs() throws Exception {
    for (var fold : Map.of("Simd", Set.of("sum", "dot", "max", "add", "scale"), "CpuRows",
        Set.of("maxima", "shares", "normal", "slopes", "softmaxSlopes", "normalizeSlopes"),
        "AttentionForward", Set.of("softmax"), "AttentionBackward", Set.of("probabilities", "dots"), "Heads",
        Set.of("scaled")).entrySet())
      for (var m : methods(fold.getKey(), fold.getValue()))
        for (var i : m.code().orElseThrow())
          if (i instanceof InvokeInstruction call && call.owner().asInternalName().startsWith("jacquard/"))
            assertTrue(!call.type().stringValue().contains("FloatVector"),
                fold.getKey() + "." + m.methodName() + " calls " + call.name());
  }

  /// FloatVector's methods are shared by vectors of all lengths, and C2 inlines what their profile has seen: of two
  /// lengths the rarer goes into boxes, a hundred bytes for each load.
  @Test void kernelsKnowOneLengthOfVectors() throws Exception {
    for (var type : List.of("AttentionBackward", "AttentionForward", "ContrastiveLoops", "CpuActivation",
        "CpuBroadcast", "CpuContrastive", "CpuConv2d", "CpuDepthwise", "CpuElementwise", "CpuMatMul",
        "CpuReduction", "CpuRows", "CpuUpdates", "DepthwiseProducts", "DepthwiseTaps", "Edges", "Heads",
        "MicroKernel", "Packing", "Transpose", "TransposedTiles"))
      for (var m : methods(type))
        if (m.code().isPresent())
          for (var i : m.code().get())
            if (i instanceof InvokeInstruction call)
              assertTrue(!call.owner().asInternalName().matches("jdk/incubator/vector/Vector(Species|Shape)"),
                  type + "." + m.methodName() + " makes a species: " + call.name());
  }

  /// Those of these names, all of which there are.
  private static List<MethodModel> methods(String type, Set<String> names) throws Exception {
    var found = methods(type).stream().filter(m -> names.contains(m.methodName().stringValue())).toList();
    assertTrue(found.stream().map(m -> m.methodName().stringValue()).toList().containsAll(names),
        type + " has not all of " + names);
    return found;
  }

  private static List<MethodModel> methods(String type) throws Exception {
    for (var room : ROOMS)
      try (var in = Simd.class.getResourceAsStream(room + type + ".class")) {
        if (in != null) return ClassFile.of().parse(in.readAllBytes()).methods();
      }
    throw new AssertionError("no class " + type + " in " + ROOMS);
  }

  /// What the launcher sends to the compiler early is named as it is called.
  @Test void thresholdsNameMethodsThatThereAre() throws Exception {
    var line = Files.readAllLines(Path.of("..", "jacquard")).stream()
        .filter(l -> l.contains("CompileThresholdScaling,jacquard.kernels.cpu.$m")).findFirst().orElseThrow();
    int count = 0;
    for (var m = Pattern.compile("'([\\w.]+)\\.(\\w+)::(\\w*)(\\*?)'").matcher(line); m.find(); count++) {
      var pattern = m.toMatchResult();
      try (var in = Simd.class.getResourceAsStream(m.group(1).replace('.', '/') + "/" + m.group(2) + ".class")) {
        assertTrue(in != null, "no class for " + m.group());
        assertTrue(ClassFile.of().parse(in.readAllBytes()).methods().stream().map(x -> x.methodName().stringValue())
            .anyMatch(n -> pattern.group(4).isEmpty() ? n.equals(pattern.group(3)) : n.startsWith(pattern.group(3))),
            "no method for " + m.group());
      }
    }
    assertEquals(4, count, line);
  }

  @Test void avx2() throws Exception { check("-XX:UseAVX=2", 8); }

  @Test void avx512() throws Exception {
    assumeTrue(Simd.LANES == 16, "this CPU has no AVX-512");
    check("-XX:UseAVX=3", 16);
  }

  private void check(String flag, int fmas) throws Exception {
    assumeTrue(System.getProperty("os.arch").equals("amd64"), "reads x86-64");
    assumeTrue(MachineCode.readable(), "no objdump: install binutils");
    assumeTrue(Simd.LANES >= 8, "this CPU has no AVX2");
    var printed = Fork.run(List.of(flag, "-XX:+UnlockDiagnosticVMOptions", "-XX:CompileCommand=quiet",
        "-XX:CompileCommand=print,jacquard.kernels.cpu.*::*"), HotLoops.class, "25");
    var bad = new ArrayList<String>();
    Set<String> kernels = new TreeSet<>();
    for (var m : MachineCode.read(printed, folder.resolve("code"))) {
      // under matmul, attention, losses and convolutions
      boolean micro = m.method().matches(".*\\.(MicroKernel|TransposedTiles|DepthwiseTaps|DepthwiseProducts)::.*");
      for (var l : m.loops()) {
        if (micro && l.fmas() >= fmas) kernels.add(m.method());
        // beside calls everything lives on the stack: not the register rule but inlining, which differs from JVM to JVM
        if (!l.carried().isEmpty() && l.calls() == 0 && (micro || l.vectors() < HIDES))
          bad.add(m.method() + ": accumulators at " + l.carried() + " in a loop of " + l.fmas() + " products");
        if (micro && l.calls() > 0) bad.add(m.method() + ": " + l.calls() + " calls in the loop");
      }
    }
    assertEquals(List.of(), bad);
    assertTrue(!kernels.isEmpty(), "no micro-kernel of " + fmas + " products was compiled");
  }
}
