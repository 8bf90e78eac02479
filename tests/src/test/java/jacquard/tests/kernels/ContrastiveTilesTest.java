package jacquard.tests.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Contrastive;
import jacquard.tests.Draw;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The tile is a matter of speed alone: losses differ by 1e-6 of themselves at most. (Their gradients with tiles of any
/// size are held against the reference in double.)
class ContrastiveTilesTest {
  private static final int N = 1000, D = 64;

  @ParameterizedTest @CsvSource({"true,false", "true,true", "false,false", "false,true"})
  void anyTileGivesTheSameLoss(boolean softmax, boolean grouped) {
    try (var _ = Scope.open(Device.best())) {
      var in = new ArrayList<>(List.of(Draw.uniform(1, Shape.of(N, D), -1, 1).normalize(),
          Draw.uniform(2, Shape.of(N, D), -1, 1).normalize(), Tensor.full(Shape.of(), 14)));
      if (!softmax) in.add(Tensor.full(Shape.of(), -5));
      var groups = Tensor.ofArray(new Type(DType.I32, Shape.of(N)), IntStream.range(0, N).map(i -> i * 7 % 600)
          .toArray());
      if (grouped) in.addAll(List.of(groups, groups));
      double expected = loss(softmax, grouped, 128, in);
      for (int tile : new int[] {1, 7, 64, 333, N, 4096})
        assertEquals(expected, loss(softmax, grouped, tile, in), 1e-6 * Math.abs(expected), "tile " + tile);
    }
  }

  private static double loss(boolean softmax, boolean grouped, int tile, List<Tensor> in) {
    return Tensor.applyAll(softmax ? new Contrastive.Softmax(tile, grouped, false)
        : new Contrastive.Sigmoid(tile, grouped, false), in).getFirst().item();
  }
}
