package jacquard.clip.cli;

import jacquard.clip.Clip;
import jacquard.clip.image.Images;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "classify", mixinStandardHelpOptions = true, description = "Prints for each image the probabilities of some labels.")
final class ClassifyCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "MODEL", description = "Folder with open_clip_config.json and weights.") Path model;
  @Parameters(index = "1..*", arity = "1..*", paramLabel = "IMAGE") List<Path> images;
  @Option(names = "--labels", required = true, split = ",", description = "Names, separated by commas.") List<String> labels;
  @Option(names = "--template", description = "A text with {} for the label; may be repeated, the features are averaged (default: {}).") List<String> templates = List.of("{}");

  @Override public Integer call() throws IOException {
    for (var t : templates) if (!t.contains("{}")) throw new IllegalArgumentException("--template \"" + t + "\" has no {} for the label");
    try (var clip = Clip.load(model)) {
      var names = clip.classifier(labels, templates);
      for (var file : images) {
        float[] p = clip.classify(clip.embed(Images.read(file)), names)[0];
        System.out.println(file);
        IntStream.range(0, p.length).boxed().sorted(Comparator.comparingDouble(i -> -p[i])).forEach(i -> System.out.printf("  %6.2f %%  %s%n", 100 * p[i], labels.get(i)));
      }
    }
    return 0;
  }
}
