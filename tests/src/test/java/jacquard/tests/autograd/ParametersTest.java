package jacquard.tests.autograd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Buffer;
import jacquard.autograd.Named;
import jacquard.autograd.Parameters;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/// Trees that nobody chose: every tensor has one path, and a tree is rebuilt with nothing lost.
class ParametersTest {
  public sealed interface Part {}
  public record Leaf(Tensor weight, Tensor bias, int heads) implements Part {}
  public record Norm(Tensor weight, @Buffer Tensor mean) implements Part {}
  public record Stack(@Named("resblocks") List<Part> blocks) implements Part {}
  public record Pair(Part left, @Named("") Leaf here) implements Part {}
  public record Label(String name) implements Part {}

  private static Tensor tensor() { return Tensor.described(Type.f32(2)); }

  @Provide Arbitrary<Part> trees() {
    var leaves = Arbitraries.of(0, 1, 2, 3).map(kind -> switch (kind) {
      case 0 -> (Part) new Leaf(tensor(), tensor(), 3);
      case 1 -> new Leaf(tensor(), null, 1);                                       // without a bias
      case 2 -> new Norm(tensor(), tensor());
      default -> new Label("text");
    });
    return Arbitraries.lazyOf(() -> leaves, () -> leaves, () -> trees().list().ofMaxSize(4).map(Stack::new),
        () -> Combinators.combine(trees(), leaves).as((l, _) -> new Pair(l, new Leaf(tensor(), tensor(), 2))));
  }

  private static void collect(Part p, List<Tensor> trained, List<Tensor> buffers) {
    switch (p) {
      case Leaf(var w, var b, _) -> { trained.add(w); if (b != null) trained.add(b); }
      case Norm(var w, var m) -> { trained.add(w); buffers.add(m); }
      case Stack(var blocks) -> blocks.forEach(b -> collect(b, trained, buffers));
      case Pair(var l, var h) -> { collect(l, trained, buffers); collect(h, trained, buffers); }
      case Label _ -> {}
    }
  }

  @Property(tries = 200, seed = "1") void everyTensorHasOnePath(@ForAll("trees") Part tree) {
    List<Tensor> trained = new ArrayList<>(), buffers = new ArrayList<>();
    collect(tree, trained, buffers);
    var p = Parameters.of(tree);
    assertEquals(trained, List.copyOf(p.trained().values()));
    assertEquals(trained.size() + buffers.size(), p.all().size());
    assertTrue(p.all().values().containsAll(buffers));
    assertEquals(2L * trained.size(), p.count());
    for (var path : p.all().keySet()) assertTrue(path.matches("[a-z0-9]+(\\.[a-z0-9]+)*"), path);
  }

  @Property(tries = 200, seed = "2") void aTreeIsRebuilt(@ForAll("trees") Part tree) {
    var all = Parameters.of(tree).all();
    assertSame(tree, Parameters.map(tree, (_, t) -> t), "nothing changed, nothing rebuilt");
    var seen = new ArrayList<String>();
    var other = Parameters.map(tree, (path, _) -> { seen.add(path); return tensor(); });
    assertEquals(List.copyOf(all.keySet()), seen);
    assertEquals(all.keySet(), Parameters.of(other).all().keySet());
    if (!all.isEmpty()) assertNotSame(tree, other);
    for (var t : Parameters.of(other).all().values()) assertTrue(!new HashSet<>(all.values()).contains(t));
  }

  @Property(tries = 100, seed = "3") void globsFreeze(@ForAll("trees") Part tree) {
    var p = Parameters.of(tree);
    if (p.all().isEmpty()) return;
    assertTrue(p.freeze("**").trained().isEmpty());
    assertEquals(p.all(), p.freeze("**").all());
    var first = p.all().firstEntry().getKey();
    assertTrue(!p.freeze(first).trained().containsKey(first));
    assertTrue(assertThrows(IllegalArgumentException.class, () -> p.freeze("nothing.like.this")).getMessage()
        .contains("nothing.like.this"));
  }

  @Example void twoTensorsAtOnePathAreRefused() {
    record Twice(Tensor weight, @Named("") Leaf inner) {}
    assertTrue(assertThrows(IllegalStateException.class, () ->
        Parameters.of(new Twice(tensor(), new Leaf(tensor(), null, 1)))).getMessage().contains("weight"));
  }
}
