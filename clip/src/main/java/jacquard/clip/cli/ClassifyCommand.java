package jacquard.clip.cli;

import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
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

@Command(name = "classify", mixinStandardHelpOptions = true, description = {"Prints for each image the probabilities of some labels: softmax over scale · cosine.", "",
    "  ./jacquard classify runs/emoji-1/last cat.png dog.png --labels \"cat face,dog face,pizza\"",
    "  ./jacquard classify ViT-B-32 cat.jpg --labels cat,dog --template openai_imagenet", "", "Exit status 1 if an image could not be read."})
final class ClassifyCommand implements Callable<Integer> {
  @Mixin ModelOptions model;
  @Mixin TemplateOptions templates;
  @Parameters(index = "1..*", arity = "1..*", paramLabel = "IMAGE", description = "Pictures: JPEG, PNG, GIF, BMP, WebP, TIFF.") List<Path> images;
  @Option(names = "--labels", required = true, split = ",", paramLabel = "NAME,…", description = "Names, separated by commas; may be repeated.") List<String> labels;
  @Option(names = "--top", paramLabel = "N", description = "Only the N most probable labels of each image.") Integer top;

  @Override public Integer call() throws IOException {
    var names = labels.stream().map(String::strip).filter(l -> !l.isEmpty()).toList();
    if (names.isEmpty()) throw new IllegalArgumentException("--labels has no name, expected some separated by commas");
    if (top != null && top < 1) throw new IllegalArgumentException("--top " + top + ", expected at least 1");
    var sentences = templates.templates();
    int unreadable = 0;
    try (var clip = model.load()) {
      float[][] classifier = clip.classifier(names, sentences);
      for (var file : images) {
        Picture picture;
        try { picture = Images.read(file); } catch (IOException e) {
          System.err.println("jacquard: " + e.getMessage());
          unreadable++;
          continue;
        }
        float[] p = clip.classify(clip.embed(picture), classifier)[0];
        System.out.println(file);
        IntStream.range(0, p.length).boxed().sorted(Comparator.comparingDouble(i -> -p[i])).limit(top == null ? p.length : top)
            .forEach(i -> System.out.printf("  %6.2f %%  %s%n", 100 * p[i], names.get(i)));
      }
    }
    if (unreadable > 0) System.err.printf("jacquard: %d of %d images could not be read%n", unreadable, images.size());
    return unreadable > 0 ? 1 : 0;
  }
}
