package example;

import jacquard.autograd.Grad;
import jacquard.clip.Clip;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.eval.Templates;
import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/// Embeds texts and images, names an image, and differentiates an op of its own: `Example MODEL [IMAGE]`.
public final class Example {
  private Example() {}

  public static void main(String[] arguments) throws IOException {
    if (arguments.length == 0) {
      System.err.println("usage: Example MODEL [IMAGE], where MODEL is a folder with open_clip_config.json and "
          + "weights, as a training writes it to runs/…/last");
      System.exit(2);
    }
    var labels = List.of("cat face", "pizza", "red heart");
    // owns its memory; any thread may use it
    try (var clip = Clip.load(Path.of(arguments[0]))) {
      float[][] texts = clip.embed("cat face", "dog face", "a slice of pizza");   // [3, embedding], normalised
      System.out.printf("texts: %d × %d, cosine of the first two %.3f%n", texts.length, texts[0].length,
      dot(texts[0], texts[1]));

      Picture picture = arguments.length > 1 ? Images.read(Path.of(arguments[1])) : emoji("pizza");
      float[][] image = clip.embed(picture);                                      // [1, embedding]
      float[][] names = clip.classifier(labels, Templates.of(List.of("{}", "a drawing of a {}")));
      float[] probabilities = clip.classify(image, names)[0];
      IntStream.range(0, labels.size())
          .forEach(i -> System.out.printf("  %6.2f %%  %s%n", 100 * probabilities[i], labels.get(i)));
    }
    try (var _ = Scope.open(Device.best())) {                                      // what is made here ends here
      var x = Tensor.of(Shape.of(3), new float[] {-1, 0, 1});
      var step = Grad.vjp(List.of(x), in -> List.of(Tensor.apply(new QuickGelu(), in.getFirst())), out ->
          List.of(Tensor.full(out.getFirst().shape(), 1)));
      System.out.println("QuickGELU at -1, 0, 1: " + shown(step.values().getFirst()) + ", its slope "
          + shown(step.gradients().getFirst()));
    }
  }

  private static Picture emoji(String caption) {
    var drawings = EmojiSource.heldOut();
    return drawings.picture(IntStream.range(0, drawings.size()).filter(i -> drawings.caption(i).equals(caption))
        .findFirst().orElseThrow());
  }

  private static double dot(float[] a, float[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> a[i] * b[i]).sum();
  }

  private static String shown(Tensor t) {
    var r = new StringBuilder();
    for (float v : t.floats()) r.append(r.isEmpty() ? "" : " ").append("%.4f".formatted(v));
    return r.toString();
  }
}
