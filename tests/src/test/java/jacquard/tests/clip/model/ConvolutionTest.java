package jacquard.tests.clip.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.nn.Conv2d;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Op;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The convolution of models beside PyTorch's; what its ops refuse.
class ConvolutionTest {
  private static final Grid GRID = new Grid(4, 3);

  /// `conv2d(pad(x, (1, 0, 0, 2)), w, arange(6), stride=2, groups=2)` of x [2, 4, 4, 3] = i mod 7 − 3 and w
  /// [6, 2, 3, 2] = i mod 5 − 2, channels last.
  @Test void ofGroupsWithBiasAndUnevenPaddingAsInPyTorch() {
    float[] x = new float[96], nchw = new float[96], w = new float[72], disk = new float[72], b = {0, 1, 2, 3, 4, 5};
    for (int i = 0; i < 96; i++) nchw[i] = i % 7 - 3;
    for (int i = 0; i < 96; i++) x[i] = nchw[(i / 48 * 4 + i % 4) * 12 + i % 48 / 4];
    for (int i = 0; i < 72; i++) disk[i] = i % 5 - 2;
    for (int i = 0; i < 72; i++) w[i] = disk[(i / 12 * 2 + i % 2) * 6 + i % 12 / 2];
    try (var _ = Scope.open(Device.named("cpu"))) {
      var conv = new Conv2d(Tensor.of(Shape.of(6, 3, 2, 2), w), Tensor.of(Shape.of(6), b), 2, new Padding(0, 1, 2, 0),
          2);
      assertEquals(Grid.of(2), conv.to(GRID));
      assertArrayEquals(new float[] {-8, 5, 8, 6, -2, 15, -6, 3, -13, -6, 10, 11, -10, 11, -8, 4, 6, 8, 3, 10, -8, -3,
          0, 8, -14, 11, -4, 6, 10, 9, 11, 9, -13, 2, -7, 14, 2, 4, 1, 10, -7, 6, -11, 9, 9, 8, -6, 15},
          conv.apply(Tensor.of(Shape.of(24, 4), x), GRID).floats());
      assertArrayEquals(disk, OnDisk.CHANNELS_FIRST.write(conv.weight().floats(), conv.weight().shape()));
    }
  }

  /// As TensorFlow pads: the odd zero comes last; none where windows do not overlap and the grid is a multiple.
  @Test void same() {
    assertEquals(Padding.of(1), Padding.same(Grid.of(7), 3, 3, 1));
    assertEquals(new Padding(0, 0, 1, 1), Padding.same(Grid.of(224), 3, 3, 2));
    assertEquals(new Padding(1, 2, 2, 2), Padding.same(new Grid(8, 7), 5, 5, 2));
    assertEquals(Padding.NONE, Padding.same(Grid.of(8), 2, 2, 2));
    assertEquals(new Padding(0, 0, 0, 1), Padding.same(new Grid(4, 3), 1, 2, 2));
    for (int n : new int[] {1, 13, 65})
      for (int s : new int[] {1, 2, 3})
        assertEquals(Grid.of(Math.ceilDiv(n, s)), Grid.of(n).windows(5, 5, s, Padding.same(Grid.of(n), 5, 5, s)));
  }

  @Test void whatIsRefused() {
    Type x = Type.f32(24, 4), w = Type.f32(6, 3, 2, 2), b = Type.f32(6), y = Type.f32(2, 6);
    var op = new Fused.Conv2d(GRID, 2, Padding.of(0), 2, true);
    assertEquals(List.of(y), op.infer(List.of(x, w, b)));
    assertEquals(List.of(Type.f32(24, 4)), new Adjoint.Conv2dInput(op).infer(List.of(w, y)));
    refused(op, List.of(x, w));
    refused(op, List.of(x, w, b, b));
    refused(op, List.of());
    refused(op, List.of(Type.f32(24, 5), w, b));                                    // channels
    refused(op, List.of(Type.f32(23, 4), w, b));                                    // part of an image
    refused(op, List.of(Type.f32(96), w, b));
    refused(op, List.of(x, Type.f32(5, 3, 2, 2), Type.f32(5)));                     // 5 outputs of 2 groups
    refused(op, List.of(x, Type.f32(6, 5, 2, 2), b));                               // a kernel larger than the grid
    refused(op, List.of(x, w, Type.f32(5)));
    refused(op, List.of(new Type(DType.I32, x.shape()), w, b));
    refused(op, List.of(x, w, new Type(DType.I32, b.shape())));
    // a window of zeros alone
    refused(new Fused.Conv2d(GRID, 1, new Padding(0, 2, 0, 0), 2, true), List.of(x, w, b));
    refused(new Fused.Conv2d(GRID, 1, Padding.of(0), 1, true), List.of(x, w, b));
    refused(new Adjoint.Conv2dInput(op), List.of(w));
    refused(new Adjoint.Conv2dInput(op), List.of(w, Type.f32(2, 5)));
    refused(new Adjoint.Conv2dInput(op), List.of(w, new Type(DType.I32, Shape.of(2, 6))));
    refused(new Adjoint.Conv2dWeight(op, w.shape()), List.of(x));
    refused(new Adjoint.Conv2dWeight(op, w.shape()), List.of(x, Type.f32(1, 6)));
    refused(new Adjoint.Conv2dWeight(op, Shape.of(5, 3, 2, 2)), List.of(x, Type.f32(2, 5)));
    assertThrows(IllegalArgumentException.class, () -> new Padding(0, 0, -1, 0));
    assertThrows(IllegalArgumentException.class, () -> new Fused.Conv2d(GRID, 0, Padding.NONE, 1, false));
    assertThrows(IllegalArgumentException.class, () -> new Fused.Conv2d(GRID, 1, Padding.NONE, 0, false));
  }

  private static void refused(Op op, List<Type> in) {
    var e = assertThrows(IllegalArgumentException.class, () -> op.infer(in));
    assertTrue(e.getMessage().contains("expected"), e.getMessage());
  }
}
