package jacquard.clip.cli.options.data;

import jacquard.clip.text.augment.CaptionAugmentation;
import picocli.CommandLine.Option;

/// What training changes of captions by chance.
public final class CaptionOptions {
  @Option(names = "--caption-choice",
      description = "Draws one of a picture's captions at each step: of the lines of its caption, and of a table's "
          + "rows that share a picture. Without it the lines are one caption, and each row is a pair.")
  public boolean choice;
  @Option(names = "--synonyms", paramLabel = "P",
      description = "How often a word becomes another of equal meaning, in English (WordNet); at most one of five in a "
          + "caption (default: ${DEFAULT-VALUE}).")
  double synonyms = 0;
  @Option(names = "--word-dropout", paramLabel = "P",
      description = "How often a word is left out (default: ${DEFAULT-VALUE}).")
  double dropout = 0;
  @Option(names = "--token-masking", paramLabel = "P",
      description = "How often a token is masked, or left out where the vocabulary has no mask (default: "
          + "${DEFAULT-VALUE}).")
  double masking = 0;

  public CaptionAugmentation augmentation() {
    within("--synonyms", synonyms);
    within("--word-dropout", dropout);
    within("--token-masking", masking);
    return new CaptionAugmentation(choice, synonyms, dropout, masking);
  }

  private static void within(String option, double p) {
    if (!(p >= 0 && p < 1))
      throw new IllegalArgumentException(option + " " + p + ", expected 0 or more and less than 1");
  }
}
