package jacquard.clip.cli;

import jacquard.clip.cli.options.ModelOptions;
import jacquard.clip.image.Images;
import jacquard.clip.model.coca.Generation;
import jacquard.clip.settings.Count;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "caption", mixinStandardHelpOptions = true, sortOptions = false,
    customSynopsis = "jacquard caption MODEL PICTURE… [OPTION]…")
final class CaptionCommand implements Callable<Integer> {
  @Mixin ModelOptions model;
  @Parameters(index = "1..*", arity = "1..*", paramLabel = "PICTURE", description = "Pictures: JPEG, PNG, GIF, BMP, "
      + "WebP, TIFF, ICO, PNM.") List<Path> pictures;
  @Option(names = "--search", defaultValue = "beam", paramLabel = "KIND",
      description = "beam: several captions side by side, the best is taken; greedy: the likeliest token each time; "
      + "top-k and top-p: by chance "
      + "(default: ${DEFAULT-VALUE}).") String search;
  @Option(names = "--beams", defaultValue = "6", paramLabel = "N",
      description = "Captions side by side (default: ${DEFAULT-VALUE}).")
  int beams;
  @Option(names = "--top-k", defaultValue = "50", paramLabel = "N",
      description = "By chance among so many tokens (default: ${DEFAULT-VALUE}).")
  int topK;
  @Option(names = "--top-p", defaultValue = "0.9", paramLabel = "P",
      description = "By chance among the likeliest tokens of this share together (default: ${DEFAULT-VALUE}).")
  double topP;
  @Option(names = "--temperature", defaultValue = "1", paramLabel = "T",
      description = "By chance: below 1 likelier tokens more often (default: ${DEFAULT-VALUE}).")
  double temperature;
  @Option(names = "--seed", defaultValue = "0", paramLabel = "N",
      description = "Of the chance (default: ${DEFAULT-VALUE}).")
  long seed;
  @Option(names = "--longest", defaultValue = "30", paramLabel = "N",
      description = "Tokens of a caption at most, its start and end included (default: ${DEFAULT-VALUE}).")
  int longest;
  @Option(names = "--shortest", defaultValue = "5", paramLabel = "N",
      description = "Tokens of a caption at least (default: ${DEFAULT-VALUE}).")
  int shortest;
  @Option(names = "--repetition-penalty", defaultValue = "1", paramLabel = "X",
      description = "More than 1: tokens that were there are less likely (default: ${DEFAULT-VALUE}).")
  double repetition;
  @Option(names = "--prompt", defaultValue = "", paramLabel = "TEXT", description = "What each caption begins with.")
  String prompt;

  @Override public Integer call() throws IOException {
    int unreadable = 0;
    var kind = kind();
    try (var clip = model.load()) {
      var generation = clip.generation(kind, longest, shortest, repetition);
      for (var file : pictures) {
        try {
          System.out.println(file + "\t" + (prompt + " " + clip.caption(Images.read(file), prompt, generation))
              .strip());
        } catch (IOException e) {
          System.err.println("jacquard: " + Reason.of(e));
          unreadable++;
        }
      }
    }
    if (unreadable > 0)
      System.err.printf("jacquard: %s could not be read%n", Count.some(unreadable, pictures.size(), "picture"));
    return unreadable > 0 ? 1 : 0;
  }

  private Generation.Search kind() {
    return switch (search) {
      case "beam" -> new Generation.Beams(beams);
      case "greedy" -> Generation.GREEDY;
      case "top-k" -> new Generation.Sampled(topK, 1, temperature, seed);
      case "top-p" -> new Generation.Sampled(0, topP, temperature, seed);
      default -> throw new IllegalArgumentException("--search " + search + ", expected beam, greedy, top-k or top-p");
    };
  }
}
