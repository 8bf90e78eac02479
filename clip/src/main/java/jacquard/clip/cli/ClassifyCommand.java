package jacquard.clip.cli;

import jacquard.clip.Clip.Probabilities;
import jacquard.clip.cli.options.LabelOptions;
import jacquard.clip.cli.options.ModelOptions;
import jacquard.clip.cli.options.TemplateOptions;
import jacquard.clip.eval.Embedder;
import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import jacquard.clip.settings.Count;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "classify", mixinStandardHelpOptions = true, sortOptions = false,
    customSynopsis = "jacquard classify MODEL IMAGE… --labels NAME,… [OPTION]…")
final class ClassifyCommand implements Callable<Integer> {
  @Mixin ModelOptions model;
  @Mixin TemplateOptions templates;
  @Mixin LabelOptions labels;
  @Parameters(index = "1..*", arity = "1..*", paramLabel = "IMAGE", description = "Pictures: JPEG, PNG, GIF, BMP, "
      + "WebP, TIFF, ICO, PNM.") List<Path> images;
  @Option(names = "--probabilities", paramLabel = "KIND", description = "softmax: which of the labels it is, they sum "
      + "to 1; sigmoid: whether it is each of them (default: sigmoid for models with a bias, as SigLIP, "
      + "else softmax).") String probabilities;
  @Option(names = "--top", paramLabel = "N", description = "Only the N most probable labels of each image.")
  Integer top;

  @Override public Integer call() throws IOException {
    var names = labels.labels();
    if (top != null && top < 1) throw new IllegalArgumentException("--top " + top + ", expected at least 1");
    var sentences = templates.templates();
    int unreadable = 0;
    boolean finite = true;
    try (var clip = model.load()) {
      var kind = probabilities == null ? clip.probabilities() : kind();
      float[][] classifier = clip.classifier(names, sentences);
      for (var file : images) {
        Picture picture;
        try { picture = Images.read(file); } catch (IOException e) {
          System.err.println("jacquard: " + Reason.of(e));
          unreadable++;
          continue;
        }
        float[] p = clip.classify(clip.embed(picture), classifier, kind)[0];
        finite &= Embedder.finite(p);
        System.out.println(file);
        IntStream.range(0, p.length).boxed().sorted(Comparator.comparingDouble(i -> -p[i]))
            .limit(top == null ? p.length : top)
            .forEach(i -> System.out.printf("  %6.2f %%  %s%n", 100 * p[i], names.get(i)));
      }
    }
    if (!finite) System.err.println("jacquard: probabilities are not finite; the model's weights may hold NaN");
    if (unreadable > 0) System.err.printf("jacquard: %s could not be read%n", Count.some(unreadable, images.size(),
        "image"));
    return unreadable > 0 || !finite ? 1 : 0;
  }

  private Probabilities kind() {
    return switch (probabilities) {
      case "softmax" -> Probabilities.SOFTMAX;
      case "sigmoid" -> Probabilities.SIGMOID;
      default -> throw new IllegalArgumentException("--probabilities " + probabilities
          + ", expected softmax or sigmoid");
    };
  }
}
